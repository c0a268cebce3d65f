"""engine/load/outlines.json is made from the code and the catalogue; `CONNFORM_UPDATE=1 pytest tests/manifest/test_outlines.py` writes it anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from connform.auth import METHODS
from connform.engine.load.outlines import FILE
from connform.engine.load.vocabulary import vocabulary
from connform.manifest.shape import Shape
from connform.providers import PROVIDERS
from connform.secrets import BACKENDS

UPDATE = bool(os.environ.get("CONNFORM_UPDATE"))  # read here: tests start from a clean environment


def outline(shape: Shape) -> dict[str, Any]:
    """What the file says of a shape; what is empty is left out."""
    parts = {
        "keys": {key: described(part) for key, part in shape.properties.items()},
        "discriminator": shape.discriminator,
        "default": shape.default,
        "branches": {name: outline(branch) for name, branch in shape.branches.items()},
    }
    return {name: part for name, part in parts.items() if part}


def described(part: Any) -> Any:
    if isinstance(part, Shape):
        return outline(part)
    return "secret" if part.get("x-secret") else "plain"


def lines(names: Iterable[str], shapes: Mapping[str, Shape]) -> str:
    return ",\n".join(f"{json.dumps(name)}: {json.dumps(outline(shapes[name]))}" for name in names)


def test_the_outlines_say_what_the_code_says() -> None:
    everything = vocabulary()
    auth: Any = everything.connection.properties["auth"]
    tables = {
        "providers": lines(PROVIDERS, everything.connection.branches),
        "methods": lines(METHODS, auth.branches),
        "backends": lines(BACKENDS, everything.store.branches),
    }
    text = "{" + ",\n".join(f'"{name}": {{\n{rows}\n}}' for name, rows in tables.items()) + "}\n"
    if UPDATE:
        Path(FILE).write_text(text, "utf-8")
    assert Path(FILE).read_text("utf-8") == text, "run this test with CONNFORM_UPDATE=1 in the environment to write it"


MISTAKES = {
    "a key like one of its own": ("region: us", "regoin: us", "did you mean `region`?"),
    "a key of another provider": ("region: us", "region: us\n    subdomain: acme", "belongs to another `provider`"),
    "a key of another method": (
        "method: api_key",
        "method: api_key\n      client_id: acme",
        "belongs to `method: oauth2`",
    ),
    "a key of nothing": ("region: us", "region: us\n    frobnicate: us", "is not allowed in this entry"),
    "a pasted secret": ("env://ACME_KEY", "acme", "a value stands where a secret reference belongs"),
    "a warning": ("connections:", "templates:\n  spare: {owner: acme}\nconnections:", "warning[unused-template]"),
}
MANIFEST = """version: 1
connections:
  acme:
    environment: sandbox
    region: us
    auth:
      method: api_key
      api_key: env://ACME_KEY
"""
PROGRAM = """
import sys
opened = []
sys.addaudithook(lambda event, values: opened.append(str(values[0])) if event == "open" else None)
from connform.cli.main import main
main(["validate", sys.argv[1]])
print(sum("/catalog/" in name.replace(chr(92), "/") for name in opened), *sorted(name for name in sys.modules if name.startswith("connform.auth.")), file=sys.stderr)
"""


DECLARED = """providers:
  acme/own:
    title: Own
    root: https://api.acme.example
    auth:
      api_key:
        use: all
        secrets: {api_key: {}}
        headers: {X-Api-Key: "{api_key}"}
    check: {method: GET, path: /me, description: the account}
    answers:
      - {status: [200], means: ready, body: {type: object, required: [id]}}
    sources: [{url: "https://api.acme.example/docs", read: 2026-11-29}]
"""


def validate(file: Path) -> tuple[str, int, set[str]]:
    """What it says, how many files of the catalogue it opens, and which auth methods it imports."""
    command = [sys.executable, "-c", PROGRAM, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    number, *modules = done.stderr.split()
    return done.stdout, int(number), set(modules)


@pytest.mark.parametrize(("part", "instead", "said"), MISTAKES.values(), ids=MISTAKES)
def test_one_mistake_does_not_read_the_catalogue(part: str, instead: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(MANIFEST.replace(part, instead))
    told, number, modules = validate(file)
    assert said in told
    assert number == 1
    assert "connform.auth.jwt_bearer" not in modules


def test_a_declared_provider_does_not_read_the_catalogue(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    own = MANIFEST.replace("environment: sandbox\n    region: us", "provider: acme/own")
    file.write_text(own.replace("connections:", f"{DECLARED}connections:"))
    told, number, _ = validate(file)
    assert "no errors" in told
    assert number == 0
