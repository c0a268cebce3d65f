"""Applied records: what is recorded of connections that were applied; no secret and no hash of one.

Layer 0, no IO: `engine/` makes the records, `database/` stores them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

StateRow: TypeAlias = tuple[str, str, str, float | None, str, str, str]
"""What a list shows of one connection: its name, and of its latest attempt (a row of the state database) or check `verdict`, `fault`, `latency_ms`, `certificate_expires_at`, `at` in ISO 8601, and `by`, without characters that can't be printed."""

ListRow: TypeAlias = tuple[str, str, str, float | None, str, str, str, str]
"""A `StateRow` of the latest attempt or check, and since when the connection has had this verdict, in ISO 8601; empty if no check is
recorded."""

EarlierSpec: TypeAlias = tuple[str, Mapping[str, Any]]
"""A connection's name, and a specification that was recorded of it earlier."""


class Actor(NamedTuple):
    """Who made an attempt."""

    user: str
    """The user's account."""
    host: str
    """The machine."""
    job: str = ""
    """The URL or number of the CI job, or empty."""

    def __str__(self) -> str:
        return f"{self.user}@{self.host}" + (f" ({self.job})" if self.job else "")


class UsedSecret(NamedTuple):
    """The reference of a secret that an attempt used; never its value."""

    key: str
    """The key under `auth:`, or `proxy.password`."""
    reference: str
    """The reference."""
    version: str
    """The version that was read; empty where the backend has no versions."""


class Attempt(NamedTuple):
    """One connection in one run of `apply`, and the result."""

    at: datetime
    """When it ended, aware UTC."""
    by: Actor
    """Who made it."""
    action: str
    """`create` or `update`; `remove` for a removal that failed."""
    digest: str
    """The digest of the specification that was tried."""
    base_url: str
    """The API root."""
    auth_method: str
    """`api_key`, `oauth2`, `bearer`."""
    verdict: str
    """`ready`, `failed` or `unknown`."""
    fault: str = ""
    """The fault, or empty."""
    stages: tuple[Mapping[str, Any], ...] = ()
    """The stages, each with `name`, `status` and `elapsed_ms`."""
    latency_ms: float | None = None
    """Time of the check request until the end of its answer; `None` where there was no answer."""
    certificate_expires_at: str = ""
    """When the server's certificate expires, ISO 8601; or empty."""
    secrets: tuple[UsedSecret, ...] = ()
    """The secrets that it used."""


class RecordSummary(NamedTuple):
    """The part of a record that decides whether a change is needed; a plan reads it for every connection."""

    file: str
    """As `AppliedRecord.file`."""
    digest: str
    """As `AppliedRecord.digest`."""
    is_applied: bool
    """Whether the latest attempt applied this specification successfully."""
    fault: str
    """The fault of the latest attempt, or empty."""


class Applied(NamedTuple):
    """A record without its latest attempt."""

    connection: str
    """Its name."""
    summary: RecordSummary
    """The record's summary."""
    spec: Mapping[str, Any]
    """As `AppliedRecord.spec`."""


class AppliedRecord(NamedTuple):
    """What is recorded of one connection."""

    connection: str
    """Its name."""
    file: str
    """Its manifest, as a path in the repository."""
    digest: str
    """The digest of the last specification that was applied; empty where none was applied successfully."""
    spec: Mapping[str, Any]
    """That specification; where none was applied successfully, the one that was tried last."""
    latest: Attempt
    """The latest attempt, successful or not."""

    @property
    def is_applied(self) -> bool:
        """Whether the latest attempt applied this specification successfully."""
        return self.latest.verdict == "ready" and self.latest.digest == self.digest

    @property
    def row(self) -> StateRow:
        """The row that a list shows."""
        latest = self.latest
        result = latest.verdict, latest.fault, latest.latency_ms, latest.certificate_expires_at
        return self.connection, *result, *time_and_actor(latest.at, latest.by)


def time_and_actor(at: datetime, by: Actor) -> tuple[str, str]:
    """Return the last two values of a `StateRow`."""
    return at.isoformat(timespec="seconds"), "".join(char if char.isprintable() else "�" for char in str(by))


def list_row(attempt: StateRow | None, check: StateRow | None, since: str) -> ListRow:
    """Return the row of the later one of the latest attempt and the latest check of a connection; one of them may be `None`.

    Args:
        attempt: the row of the attempt.
        check: the row of the check.
        since: since when all checks had its verdict, ISO 8601.
    """
    if attempt is None or (check is not None and check[5] >= attempt[5]):
        assert check is not None  # noqa: S101  (as said above)
        return *check, since
    if check is None:
        return *attempt, ""
    return *attempt, since if check[1] == attempt[1] else attempt[5]
