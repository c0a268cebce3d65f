"""Tests of the suite for secret backends with odd values, odd documents, and two secrets of one name.

Layer 5; IO: that of the backend.
"""

from __future__ import annotations

from string import ascii_lowercase

from connform.errors import SecretUnresolved
from connform.secrets.kit.interface import Fetched
from connform.testing.secret_bench import VALUE, Bench
from connform.testing.secret_reading import SecretReading

_ODD_VALUES = {
    "a byte order mark": b"\xef\xbb\xbf" + VALUE.encode(),
    "a control character": VALUE.encode() + b"\x1b[2J",
    "a zero byte": VALUE.encode() + b"\0",
}
"""Values that no connection can use."""
_ODD_DOCUMENTS = {
    "cut": b'{"key": "' + VALUE.encode(),
    "deep": b'{"key": ' + b"[" * 8000,
    "a huge number": b'{"key": %s}' % (b"9" * 5000),
    "a list": b'["key"]',
    "a number": b'{"key": 12}',
    "an object": b'{"key": {"key": "value"}}',
    "half a surrogate pair": b'{"key": "%s\\ud800"}' % VALUE.encode(),
    "a zero byte": b'{"key": "%s\\u0000"}' % VALUE.encode(),
    "not UTF-8": b'{"key": "%s\xff"}' % VALUE.encode(),
}
"""JSON documents whose key `key` holds nothing that is a secret."""


class OddSecretsSuite(SecretReading):
    """A part of the suite."""

    def test_an_odd_value_is_found_or_refused(self, bench: Bench) -> None:
        """It is not for the store to judge what a connection can send. Only text with zero bytes is no secret anywhere."""
        odd = {kind: value for kind, value in _ODD_VALUES.items() if "zeros" not in bench.lacks or b"\0" not in value}
        texts = [
            bench.put(f"odd-{letter}", value) for letter, value in zip(ascii_lowercase, odd.values(), strict=False)
        ]
        *outcomes, found = self.read(bench, *texts, bench.put("beside", VALUE.encode()))
        assert isinstance(found, Fetched)
        for (kind, value), outcome in zip(odd.items(), outcomes, strict=True):
            if kind == "a zero byte":
                assert isinstance(outcome, SecretUnresolved), kind
                assert outcome.fault.name == "secret_malformed", kind
            else:
                assert isinstance(outcome, Fetched), (kind, outcome)
                assert outcome.secret.reveal() in {value.decode(), value.decode("utf-8-sig")}, kind

    def test_a_field_of_an_odd_document_is_an_error(self, bench: Bench) -> None:
        self.needs(bench, "documents")
        odd = {
            kind: text for kind, text in _ODD_DOCUMENTS.items() if "binary" not in bench.lacks or b"\xff" not in text
        }
        named = zip(ascii_lowercase, odd.values(), strict=False)
        texts = [bench.put_document(f"odd-{letter}", text) for letter, text in named]
        texts.append(bench.put_fields("beside", {"key": VALUE}))
        *outcomes, found = self.read(bench, *(f"{text}#key" for text in texts))
        assert isinstance(found, Fetched)
        for kind, outcome in zip(odd, outcomes, strict=True):
            assert isinstance(outcome, SecretUnresolved), kind
            assert outcome.fault.name == "secret_malformed", kind

    def test_of_two_secrets_that_one_reference_means_none_is_taken(self, bench: Bench) -> None:
        self.needs(bench, "twins")
        text, words = bench.twins("twin")
        failure = self.fault(bench, text)
        assert failure.fault.name == "secret_malformed"
        assert [word for word in words if word not in failure.message] == []
