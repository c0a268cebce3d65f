"""The verb `doctor`: looks at this machine for this manifest, all sections side by side, and returns a report.

Layer 3; reads manifests and starts the sections, which say what they ask.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import NamedTuple

from connform.engine.doctor import git, installation, manifest, network, requirements, secrets, state, variables
from connform.engine.doctor.finding import failed, problem
from connform.engine.doctor.situation import Situation
from connform.engine.load.manifest import read_manifest
from connform.engine.load.selection import EVERYTHING, Selection
from connform.engine.report import Report
from connform.engine.report_parts import DoctorFinding
from connform.engine.run.progress import SILENT, Progress, waiting_for
from connform.engine.run.secret_resolver import SecretResolver
from connform.engine.run.state_location import DEFAULT, StateLocation
from connform.engine.run.threads import at_most, call_each
from connform.errors import ConnectionFailed
from connform.faults import ExitCode

TIMEOUT_S = 10.0
"""How long a store or server may take by default."""
_GRACE_S = 2.0
"""How much longer a section may take: its stores and servers are asked side by side."""


class _Section(NamedTuple):
    title: str
    look: Callable[[Situation], Iterator[DoctorFinding]]


SECTIONS = (
    _Section("connform", installation.look),
    _Section("manifest", manifest.look),
    _Section("requirements", requirements.look),
    _Section("secrets", secrets.look),
    _Section("network", network.look),
    _Section("state", state.look),
    _Section("variables", variables.look),
    _Section("git", git.look),
)
"""In the order of the report."""


def doctor(
    files: Sequence[str] = (),
    selection: Selection = EVERYTHING,
    policies: Sequence[str] = (),
    *,
    state: StateLocation = DEFAULT,
    timeout_s: float = TIMEOUT_S,
    is_offline: bool = False,
    progress: Progress = SILENT,
) -> Report:
    """Return a report of what works here and what is missing for the selected connections.

    Args:
        files: manifests; empty for the default search, which may find none.
        selection: which connections.
        policies: policy files and folders that judge every connection.
        state: where the state database is.
        timeout_s: how long a store or server may take.
        is_offline: whether nothing is asked over the network.
        progress: is told which sections are waited for.

    Raises:
        UnknownConnection: the selection names no connection.
        NoBaseline: the Git revision to compare with can't be read.
    """
    started = perf_counter()
    found, validated = read_manifest(files, selection, policies)
    source = SecretResolver(found.stores if found is not None else {}, max_s=timeout_s)
    is_absent = {one.code for one in validated.diagnostics} == {"file-not-found"} and not files
    situation = Situation(found, validated, not is_absent, state, source, timeout_s, is_offline)
    try:
        findings = _look(situation, progress)
    finally:
        source.close()
    return Report(
        "doctor",
        validated.files,
        connection_count=validated.connection_count,
        elapsed_s=perf_counter() - started,
        findings=findings,
    )


def _look(situation: Situation, progress: Progress) -> tuple[DoctorFinding, ...]:
    """Return the findings of all sections; of one that takes too long, those that it had."""
    findings: dict[str, list[DoctorFinding]] = {section.title: [] for section in SECTIONS}

    def look(section: _Section) -> None:
        with waiting_for(section.title, progress):
            for finding in section.look(situation):
                findings[section.title].append(finding._replace(section=section.title))

    progress.begin("looking", len(SECTIONS))
    limit_s = situation.timeout_s + _GRACE_S
    for section, future in call_each(look, deque(SECTIONS), at_most(len(SECTIONS)), limit_s):
        try:
            future.result(0)
            continue
        except TimeoutError:
            message, hint = f"took longer than {limit_s:g} s", "see why what it asks is silent, or raise --timeout"
            found = problem(section.title, message, hint, exit_code=ExitCode.COULD_NOT_VERIFY)
        except ConnectionFailed as failure:
            found = failed(section.title, failure)
        findings[section.title].append(found._replace(section=section.title))
    return tuple(finding for section in SECTIONS for finding in findings[section.title])
