"""Search for policy files in the folders `policies` beside manifests, with a diagnostic for each folder that has none.

Layer 3; lists folders.
"""

# ruff: noqa: PTH110, PTH112, PTH118, PTH119, PTH120, PTH208  (pathlib would cost start-up, also of the runs that have no policies)

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from connform.diagnostics import Diagnostic, Span
from connform.manifest.diagnose import diagnose_file
from connform.manifest.files import Source, is_manifest_name, read_one_revision

FOLDER = "policies"
"""The folder beside a manifest whose policies judge the connections declared in this folder's manifests."""
MANIFESTS = "connections"
"""The default folder of manifests. `FOLDER` may also lie beside it, instead of inside of it."""
_EXTENSIONS = (".yaml", ".yml")


class PolicyFiles(NamedTuple):
    """The policy files beside manifests."""

    files: dict[str, list[str]]
    """The policy files by the folder whose connections they judge."""
    problems: list[Diagnostic]
    """A diagnostic for each folder without a policy file, or with a file that is probably meant as one and isn't read."""


def policies_beside(sources: Iterable[Source], named: Sequence[str]) -> PolicyFiles:
    """Return the policy files beside manifests.

    Args:
        sources: the manifests.
        named: the paths of `--policy`. They are checked too; a folder that contains one of them is no problem.
    """
    files: dict[str, list[str]] = {}
    problems: dict[str, Diagnostic] = {}
    named_paths = [os.path.realpath(path) for path in named]
    for base, folder in {source.base: os.path.dirname(source.name) for source in sources}.items():
        for path in _candidate_folders(base, folder):
            found, reason = read_one_revision(path, _list_policy_files)
            if found:
                files.setdefault(base, []).extend(found)
            real = os.path.realpath(path)
            if reason and not any(
                named_path == real or named_path.startswith(real + os.sep) for named_path in named_paths
            ):
                problems[real] = diagnose_file("policy-unreadable", reason, Span(path, 1, 1, 1, 1))
    for path in filter(os.path.isdir, named):
        found, reason = read_one_revision(path, _list_policy_files)
        if found and reason:  # if it has none, `load_sources` reports it
            problems[os.path.realpath(path)] = diagnose_file("policy-unreadable", reason, Span(path, 1, 1, 1, 1))
    return PolicyFiles(files, list(problems.values()))


def _candidate_folders(base: str, folder: str) -> Iterator[str]:
    yield os.path.join(folder, FOLDER)
    if os.path.basename(base) == MANIFESTS:
        yield os.path.normpath(os.path.join(folder, os.pardir, FOLDER))


def _list_policy_files(folder: str) -> tuple[list[str], str]:  # noqa: PLR0911  (a table of reasons)
    """Return the policy files of a folder, and a problem: why it has none, or why a file isn't read.

    Both are empty if the folder doesn't exist.
    """
    if not os.path.lexists(folder):
        return [], ""
    if not os.path.exists(folder):
        return [], "the link leads nowhere: correct it, or check out what it leads to"
    if not os.path.isdir(folder):
        return [], "this is a file, and policies lie in a folder of this name: make it one, or rename the file"
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        return [], f"the folder can't be listed: {error.strerror}"
    if not names:
        return [], "the folder is empty; if it is a submodule, `git submodule update --init` fills it"
    files = [os.path.join(folder, name) for name in names if is_manifest_name(name)]
    if other := next(
        (name for name in names if name.lower().endswith(_EXTENSIONS) and not name.endswith(_EXTENSIONS)), ""
    ):
        return files, f"`{other}` is not read: write the ending of its name in small letters"
    if files:
        return files, ""
    subfolders = (name for name in names if _holds_policies(os.path.join(folder, name)))
    if subfolder := next(subfolders, ""):
        path = os.path.join(folder, subfolder)
        return [], f"folders inside of it are not searched: name this one by `--policy {path}`, or move its files up"
    return [], "it holds no *.yaml and no *.yml file: add a policy, or rename the folder if it is about something else"


def _holds_policies(folder: str) -> bool:
    return any(name.lower().endswith(_EXTENSIONS) for _, _, names in os.walk(folder) for name in names)
