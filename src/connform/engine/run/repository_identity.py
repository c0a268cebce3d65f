"""The identity of a repository, by which a shared state database knows to which one it belongs. Layer 3; runs git.

A repository has a first commit and an origin. A shallow clone has no first commit, and a new repository no origin: two
identities are compared by what both have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from connform.engine.load.git_output import git_output
from connform.environment import variable

Identity: TypeAlias = "Mapping[str, str]"
"""What is known of a repository: `name`, `origin` and `first_commit`, each only if there is one."""
_HOSTED = r"(?i)(?:(?!file:)[a-z+]+://)?(?:[^@/]*@)?([^:/@]+)(?::[0-9]+)?[:/]+(.+?)(?:\.git)?/?"
"""Matches host and path of the URL of a repository, with or without a scheme; a path of this machine has no host."""


def identity_of(root: Path | None, name: str) -> Identity:
    """Return the identity of a repository.

    Args:
        root: its root; `None` if it is unknown.
        name: what `--repository` says, which is then the whole identity; empty for nothing.
    """
    if name:
        return {"name": name}
    if root is None or not (root / ".git").exists():
        found = {"origin": _hosted(_origin_of_job())}
    else:
        origin = git_output(root, "config", "--get", "remote.origin.url") or b""
        found = {"origin": _hosted(origin.decode(errors="replace").strip()), "first_commit": _first_commit(root)}
    return {kind: text for kind, text in found.items() if text}


def are_different(one: Identity, other: Identity) -> bool:
    """Whether two identities are those of different repositories: they differ in all that both have."""
    common = one.keys() & other.keys()
    return bool(common) and all(one[kind] != other[kind] for kind in common)


def describe(identity: Identity) -> str:
    """Return what names a repository to a person."""
    first_commit = identity.get("first_commit", "")[:12]
    return identity.get("name") or identity.get("origin") or f"the one that begins with commit {first_commit}"


def _first_commit(root: Path) -> str:
    """Return the id of the first commit; empty in a shallow clone. The first of several, where histories were merged."""
    if git_output(root, "rev-parse", "--is-shallow-repository") != b"false\n":
        return ""
    commits = git_output(root, "rev-list", "--max-parents=0", "HEAD") or b""
    return min(commits.decode().split(), default="")


def _origin_of_job() -> str:
    """Return the address of the repository of a CI job, whose checkout may have no `.git`; empty elsewhere."""
    repository = variable("GITHUB_REPOSITORY")
    return f"{variable('GITHUB_SERVER_URL')}/{repository}" if repository else variable("CI_PROJECT_URL")


def _hosted(url: str) -> str:
    match = re.fullmatch(_HOSTED, url)
    return f"{match[1]}/{match[2].strip('/')}".lower() if match and not url.startswith("/") else ""
