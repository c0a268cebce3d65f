"""The backends that need no server, in the suite for all backends."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
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
        ("fields", "documents", "versions", "twins", "zeros", "denied", "down", "slow", "expired", "sealed"),
        "the environment is the process's own: one text a name, which ends at a zero byte, always there",
    )
    largest_bytes = 2**20

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
    largest_bytes = 2**20

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
        **dict.fromkeys(("fields", "documents"), "a line has one value"),
        "versions": "an overwritten file is gone",
        **dict.fromkeys(("denied", "down", "slow", "expired", "sealed"), "a file, as in tests/secrets/test_file.py"),
    }
    largest_bytes = 2**20 - 64  # the whole file has 1 MiB at most

    def put(self, name: str, value: bytes) -> str:
        (self.place.base / f"{name}.env").write_bytes(b"# a comment\nNAME='" + value + b"'\n")
        return f"dotenv://{name}.env#NAME"

    def twins(self, name: str) -> tuple[str, Sequence[str]]:
        (self.place.base / f"{name}.env").write_text("NAME=one\nOTHER=two\nNAME=three\n")
        return f"dotenv://{name}.env#NAME", ("NAME stands twice", "at lines 1 and 3")

    def missing(self) -> str:
        return f"{self.put('missing', b'value')}S"


class TestDotenv(SecretBackendSuite):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        return DotenvBench(StoreConfig(tmp_path))
