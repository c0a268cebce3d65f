"""The formats in which sops writes encrypted files, told apart by the metadata that it adds to each.

Layer 2, no IO. The name of a file need not say its format: `.env.production`, `secrets.yaml.enc`.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from connform.errors import SecretUnresolved
from connform.secrets.kit.open_store import attempt
from connform.secrets.kit.value import object_from_json, text_from_bytes

BINARY = "binary"
"""The format of a file that is one value: sops writes a JSON object of `data` and its metadata."""
_JSON = "json"
_ENDINGS = {".yaml": "yaml", ".yml": "yaml", ".json": _JSON, ".env": "dotenv", ".ini": "ini"}
"""How sops takes the format from a name; any other file is binary to it (cmd/sops/formats in its source)."""
STRUCTURED = ("yaml", _JSON, "dotenv", "ini")
"""The formats of files that hold keys and values."""
STRUCTURED_ENDINGS = tuple(_ENDINGS)
_METADATA = {
    "yaml": re.compile(rb"^sops:", re.MULTILINE),
    "dotenv": re.compile(rb"^sops_version=", re.MULTILINE),
    "ini": re.compile(rb"^\[sops\]", re.MULTILINE),
}
"""The metadata in each format but JSON. No value can look so: values are encrypted, on one line."""


def format_of(data: bytes, path: PurePath) -> str:
    """Return the format of an encrypted file: what its metadata shows, else what its name says."""
    by_name = next((found for ending, found in _ENDINGS.items() if path.name.endswith(ending)), BINARY)
    if data.lstrip().startswith(b"{"):
        content = attempt(lambda: object_from_json(text_from_bytes(data)))
        keys = set() if isinstance(content, SecretUnresolved) else set(content)
        if keys == {"data", "sops"} or "sops" not in keys:  # a JSON object of the one key `data` looks alike
            return by_name
        return _JSON
    return next((found for found, metadata in _METADATA.items() if metadata.search(data)), by_name)


def document_count(data: bytes) -> int:
    """Return how many YAML documents an encrypted file holds: sops writes its metadata into each."""
    return len(_METADATA["yaml"].findall(data))
