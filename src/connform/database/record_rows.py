"""The rows of applied records: records, specifications and attempts as the columns and JSON of a state database.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connform.errors import ConnectionFailed
from connform.recorded import Actor, Attempt, RecordSummary, UsedSecret

COLUMNS = (
    *("connection", "file", "digest", "is_applied"),
    *("verdict", "fault", "latency_ms", "certificate_expires_at", "tried_at", "tried_by"),
    *("spec", "latest"),
)
"""The columns of the table of records."""
FORMER = "former "
"""The prefix of the names of former specifications in `connform_meta`; the name of the connection follows, then a digest. Older
versions of connform that use the same database ignore them."""
_PARTS = {"settings", "base_url", "stores"}
"""What every specification has."""
_FIELDS = frozenset(Attempt._fields)


def summary_of(file: str, digest: str, is_applied: int, fault: str) -> RecordSummary:
    """Return the summary of a record from its columns."""
    return RecordSummary(decode_text(file), digest, bool(is_applied), fault)


def decode_all(texts: Iterable[str]) -> list[Any]:
    """Decode many JSON texts in one call of the decoder, which is faster."""
    import json  # imported here for start-up: a list of the state decodes nothing

    encoded = list(texts)
    try:
        decoded: list[Any] = json.loads(f"[{','.join(encoded)}]")
    except (ValueError, RecursionError, TypeError):
        decoded = []
    if len(decoded) != len(encoded):
        raise ConnectionFailed("store_corrupt", "what is recorded of a connection can't be read")
    return decoded


def decode_specs(rows: Sequence[tuple[str, str]]) -> list[Mapping[str, Any]]:
    """Return the specifications of connections, from their names and JSON texts.

    Raises:
        ConnectionFailed: `store_corrupt`, one can't be read, or has lost its content.
    """
    specs = decode_all(text for _, text in rows)
    for (name, _), spec in zip(rows, specs, strict=True):
        if not (isinstance(spec, dict) and spec.keys() >= _PARTS):
            raise ConnectionFailed("store_corrupt", f"what is recorded of {name} has lost its content")
    return specs


def encode_text(text: str) -> str:
    """Return text that a database can store. Text that is not printable, or starts with a quote, is encoded as JSON."""
    if text.isprintable() and not text.startswith('"'):
        return text
    import json  # few texts need it

    return json.dumps(text)


def decode_text(stored: str) -> str:
    """Return the text that was given to `encode_text`."""
    if not stored.startswith('"'):
        return stored
    import json  # as above

    return str(json.loads(stored))


def attempt_to_json(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as JSON data."""
    secrets = [secret._asdict() for secret in attempt.secrets]
    return attempt._asdict() | {"at": attempt.at.timestamp(), "by": attempt.by._asdict(), "secrets": secrets}


def attempt_from_json(plain: dict[str, Any]) -> Attempt:
    """Return the attempt of JSON data, which is changed."""
    plain["at"] = datetime.fromtimestamp(plain["at"], UTC)
    plain["by"] = Actor(**plain["by"])
    plain["stages"] = tuple(plain["stages"])
    plain["secrets"] = tuple([UsedSecret(**secret) for secret in plain["secrets"]])
    if plain.keys() <= _FIELDS:
        return Attempt(**plain)
    return Attempt(**{name: plain[name] for name in plain.keys() & _FIELDS})  # a newer version has written more fields
