"""The verb `init`: a first manifest, a CI system's file and the lines for `.gitignore`, as text.

Layer 3; reads `connform/starters/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, NamedTuple

from connform import __version__
from connform.engine.load.catalog import DEFAULT_PROVIDER, own_methods, provider
from connform.manifest.document_schema import NAME
from connform.providers import catalog_entry
from connform.secrets import BACKENDS

MANIFEST = "connections.yaml"
_SIMPLE_BACKENDS = ("env", "dotenv", "file")
"""The backends that a first manifest offers: they need no installation and no setup."""
IGNORED = (".env", ".connform/")
"""The lines for `.gitignore`: local secrets, and the state database."""
CI_FILES = {"github": ".github/workflows/connform.yml", "gitlab": ".gitlab/connform.yml"}
"""The name of a CI system → the path of its file in the repository."""


class Answers(NamedTuple):
    """A person's answers about the first connection."""

    name: str
    """Its name."""
    environment: str
    """`sandbox`, `production` or `private`."""
    place: str
    """The region; in a private environment, the name of the instance."""
    auth: str
    """The auth method."""


def environments() -> list[str]:
    """Return the environments of the default provider."""
    return list(provider(DEFAULT_PROVIDER).shape.branches)


def regions(environment: str) -> list[str]:
    """Return the regions of an environment; empty for a private one."""
    return list(_keys(environment).get("region", {}).get("enum", ()))


def methods() -> dict[str, str]:
    """Return the auth methods of the default provider, each with the vendor's advice on when to choose it."""
    entry = catalog_entry(DEFAULT_PROVIDER)
    return {name: method["use"] for name, method in entry["auth"].items()} if entry else {}


def is_name(text: str) -> bool:
    """Whether a text is valid as the name of a connection."""
    return re.search(NAME, text) is not None


def is_instance(text: str) -> bool:
    """Whether a text is valid as the name of a private instance."""
    return re.search(_keys("private")["instance"]["pattern"], text) is not None


def manifest(answers: Answers) -> str:
    """Return a commented manifest with one connection, in the canonical layout."""
    if regions(answers.environment):
        all_regions = "; ".join(f"{name}: {', '.join(regions(name))}" for name in environments() if regions(name))
        place = f"region: {answers.place} # {all_regions}"
    else:
        place = f"instance: {answers.place} # https://{answers.place}.syngrafii.com; else base_url: https://…"
    lines = [
        f"  {answers.name}:",
        f"    environment: {answers.environment} # {' | '.join(environments())}",
        f"    {place}",
        f"    auth: # a secret is a reference: {', '.join(BACKENDS[name].form for name in _SIMPLE_BACKENDS)}",
        f"      method: {answers.auth} # {methods()[answers.auth]}; else {', '.join(one for one in methods() if one != answers.auth)}",
        *(f"      {key}: {value}" for key, value in _credential(answers)),
        "    # tags: [ci] # for --tag",
    ]
    return _starter("manifest.yaml") + "".join(f"{line}\n" for line in lines)


def next_steps(answers: Answers, ci: str) -> list[str]:
    """Return what the person must do next, in order; `ci` is the name of a CI system, or any other text for none."""
    values = [value for _, value in _credential(answers) if value.startswith("env://")]
    named = " and ".join(value.removeprefix("env://") for value in values)
    steps = ["connform validate", f"set {named} in the environment, then: connform check"]
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


def _credential(answers: Answers) -> Iterator[tuple[str, str]]:
    shape = own_methods(DEFAULT_PROVIDER)[answers.auth].shape
    properties: Any = shape.properties
    for key, schema in properties.items():
        if schema.get("x-secret"):  # even if the method doesn't require it: the provider may
            variable = re.sub(r"\W", "_", f"{answers.name}_{key}").upper()
            yield key, f"env://{re.sub(r'^(?=[0-9])', '_', variable)}"
        elif key in shape.required:
            yield key, schema["examples"][0]


def _keys(environment: str) -> dict[str, Any]:
    return dict(provider(DEFAULT_PROVIDER).shape.branches[environment].properties)


def _starter(name: str) -> str:
    return (files("connform") / "starters" / name).read_text("utf-8")
