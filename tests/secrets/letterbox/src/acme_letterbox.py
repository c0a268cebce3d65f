"""The example backend `letterbox`, as a third party writes it, by `connform.plugin` alone: the newest letter of a name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connform.plugin import (
    Backend,
    DocumentStore,
    Fetched,
    OpenStore,
    SecretReference,
    SecretUnresolved,
    Shape,
    StoreConfig,
    text_from_bytes,
    whole_or_field,
)


class Letterbox(Backend):
    form = "letterbox://NAME"
    store_shape = Shape(
        properties={"folder": {"type": "string", "description": "Where the letters lie; relative to the manifest."}},
        required=("folder",),
        description="A folder of numbered letters.",
    )

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:
        return "" if reference.path.replace("-", "").isalnum() else "a letter has a name of letters and digits"

    def open(self, store: StoreConfig) -> OpenStore:
        folder = store.base / store.settings.get("folder", "letters")
        return DocumentStore(lambda reference: _newest(folder, reference), _fetched)


def _newest(folder: Path, reference: SecretReference) -> Path:
    letters = sorted(folder.glob(f"{reference.path}.{reference.version or '*'}"))
    if not letters:
        raise SecretUnresolved("secret_not_found", "there is no such letter")
    return letters[-1]


def _fetched(letter: Path, reference: SecretReference) -> Fetched:
    secret = whole_or_field(text_from_bytes(letter.read_bytes()), reference.field)
    return Fetched(secret, letter.suffix[1:], datetime.fromtimestamp(letter.stat().st_mtime, UTC))


LETTERBOX = Letterbox()
