"""The parts of a report that few verbs fill: the summary of a plan, what `doctor` found, the secret backends. Layer 3, no IO."""

from typing import TYPE_CHECKING, NamedTuple

from connform.faults import ExitCode

if TYPE_CHECKING:
    from connform.engine.changes.plan import Change


class BackendReport(NamedTuple):
    """One secret backend."""

    scheme: str
    """The scheme of its references, and the `type` of its stores."""
    form: str
    """The form of its references."""
    description: str
    """What a store of this type is."""
    package: str
    """The package that contains it."""
    missing: str
    """How to install a missing library or program; empty if none is missing."""


class DoctorFinding(NamedTuple):
    """One thing that `doctor` looked at."""

    section: str
    """What it belongs to: `secrets`, `network`, …"""
    name: str
    """What was looked at."""
    status: str
    """`ok`; `note`, which doesn't keep this manifest from working here; or `problem`, which does."""
    message: str
    """What was found."""
    hint: str = ""
    """What to do, or empty."""
    exit_code: ExitCode = ExitCode.OK
    """The exit code of a run with this problem alone."""


class PlanSummary(NamedTuple):
    """Facts about a whole plan."""

    digest: str
    """The digest of the plan, for `apply --expect-digest`."""
    refusals: tuple[str, ...]
    """The safety rules that refuse the plan unless `--force` is given."""
    unlisted: int = 0
    """How many connections there are with nothing to do that the report doesn't list."""
    changes: tuple["Change", ...] = ()
    """In a brief report, the changes; `Report.connections` lacks their connections then."""
    is_detailed: bool = False
    """Whether changes give exit code 2 (`--detailed-exitcode`)."""
