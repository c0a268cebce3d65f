"""What the test suite for secret backends needs of each backend: `Bench` puts secrets into it, and causes its failures.

Layer 5; IO: that of the backend.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import ClassVar

import pytest

from connform.secrets.kit.interface import Backend, StoreConfig

VALUE = "canary-5Zt8wQ1rXvB7"
"""Text in the secrets of the suite: no failure may show it."""


class Bench:
    """Puts secrets into a backend, and causes its failures. Tests of abilities in `lacks` are skipped."""

    backend: Backend
    """The backend under test."""
    lacks: ClassVar[Mapping[str, str]] = {}
    """The abilities that the backend lacks, each with the reason. Abilities: `binary`, `empty`, `lines`, `fields`,
    `documents`, `versions`, `twins`, `zeros`, `denied`, `down`, `slow`, `expired`, `sealed`,
    `proxy`. A store whose shape has no key `proxy` lacks that, and a bench without `rate_limited` that."""
    largest_bytes = 65536
    """The size of the largest secret that the backend can store."""
    rotations = 30
    """How often a pair of secrets is replaced while it is read; set more if a wrong backend is found too seldom."""

    def __init__(self, place: StoreConfig) -> None:
        self.place = place
        """The store from which the backend reads."""

    def put(self, name: str, value: bytes) -> str:
        """Store a secret, in place of an earlier one of that name, and return the reference to it.

        Args:
            name: lower-case letters and hyphens.
            value: UTF-8 text, or any bytes if `binary` is not in `lacks`; without zero bytes if `zeros` is.
        """
        raise NotImplementedError

    def put_fields(self, name: str, fields: Mapping[str, str]) -> str:
        """Store a document in one step, and return a reference to it without a field; by default a JSON object."""
        return self.put_document(name, json.dumps(fields, ensure_ascii=False).encode())

    def put_document(self, name: str, text: bytes) -> str:
        """Store a text of which fields are read as of JSON, whatever it is; return a reference to it without a field."""
        return self.put(name, text)

    def twins(self, name: str) -> tuple[str, Sequence[str]]:
        """Store two secrets that one reference means; by default those of one key in a JSON object.

        Returns:
            The reference, and words of the message of its failure that tell of both.
        """
        text = self.put_document(name, b'{"key": "one", "key": "%s"}' % VALUE.encode())
        return f"{text}#key", ("key stands twice",)

    def missing(self) -> str:
        """Return a reference to a secret that doesn't exist."""
        raise NotImplementedError

    def denied(self) -> str:
        """Return a reference to a secret that this user may not read."""
        raise NotImplementedError

    def expired(self) -> StoreConfig:
        """Return the store with a login that has expired."""
        raise NotImplementedError

    def down(self) -> AbstractContextManager[object]:
        """Return a context in which the store doesn't answer at all."""
        raise NotImplementedError

    def slow(self) -> AbstractContextManager[object]:
        """Return a context in which an answer takes longer than the time-out."""
        raise NotImplementedError

    def sealed(self) -> AbstractContextManager[object]:
        """Return a context in which the store is sealed or locked."""
        raise NotImplementedError

    def rate_limited(self, times: int, retry_after: str | None) -> AbstractContextManager[object]:  # noqa: ARG002  (the interface's signature)
        """Return a context in which the store answers its next calls that there are too many, such as with the status 429.

        Inside of it, `place` may be another one, such as a proxy that gives these answers.

        Args:
            times: how many calls.
            retry_after: the header `Retry-After`, if the store is an HTTP server: seconds, a date, or no valid value; `None`
                for an answer without it.
        """
        return pytest.skip("this bench causes no rate limit")
