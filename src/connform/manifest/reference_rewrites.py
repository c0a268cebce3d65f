"""The canonical form of a secret reference. Layer 1, no IO."""

from __future__ import annotations

from connform.manifest.foreign_references import from_vals
from connform.secret import MalformedReferenceError, SecretReference


def canonical_reference(text: str) -> str:
    """Return the one way to write a reference: without the `ref+` of vals.

    What is no reference stays as it is, and so does one with a field as vals writes it: `validate` explains and mends
    that, and knows it by its prefix.
    """
    if from_vals(text):
        return text
    try:
        reference = SecretReference.parse(text)
        canonical = str(reference)
        return canonical if SecretReference.parse(canonical) == reference else text
    except MalformedReferenceError:
        return text
