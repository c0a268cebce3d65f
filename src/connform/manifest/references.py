"""The JSON Schema of a secret reference, the same for every key.

Layer 1, no IO. The schema refuses whatever is no reference. `SecretReference.parse` and the backends' `lint` check more.
"""

from __future__ import annotations

from connform.manifest.shape import Schema
from connform.secret import PATTERN

REFERENCE: Schema = {
    "type": "string",
    "pattern": PATTERN,
    "x-secret": True,
    "x-code": "plaintext-secret",
    "description": "A secret reference, scheme://path[?version=…][#field]; never the secret itself.",
    "examples": ["env://ACME_KEY", "dotenv://.env#ACME_KEY", "file:///run/secrets/acme_key"],
    "errorMessage": "a secret never stands in a manifest: write where it lies, such as env://ACME_KEY "
    "or file:///run/secrets/acme_key",
}
"""The schema of a key that holds a secret reference."""
