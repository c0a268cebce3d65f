"""Test suite for secret backends: every backend passes it, connform's own and those of third parties.

Layer 5; IO: that of the backend. Your test module only implements how secrets are put into your backend::

    from connform.testing.secrets import Bench, SecretBackendSuite

    class LetterboxBench(Bench):
        backend = LETTERBOX
        lacks = {"versions": "a letterbox keeps no old letters"}

        def put(self, name, value):
            ...
            return f"letterbox://{name}"

    class TestLetterbox(SecretBackendSuite):
        @pytest.fixture
        def bench(self, tmp_path):
            return LetterboxBench(StoreConfig(tmp_path))
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import partial
from time import monotonic
from typing import ClassVar

import pytest

from connform.engine.run.store_session import StoreSession
from connform.errors import SecretUnresolved
from connform.secret import SecretReference
from connform.secrets.kit.interface import Backend, Fetched, Outcome, StoreConfig

VALUE = "canary-5Zt8wQ1rXvB7"
"""Text in the secrets of the suite: no failure may show it."""
_TOLERANCE_S = 3.0
"""How much longer than its time-out a read may take on a loaded machine."""


class Bench:
    """Puts secrets into a backend, and causes its failures. Tests of abilities in `lacks` are skipped."""

    backend: Backend
    """The backend under test."""
    lacks: ClassVar[Mapping[str, str]] = {}
    """The abilities that the backend lacks, each with the reason. Abilities: `binary`, `empty`, `lines`, `fields`,
    `versions`, `denied`, `down`, `slow`, `expired`, `sealed`."""
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
            value: UTF-8 text, or any bytes if `binary` is not in `lacks`.
        """
        raise NotImplementedError

    def put_fields(self, name: str, fields: Mapping[str, str]) -> str:
        """Store a document in one step, and return a reference to it without a field; by default a JSON object."""
        return self.put(name, json.dumps(fields, ensure_ascii=False).encode())

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


class SecretBackendSuite:
    """The suite: derive a class called `Test…`, with a fixture `bench`."""

    @staticmethod
    def read(bench: Bench, *texts: str, place: StoreConfig | None = None) -> list[Outcome]:
        """Return the outcomes of references, read as in a run of connform; fails if a failure shows a secret."""
        store = place or bench.place
        references = [SecretReference.parse(text) for text in texts]
        for reference in references:
            assert bench.backend.lint(reference, store.settings) == ""
        session = StoreSession("the bench", partial(bench.backend.open, store), store.timeout_s)
        try:
            by_reference = session.read(references)
        finally:
            session.close()
        outcomes = [by_reference[reference] for reference in references]
        for reference, outcome in zip(references, outcomes, strict=True):
            if isinstance(outcome, SecretUnresolved):
                assert VALUE not in _all_text(outcome)
                assert str(reference) in outcome.message
                assert outcome.hint
        return outcomes

    def value(self, bench: Bench, text: str) -> str:
        """Return the value of a secret; fails if it can't be read."""
        (outcome,) = self.read(bench, text)
        assert isinstance(outcome, Fetched), outcome
        return outcome.secret.reveal()

    def fault(self, bench: Bench, text: str, place: StoreConfig | None = None) -> SecretUnresolved:
        """Return the failure of a reference; fails if a secret was read."""
        (outcome,) = self.read(bench, text, place=place)
        assert isinstance(outcome, SecretUnresolved), "a secret was read"
        return outcome

    @staticmethod
    def needs(bench: Bench, ability: str) -> None:
        """Skip the test if the backend lacks an ability."""
        if ability in bench.lacks:
            pytest.skip(bench.lacks[ability])

    # ------------------------------------------------------------------------------------------------------- what is found

    @pytest.mark.parametrize(
        ("stored", "found"),
        [
            (VALUE, VALUE),
            ("0012", "0012"),
            (" spaces stay ", " spaces stay "),
            (f"{VALUE}\n", VALUE),
            (f"{VALUE}\r\n", VALUE),
            (f"{VALUE}\n\n", f"{VALUE}\n"),
            ("-----BEGIN KEY-----\nline\n-----END KEY-----\n", "-----BEGIN KEY-----\nline\n-----END KEY-----"),
            ("clé ключ 鍵", "clé ключ 鍵"),
        ],
        ids=["text", "digits", "spaces", "newline", "CRLF", "two-newlines", "several-lines", "non-ASCII"],
    )
    def test_a_secret_is_found_as_it_was_stored_less_one_newline(self, bench: Bench, stored: str, found: str) -> None:
        if "\n" in found:
            self.needs(bench, "lines")
        assert self.value(bench, bench.put("found", stored.encode())) == found

    def test_a_large_secret_is_found_whole(self, bench: Bench) -> None:
        large = "x" * bench.largest_bytes
        assert self.value(bench, bench.put("large", large.encode())) == large

    def test_a_field_is_found(self, bench: Bench) -> None:
        self.needs(bench, "fields")
        document = bench.put_fields("document", {"id": "0012", "key": f"{VALUE}\n"})
        outcomes = self.read(bench, f"{document}#key", f"{document}#id")
        assert [one.secret.reveal() for one in outcomes if isinstance(one, Fetched)] == [VALUE, "0012"]

    def test_an_earlier_version_is_found(self, bench: Bench) -> None:
        self.needs(bench, "versions")
        (first,) = self.read(bench, bench.put("versions", b"first"))
        assert isinstance(first, Fetched)
        text = bench.put("versions", b"second")
        (second,) = self.read(bench, text)
        assert isinstance(second, Fetched)
        assert second.secret.reveal() == "second"
        assert first.version != second.version
        path, _, field = text.partition("#")
        old = f"{path}?version={first.version}" + (f"#{field}" if field else "")
        assert self.value(bench, old) == "first"

    def test_two_fields_come_from_one_look(self, bench: Bench) -> None:
        """Two fields of one document come from one version of it, even if it is replaced meanwhile."""
        self.needs(bench, "fields")
        document = bench.put_fields("pair", {"id": "0", "key": "0"})
        ended = threading.Event()
        torn: list[tuple[str, str]] = []

        def read_pairs() -> None:
            while not ended.is_set():
                outcomes = self.read(bench, f"{document}#id", f"{document}#key")
                pair = tuple(one.secret.reveal() if isinstance(one, Fetched) else repr(one) for one in outcomes)
                if pair[0] != pair[1] or not pair[0].isdigit():
                    torn.append((pair[0], pair[1]))

        reader = threading.Thread(target=read_pairs)
        reader.start()
        try:
            for number in range(bench.rotations):
                bench.put_fields("pair", {"id": str(number), "key": str(number)})
        finally:
            ended.set()
            reader.join()
        assert torn == []

    # ------------------------------------------------------------------------------------------------------ what is refused

    def test_what_is_missing_is_said_and_hides_nothing(self, bench: Bench) -> None:
        missing, found = self.read(bench, bench.missing(), bench.put("beside", VALUE.encode()))
        assert isinstance(found, Fetched)
        assert isinstance(missing, SecretUnresolved)
        assert missing.fault.name == "secret_not_found"

    def test_a_missing_field_is_said(self, bench: Bench) -> None:
        self.needs(bench, "fields")
        document = bench.put_fields("document", {"client_secret": VALUE})
        missing, found = self.read(bench, f"{document}#client_secrat", f"{document}#client_secret")
        assert isinstance(found, Fetched)
        assert isinstance(missing, SecretUnresolved)
        assert missing.fault.name == "secret_not_found"
        assert "client_secret" in missing.hint

    @pytest.mark.parametrize("stored", [b"", b"\n"], ids=["nothing", "newline"])
    def test_an_empty_secret_is_an_error(self, bench: Bench, stored: bytes) -> None:
        self.needs(bench, "empty")
        assert self.fault(bench, bench.put("empty", stored)).fault.name == "secret_malformed"

    def test_a_binary_secret_is_an_error(self, bench: Bench) -> None:
        self.needs(bench, "binary")
        assert self.fault(bench, bench.put("binary", VALUE.encode() + b"\xff\xfe")).fault.name == "secret_malformed"

    def test_what_may_not_be_read_is_denied(self, bench: Bench) -> None:
        self.needs(bench, "denied")
        assert self.fault(bench, bench.denied()).fault.name == "secret_denied"

    def test_a_login_that_has_ended_is_told_from_a_denied_secret(self, bench: Bench) -> None:
        self.needs(bench, "expired")
        ended = self.fault(bench, bench.put("expired", VALUE.encode()), bench.expired())
        assert ended.fault.name == "secret_denied"
        if "denied" not in bench.lacks:
            assert ended.hint != self.fault(bench, bench.denied()).hint

    @pytest.mark.parametrize("trouble", ["down", "slow"])
    def test_a_store_that_does_not_answer_is_unavailable_in_time(self, bench: Bench, trouble: str) -> None:
        self.needs(bench, trouble)
        text = bench.put("trouble", VALUE.encode())
        store = bench.place._replace(timeout_s=1.0)
        with getattr(bench, trouble)():
            started = monotonic()
            failure = self.fault(bench, text, store)
            elapsed_s = monotonic() - started
        assert failure.fault.name == "secret_backend_unavailable"
        assert elapsed_s < store.timeout_s + 1 + _TOLERANCE_S

    def test_a_sealed_store_is_said_to_be(self, bench: Bench) -> None:
        self.needs(bench, "sealed")
        text = bench.put("sealed", VALUE.encode())
        with bench.sealed():
            failure = self.fault(bench, text)
        assert failure.fault.name in {"secret_backend_unavailable", "keyring_locked"}
        assert "sealed" in failure.message or "locked" in failure.message


def _all_text(error: BaseException) -> str:
    """Return all text in an exception and in the exceptions behind it."""
    shown = ""
    link: BaseException | None = error
    while link is not None:
        shown += f"{link!r} {link.args!r} {vars(link)!r}"
        shown += "".join(str(getattr(link, name, "")) for name in ("object", "doc", "filename", "output", "stderr"))
        link = link.__cause__ or link.__context__
    return shown
