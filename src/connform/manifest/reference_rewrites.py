"""The canonical form of a secret reference. Layer 1, no IO."""

from __future__ import annotations

from connform.manifest.foreign_references import from_vals
from connform.secret import MalformedReferenceError, SecretReference


def canonical_reference(text: str) -> str:
    """Return the canonical form of a reference, which has no `ref+` as in vals.

    Other text stays as it is. So does a reference with a field in the form of vals: `validate` recognises it by `ref+`,
    reports it, and has a fix.
    """
    if from_vals(text):
        return text
    try:
        reference = SecretReference.parse(text)
        canonical = str(reference)
        return canonical if SecretReference.parse(canonical) == reference else text
    except MalformedReferenceError:
        return text
