"""Applied records: what is recorded of connections that were applied; no secret and no hash of one.

Layer 0, no IO: `engine/` finds the facts, `database/` keeps them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import TypeAlias

    Brief: TypeAlias = tuple[str, str, str, float | None, str, str, str]
    """The little that a list shows of every connection, a row as the store has it: its name; and of the latest attempt
    `verdict`, `fault`, `latency_ms`, `certificate_expires_at`, `at` in ISO 8601, and `by`, what can't be printed replaced."""

    Former: TypeAlias = tuple[str, Mapping[str, Any]]
    """A connection's name, and a specification that was recorded of it once."""


class Actor(NamedTuple):
    """Who did it."""

    user: str
    """The account."""
    host: str
    """The machine."""
    job: str = ""
    """The URL or number of the CI job, or empty."""

    def __str__(self) -> str:
        return f"{self.user}@{self.host}" + (f" ({self.job})" if self.job else "")


class UsedSecret(NamedTuple):
    """A secret that an attempt used: where it lies, never what it is."""

    key: str
    """The key under `auth:`."""
    reference: str
    """The reference."""
    version: str
    """The version that was read, where the backend has versions; else empty."""


class Attempt(NamedTuple):
    """One connection in one run of `apply`, and what came of it."""

    at: datetime
    """When it ended, aware UTC."""
    by: Actor
    """Who."""
    action: str
    """`create` or `update`; `remove` where that failed."""
    digest: str
    """The digest of the specification that was tried."""
    base_url: str
    """Resolved API root."""
    auth_method: str
    """`api_key`, `oauth2`, `bearer`."""
    verdict: str
    """`ready`, `failed` or `unknown`."""
    fault: str = ""
    """The class of the failure, or empty."""
    stages: tuple[Mapping[str, Any], ...] = ()
    """Each with `name`, `status` and `elapsed_ms`."""
    latency_ms: float | None = None
    """The request and its whole answer; `None` where there was none."""
    certificate_expires_at: str = ""
    """ISO 8601, or empty."""
    secrets: tuple[UsedSecret, ...] = ()
    """What it used."""


class RecordSummary(NamedTuple):
    """The little of a record that tells whether there is something to do: it is read of every connection."""

    file: str
    """As `Record.file`."""
    digest: str
    """As `Record.digest`."""
    is_applied: bool
    """Whether the latest attempt went well, so that nothing is left to do."""
    fault: str
    """The class of the latest attempt's failure, or empty."""


class Applied(NamedTuple):
    """What was applied of one connection, without how that went."""

    connection: str
    """Its name."""
    mark: RecordSummary
    """What tells whether there is something to do."""
    spec: Mapping[str, Any]
    """As `Record.spec`."""


class AppliedRecord(NamedTuple):
    """What is recorded of one connection."""

    connection: str
    """Its name."""
    file: str
    """Its manifest: the path in its repository."""
    digest: str
    """The digest of the specification that was applied last; empty where none ever went well."""
    spec: Mapping[str, Any]
    """That specification, or the one that was tried first."""
    latest: Attempt
    """The latest attempt, good or bad."""

    @property
    def is_applied(self) -> bool:
        """Whether the latest attempt went well, so that nothing is left to do."""
        return self.latest.verdict == "ready" and self.latest.digest == self.digest

    @property
    def brief(self) -> Brief:
        """What a list shows of it."""
        latest = self.latest
        at = latest.at.isoformat(timespec="seconds")
        by = "".join(char if char.isprintable() else "�" for char in str(latest.by))
        ends_at = latest.certificate_expires_at
        return self.connection, latest.verdict, latest.fault, latest.latency_ms, ends_at, at, by
