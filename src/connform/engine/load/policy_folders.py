"""Finds the policy files beside manifests, and says why a folder `policies` that is there has none.

Layer 3; lists folders.
"""

# ruff: noqa: PTH110, PTH112, PTH118, PTH119, PTH120, PTH208  (pathlib would cost start-up, also of the runs that have no policies)

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from connform.diagnostics import Span
from connform.manifest.diagnose import diagnose_file
from connform.manifest.files import is_manifest_name, read_one_revision

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from connform.diagnostics import Diagnostic
    from connform.manifest.files import Source

FOLDER: Final = "policies"
"""The folder beside a manifest whose policies judge the connections declared in this folder's manifests."""
MANIFESTS: Final = "connections"
"""The folder of manifests that a run looks for by itself: beside it, `FOLDER` counts as well."""
_ENDINGS: Final = (".yaml", ".yml")


class PolicyFiles(NamedTuple):
    """What lies beside manifests."""

    files: dict[str, list[str]]
    """The policy files by the folder whose connections they judge."""
    problems: list[Diagnostic]
    """One for each `policies` that is there, and yields nothing."""


def policies_beside(sources: Iterable[Source], named: Sequence[str]) -> PolicyFiles:
    """Return the policy files beside manifests.

    Args:
        sources: the manifests.
        named: the paths that `--policy` names; a folder of which they name a part is no problem.
    """
    files: dict[str, list[str]] = {}
    problems: dict[str, Diagnostic] = {}
    taken = [os.path.realpath(path) for path in named]
    for base, folder in {source.base: os.path.dirname(source.name) for source in sources}.items():
        for place in _places(base, folder):
            found, reason = read_one_revision(place, _look)
            if found:
                files.setdefault(base, []).extend(found)
            real = os.path.realpath(place)
            if reason and not any(path == real or path.startswith(real + os.sep) for path in taken):
                problems[real] = diagnose_file("policy-unreadable", reason, Span(place, 1, 1, 1, 1))
    for place in filter(os.path.isdir, named):
        found, reason = read_one_revision(place, _look)
        if found and reason:  # without any, whoever reads it says so
            problems[os.path.realpath(place)] = diagnose_file("policy-unreadable", reason, Span(place, 1, 1, 1, 1))
    return PolicyFiles(files, list(problems.values()))


def _places(base: str, folder: str) -> Iterator[str]:
    yield os.path.join(folder, FOLDER)
    if os.path.basename(base) == MANIFESTS:
        yield os.path.normpath(os.path.join(folder, os.pardir, FOLDER))


def _look(place: str) -> tuple[list[str], str]:  # noqa: PLR0911  (a table of reasons)
    """Return the policy files of a folder, and why there is none, or why one that seems meant is none; nothing of no folder."""
    if not os.path.lexists(place):
        return [], ""
    if not os.path.exists(place):
        return [], "the link leads nowhere: correct it, or check out what it leads to"
    if not os.path.isdir(place):
        return [], "this is a file, and policies lie in a folder of this name: make it one, or rename the file"
    try:
        names = sorted(os.listdir(place))
    except OSError as error:
        return [], f"the folder can't be listed: {error.strerror}"
    if not names:
        return [], "the folder is empty; if it is a submodule, `git submodule update --init` fills it"
    files = [os.path.join(place, name) for name in names if is_manifest_name(name)]
    if other := next((name for name in names if name.lower().endswith(_ENDINGS) and not name.endswith(_ENDINGS)), ""):
        return files, f"`{other}` is not read: write the ending of its name in small letters"
    if files:
        return files, ""
    below = (name for name in names if _holds_policies(os.path.join(place, name)))
    if deeper := next(below, ""):
        where = os.path.join(place, deeper)
        return [], f"folders inside of it are not searched: name this one by `--policy {where}`, or move its files up"
    return [], "it holds no *.yaml and no *.yml file: add a policy, or rename the folder if it is about something else"


def _holds_policies(folder: str) -> bool:
    return any(name.lower().endswith(_ENDINGS) for _, _, names in os.walk(folder) for name in names)
