"""The AWS backends in the suite for all backends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import pytest

from connform.secrets.aws.parameter_store import AWSSSM
from connform.secrets.aws.secrets_manager import AWSSECRETS
from connform.secrets.kit.interface import StoreConfig
from connform.testing.secrets import Bench, SecretBackendSuite
from tests.secrets.aws.front import Error, Front
from tests.secrets.aws.moto import Moto


class AwsBench(Bench):
    lacks = {"proxy": "moto speaks plain http here, by no proxy; test_tls.py has its own"}

    def __init__(self, store: StoreConfig, moto: Moto, front: Front) -> None:
        super().__init__(store)
        self.moto = moto
        self.front = front

    def denied(self) -> str:
        self.front.denied.add("denied")
        return self.put("denied", b"x")

    def expired(self) -> StoreConfig:
        return self.place._replace(settings={**self.place.settings, "profile": "expired"})

    def down(self) -> AbstractContextManager[object]:
        return self.front.down()

    @contextmanager
    def rate_limited(self, times: int, retry_after: str | None) -> Iterator[None]:
        if retry_after not in {None, "3600"}:
            pytest.skip("AWS asks for no certain pause")
        self.front.next_errors = [Error("ThrottlingException")] * times
        yield
        self.front.next_errors = []

    def slow(self) -> AbstractContextManager[object]:
        return self.moto.stopped()


class SecretsBench(AwsBench):
    backend = AWSSECRETS
    lacks = {
        **AwsBench.lacks,
        "empty": "a SecretString has one character at least",
        "sealed": "there is no lock that stops everybody",
    }

    def put(self, name: str, value: bytes) -> str:
        text: str | bytes = value
        with suppress(UnicodeDecodeError):
            text = value.decode()
        self.moto.put_secret(name, text)
        return f"awssecrets://{name}"

    def missing(self) -> str:
        return "awssecrets://bench/missing"


class TestAwsSecrets(SecretBackendSuite):
    @pytest.fixture
    def bench(self, store: StoreConfig, moto: Moto, front: Front) -> Bench:
        return SecretsBench(store, moto, front)


class SsmBench(AwsBench):
    backend = AWSSSM
    lacks = {
        **AwsBench.lacks,
        "binary": "a parameter is text",
        "empty": "a parameter has one character at least",
        "sealed": "there is no lock that stops everybody",
    }
    largest_bytes = 8192  # of the tier Advanced

    def put(self, name: str, value: bytes) -> str:
        self.moto.put_parameter(f"/bench/{name}", value.decode())
        return f"awsssm:///bench/{name}"

    def missing(self) -> str:
        return "awsssm:///bench/missing"


class TestAwsSsm(SecretBackendSuite):
    @pytest.fixture
    def bench(self, store: StoreConfig, moto: Moto, front: Front) -> Bench:
        return SsmBench(store, moto, front)
