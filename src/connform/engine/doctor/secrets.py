"""The section `secrets` of `doctor`: whether secrets are there and stores open. Layer 3; calls the secret backends.

Plain secrets (variables and files) are looked at one by one. A store is logged in to; where it can't log in without reading, one
secret of it is read. No value is kept or shown.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from connform.engine.doctor.finding import failed, good, listed, note, problem
from connform.engine.doctor.places import Place, places_of
from connform.engine.doctor.requirements import missing_for_backend
from connform.engine.doctor.situation import Situation
from connform.engine.load.catalog import backend
from connform.engine.report_parts import DoctorFinding
from connform.engine.run.secret_resolver import RequestedSecret
from connform.engine.run.threads import at_most, call_each
from connform.errors import ConnectionFailed, SecretUnresolved
from connform.faults import ExitCode
from connform.secret import SecretReference

_AT_ONCE = 16
_GRACE_S = 0.5
"""How much longer than the time limit is waited for a store: its own message is better."""
_OTHERS = 0o077


def look(situation: Situation) -> Iterator[DoctorFinding]:
    """Yield the findings of all stores, asked side by side."""
    if situation.manifest is None:
        return
    users = places_of(situation.manifest)
    if not users:
        yield good("secrets", "this manifest needs none")
    ask = partial(_findings, situation, users)
    for place, future in call_each(ask, deque(users), at_most(_AT_ONCE), situation.timeout_s + _GRACE_S):
        try:
            yield from future.result(0)
        except TimeoutError:
            message = f"did not answer within {situation.timeout_s:g} s"
            yield problem(
                place.name, message, "see whether it is up and reachable", exit_code=ExitCode.SECRET_UNRESOLVED
            )
        except ConnectionFailed as failure:
            yield failed(place.name, failure)


def _findings(
    situation: Situation, users: dict[Place, dict[SecretReference, list[str]]], place: Place
) -> list[DoctorFinding]:
    references = users[place]
    if missing_for_backend(place.kind):
        return [note(place.name, f"not asked for its secrets ({len(references)}): see requirements")]
    if getattr(backend(place.kind), "is_plain", False):
        return list(_plain(situation, place, references))
    if situation.is_offline:
        return [note(place.name, "not asked (--offline)")]
    return [_store(situation, place, references)]


def _store(situation: Situation, place: Place, references: dict[SecretReference, list[str]]) -> DoctorFinding:
    """Return whether a store opens: log in, or read one secret."""
    opened = situation.source.read([RequestedSecret(one, place.base) for one in place.openings])
    if any(isinstance(outcome, SecretUnresolved) for outcome in opened):
        return note(place.name, "not opened: what opens it is missing, and listed here")
    if situation.source.log_in(place.scheme, place.base):
        return good(place.name, "logged in; no secret was read")
    (outcome,) = situation.source.read([RequestedSecret(next(iter(references)), place.base)])
    if isinstance(outcome, SecretUnresolved):
        return failed(place.name, outcome)
    return good(place.name, f"opened; of the secrets that are needed ({len(references)}), one was read and not shown")


def _plain(situation: Situation, place: Place, references: dict[SecretReference, list[str]]) -> Iterator[DoctorFinding]:
    outcomes = situation.source.read([RequestedSecret(one, place.base) for one in references])
    there = 0
    for (reference, connections), outcome in zip(references.items(), outcomes, strict=True):
        if isinstance(outcome, SecretUnresolved):
            message = f"{outcome.message.removesuffix(f' ({reference})')}; needed by {listed(connections)}"
            yield problem(str(reference), message, outcome.hint, exit_code=outcome.exit_code)
        else:
            there += 1
    if there:
        yield good(place.name, f"{there} of {len(references)} are there")
    if backend(place.kind).reads_files:
        yield from _open_to_others({_file(place, reference) for reference in references})


def _file(place: Place, reference: SecretReference) -> Path:
    """Return the file of a reference: that of its store, or in the folder that its store is."""
    path = place.base / (place.path or reference.path)
    return path / reference.path if path.is_dir() else path


def _open_to_others(files: set[Path]) -> Iterator[DoctorFinding]:
    for file in sorted(files):
        try:
            status = file.stat()
        except OSError:
            continue  # its own finding says so
        mode = stat.S_IMODE(status.st_mode)
        is_mine = status.st_uid == os.geteuid() and os.access(file, os.W_OK)  # no read-only mount, as of a container
        if mode & _OTHERS and is_mine:
            yield note(str(file), f"others of this machine may read it (mode {mode:04o})", f"chmod 600 {file}")
