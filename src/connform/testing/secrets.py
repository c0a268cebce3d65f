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

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic

import pytest

from connform.errors import SecretUnresolved
from connform.secret import Secret
from connform.secrets.kit.interface import Fetched
from connform.testing.logging_proxy import LoggingProxy, logging_proxy
from connform.testing.odd_secrets import OddSecretsSuite
from connform.testing.secret_bench import VALUE, Bench

__all__ = ["VALUE", "Bench", "SecretBackendSuite"]

_TOLERANCE_S = 3.0
"""How much longer than its time-out a read may take on a loaded machine."""


class SecretBackendSuite(OddSecretsSuite):
    """The suite: derive a class called `Test…`, with a fixture `bench`."""

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

    # ----------------------------------------------------------------------------------------------------------- the proxy

    @pytest.fixture
    def proxy(self, bench: Bench) -> Iterator[LoggingProxy]:
        """Return a proxy; skip the test if the stores of the backend have none."""
        self.needs(bench, "proxy")
        if "proxy" not in bench.backend.store_shape.properties:
            pytest.skip("its stores have no key `proxy`")
        with logging_proxy() as proxy:
            yield proxy

    @pytest.mark.parametrize("declared", ["URL", "with-password", "environment"])
    def test_a_store_is_reached_by_its_proxy(
        self, bench: Bench, proxy: LoggingProxy, declared: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = bench.put("proxied", VALUE.encode())
        spellings = {
            "URL": proxy.url,
            "with-password": {"url": proxy.url, "username": "ci", "password": "env://PROXY_PASSWORD"},
            "environment": "environment",
        }
        if declared == "environment":
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        store = bench.place._replace(
            settings={**bench.place.settings, "proxy": spellings[declared]},
            secrets={**bench.place.secrets, "proxy.password": Secret("word")}
            if declared == "with-password"
            else bench.place.secrets,
        )
        (outcome,) = self.read(bench, text, place=store)
        assert isinstance(outcome, Fetched), outcome
        assert proxy.targets
        assert set(proxy.credentials) == {"Basic Y2k6d29yZA==" if declared == "with-password" else ""}

    def test_a_proxy_that_is_not_asked_for_sees_nothing(
        self, bench: Bench, proxy: LoggingProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert self.value(bench, bench.put("direct", VALUE.encode())) == VALUE
        assert proxy.targets == []

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

    @pytest.mark.parametrize(
        "retry_after",
        [None, "0", "1", "soon", "99999999999", -86400, 1],
        ids=["silent", "zero", "seconds", "no-time", "absurd", "past-date", "date"],
    )
    def test_a_rate_limit_is_waited_for(self, bench: Bench, retry_after: str | int | None) -> None:
        """A number stands for the date so many seconds from now."""
        if isinstance(retry_after, int):
            retry_after = format_datetime(datetime.now(UTC) + timedelta(seconds=retry_after), usegmt=True)
        texts = [bench.put(f"limited-{number}", VALUE.encode()) for number in range(3)]
        with bench.rate_limited(2, retry_after):
            store = bench.place._replace(timeout_s=5.0)
            started = monotonic()
            outcomes = self.read(bench, *texts, place=store)
            elapsed_s = monotonic() - started
        assert [one.secret.reveal() if isinstance(one, Fetched) else str(one) for one in outcomes] == [VALUE] * 3
        assert float(retry_after == "1") <= elapsed_s < store.timeout_s + _TOLERANCE_S

    def test_a_rate_limit_that_lasts_longer_than_the_time_out_is_said_to(self, bench: Bench) -> None:
        text = bench.put("limited", VALUE.encode())
        with bench.rate_limited(1000, "3600"):
            store = bench.place._replace(timeout_s=2.0)
            started = monotonic()
            failure = self.fault(bench, text, store)
            elapsed_s = monotonic() - started
        assert failure.fault.name == "secret_backend_unavailable"
        assert "timeout_s" in failure.message
        assert elapsed_s < 2 * store.timeout_s + _TOLERANCE_S

    def test_a_sealed_store_is_said_to_be(self, bench: Bench) -> None:
        self.needs(bench, "sealed")
        text = bench.put("sealed", VALUE.encode())
        with bench.sealed():
            failure = self.fault(bench, text)
        assert failure.fault.name in {"secret_backend_unavailable", "keyring_locked"}
        assert "sealed" in failure.message or "locked" in failure.message
