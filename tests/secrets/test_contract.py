"""The backends that need no server, in the suite for all backends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from connform.secrets.dotenv import DOTENV
from connform.secrets.env import ENV
from connform.secrets.file import FILE
from connform.secrets.kit.interface import StoreConfig
from connform.testing.secrets import Bench, SecretBackendSuite


class EnvBench(Bench):
    backend = ENV
    lacks = dict.fromkeys(
        ("fields", "versions", "denied", "down", "slow", "expired", "sealed"),
        "the environment is the process's own: one text a name, always there",
    )

    def put(self, name: str, value: bytes) -> str:
        variable = f"BENCH_{name.upper().replace('-', '_')}"
        os.environb[variable.encode()] = value
        return f"env://{variable}"

    def missing(self) -> str:
        return "env://BENCH_MISSING"


class TestEnv(SecretBackendSuite):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[Bench]:
        before = dict(os.environb)
        yield EnvBench(StoreConfig(tmp_path))
        os.environb.clear()
        os.environb.update(before)


class FileBench(Bench):
    backend = FILE
    lacks = {
        "versions": "an overwritten file is gone",
        **dict.fromkeys(("denied", "down", "slow", "expired", "sealed"), "tests/secrets/test_file.py has its own"),
    }

    def put(self, name: str, value: bytes) -> str:
        draft = self.place.base / f".{name}"
        draft.write_bytes(value)
        draft.replace(self.place.base / name)
        return f"file://{name}"

    def missing(self) -> str:
        return "file://missing"


class TestFile(SecretBackendSuite):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        return FileBench(StoreConfig(tmp_path))


class DotenvBench(Bench):
    backend = DOTENV
    lacks = {
        "fields": "a line has one value",
        "versions": "an overwritten file is gone",
        **dict.fromkeys(("denied", "down", "slow", "expired", "sealed"), "a file, as in tests/secrets/test_file.py"),
    }

    def put(self, name: str, value: bytes) -> str:
        variable = name.upper().replace("-", "_")
        with (self.place.base / ".env").open("ab") as file:
            file.write(variable.encode() + b"='" + value + b"'\n")
        return f"dotenv://.env#{variable}"

    def missing(self) -> str:
        (self.place.base / ".env").touch()
        return "dotenv://.env#MISSING"


class TestDotenv(SecretBackendSuite):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        return DotenvBench(StoreConfig(tmp_path))
