"""The files of the verb `init`: the manifest around its connections, a CI system's file, the lines for `.gitignore`, as text.

Layer 3; reads `connform/starters/`.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files

from connform import __version__

MANIFEST = "connections.yaml"
IGNORED = (".env", ".connform/")
"""The lines for `.gitignore`: local secrets, and the state database."""
CI_FILES = {"github": ".github/workflows/connform.yml", "gitlab": ".gitlab/connform.yml"}
"""The name of a CI system → the path of its file in the repository."""
_STORES = "# stores:"


def manifest(connections: Iterable[str], store: str = "") -> str:
    """Return a commented manifest.

    Args:
        connections: the lines of its connections.
        store: the line of a store, in place of the example of one; empty for the example.
    """
    head = _starter("manifest.yaml")
    if store:
        before, _, example = head.partition(_STORES)
        after = example.split("\n", 2)[2]
        head = f"{before}stores: # where secrets lie, apart from who uses them\n  {store}\n{after}"
    return head + "".join(f"{line}\n" for line in connections)


def ci_steps(ci: str) -> list[str]:
    """Return what the person must do next with a CI system's file; nothing for another text."""
    steps = []
    if ci in CI_FILES:
        steps.append(f"write into {CI_FILES[ci]} where your copy of connform is: its address there is an example")
    if ci == "gitlab":
        steps.append(f"include it in .gitlab-ci.yml: `include: [{{local: {CI_FILES[ci]}}}]`")
    return steps


def ci_file(system: str) -> str:
    """Return the content of a CI system's file, for this version of connform."""
    return _starter(f"{system}.yml").replace("VERSION", __version__)


def ignore(text: str) -> str:
    """Return the text of a `.gitignore` with the missing lines of `IGNORED` added."""
    present = {line.strip().strip("/") for line in text.splitlines()}
    missing = [line for line in IGNORED if line.strip("/") not in present]
    return (
        text + ("\n" if missing and text and not text.endswith("\n") else "") + "".join(f"{line}\n" for line in missing)
    )


def _starter(name: str) -> str:
    return (files("connform") / "starters" / name).read_text("utf-8")
