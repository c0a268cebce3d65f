"""The package's own tests: the suite of `connform.testing`, run where the package is installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from acme_letterbox import LETTERBOX

from connform.plugin import StoreConfig
from connform.testing.secrets import Bench, SecretBackendSuite


class LetterboxBench(Bench):
    backend = LETTERBOX
    lacks = dict.fromkeys(("denied", "down", "slow", "expired", "sealed"), "a letterbox is a folder")

    def put(self, name: str, value: bytes) -> str:
        number = len(list(self.place.base.glob(f"letters/{name}.*")))
        draft = self.place.base / "draft"
        draft.write_bytes(value)
        draft.replace(self.place.base / "letters" / f"{name}.{number:06}")
        return f"letterbox://{name}"

    def missing(self) -> str:
        return "letterbox://missing"


class TestLetterbox(SecretBackendSuite):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        (tmp_path / "letters").mkdir()
        return LetterboxBench(StoreConfig(tmp_path))
