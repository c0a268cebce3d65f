"""The section `requirements` of `doctor`: libraries and programs that connform's optional parts need. Layer 3; looks for files.

What this manifest needs and lacks is a problem; all else that is lacking stands in one line.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator

from connform.engine.doctor.finding import failed, good, listed, note, problem
from connform.engine.doctor.situation import Situation
from connform.engine.load.catalog import backend, method_of
from connform.engine.report_parts import DoctorFinding
from connform.environment import variable
from connform.errors import ConnectionFailed
from connform.faults import ExitCode
from connform.manifest.decode import Manifest
from connform.programs import find_program
from connform.secrets import BACKENDS
from connform.secrets.kit.interface import HasRequirements
from connform.secrets.kit.requirements import missing_library

_DOT = "dot"
_JWT = ("jwt", "pip install pyjwt")
_POSTGRES = ("psycopg", "pip install 'psycopg[binary]'")
_SERVERS = ("uvicorn", "pip install uvicorn")
_METRICS = ("prometheus_client", "pip install prometheus-client")
_SIMULATOR = ("trustme", "pip install trustme")
"""The module of a library, and how to install it: those of the extras `jwt`, `postgres`, `proxy`, `monitor` and `simulator`."""


def look(situation: Situation) -> Iterator[DoctorFinding]:
    """Yield a finding for each part that this manifest needs, then one line for all others."""
    used = users_of_backends(situation.manifest) if situation.manifest is not None else {}
    found = [_backend_finding(scheme, users) for scheme, users in used.items()]
    yield from (one for one in found if one.message)
    if whole := [one.name for one in found if not one.message]:
        yield good("needed", f"{', '.join(whole)}: all that they need is installed")
    signing = _signing(situation.manifest) if situation.manifest is not None else []
    if signing:
        yield _finding("JWTs", missing_library(*_JWT), signing, ExitCode.INVALID, "PyJWT is installed")
    on_server = situation.state.url.lower().startswith("postgres")
    if on_server:
        yield _finding(
            "PostgreSQL", missing_library(*_POSTGRES), ["--state"], ExitCode.SECRET_UNRESOLVED, "psycopg is installed"
        )
    yield from _others(used, is_signing=bool(signing), on_server=on_server, is_known=situation.manifest is not None)


def users_of_backends(manifest: Manifest) -> dict[str, list[str]]:
    """Return the backends that the selected connections need, each with the connections and stores that do."""
    used: dict[str, list[str]] = {}
    for connection in manifest.values():
        for reference in connection.references.values():
            store = manifest.stores.get(reference.scheme)
            kinds = (store.type, *(one.scheme for one in store.references.values())) if store else (reference.scheme,)
            for kind in kinds:
                users = used.setdefault(kind, [])
                if connection.name not in users:
                    users.append(connection.name)
    return used


def missing_for_backend(scheme: str) -> str:
    """Return how to install what a backend needs; empty if nothing is missing, or the backend can't be loaded."""
    kind = backend(scheme)
    return kind.missing() if isinstance(kind, HasRequirements) else ""


def to_install(missing: str) -> str:
    """Return the advice for what `missing` names: a command of pip, or a program."""
    if missing.startswith("pip install "):  # `-I`: no module of the working directory is run
        command = f"{sys.executable} -I -m {missing}"
        if missing_library("pip", missing):  # as in an environment of uv
            command = f"uv pip install --python {sys.executable} {missing.removeprefix('pip install ')}"
        return f"install it where connform is: {command}"
    return f"install {missing}, or add its folder to PATH"


def _backend_finding(scheme: str, users: list[str]) -> DoctorFinding:
    try:
        missing = missing_for_backend(scheme)
        programs = [find_program(name, variable("PATH")) for name in getattr(backend(scheme), "programs", ())]
    except ConnectionFailed as failure:  # a plug-in
        return failed(f"{scheme}://", failure)
    return _finding(f"{scheme}://", missing, users, ExitCode.SECRET_UNRESOLVED, ", ".join(filter(None, programs)))


def _finding(name: str, missing: str, users: list[str], exit_code: ExitCode, where: str) -> DoctorFinding:
    if missing:
        message = f"missing: {missing.removeprefix('pip install ')}; needed by {listed(users)}"
        return problem(name, message, to_install(missing), exit_code=exit_code)
    return good(name, where)


def _signing(manifest: Manifest) -> list[str]:
    """Return the connections that sign JWTs."""
    return [
        name
        for name, one in manifest.items()
        if "jwt" in one.auth.settings or "jwt" in getattr(method_of(one), "defaults", ())
    ]


def _others(used: Collection[str], *, is_signing: bool, on_server: bool, is_known: bool) -> Iterator[DoctorFinding]:
    lacking: dict[str, list[str]] = {}
    for scheme in (one for one in BACKENDS if one not in used):
        if missing := missing_for_backend(scheme):
            lacking.setdefault(missing, []).append(f"{scheme}://")
    others = {
        "JWTs": "" if is_signing else missing_library(*_JWT),
        "state in PostgreSQL": "" if on_server else missing_library(*_POSTGRES),
        "the simulator": missing_library(*_SIMULATOR),
        "the proxy and monitor": missing_library(*_SERVERS),
        "metrics of monitor": missing_library(*_METRICS),
        "drawing SVG": "" if find_program(_DOT, variable("PATH")) else f"the program {_DOT}",
    }
    for what, missing in others.items():
        if missing:
            lacking.setdefault(missing, []).append(what)
    if lacking:
        text = "; ".join(f"{', '.join(parts)} ({missing})" for missing, parts in lacking.items())
        yield note("others", f"{'not needed here and ' if is_known else ''}not installed: {text}")
    else:
        yield good("others", "all optional parts are installed")
