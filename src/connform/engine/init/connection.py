"""A connection of a first manifest as text, with comments that say what else could stand there.

Layer 3, no IO.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from connform.engine.init.choices import BASE_URL, Choices
from connform.secrets import BACKENDS

_SIMPLE_BACKENDS = ("env", "dotenv", "file")
"""The backends that a first manifest offers: they need no installation and no setup."""
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._@/:-]*[A-Za-z0-9]")
_SEVERAL = 2
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off"})
"""Texts that YAML takes for something else."""


class Answers(NamedTuple):
    """What is known of a connection. An empty value is one that a person has to fill in."""

    name: str
    """Its name."""
    environment: str
    """Empty where the provider has none."""
    region: str
    """Empty where the environment has none."""
    settings: Mapping[str, str]
    """Setting → its value."""
    method: str
    """The auth method."""
    secrets: Mapping[str, str]
    """Secret → its reference."""
    variables: Mapping[str, str] = {}
    """Setting → the environment variable that has its value."""


def lines(choices: Choices, answers: Answers) -> Iterator[str]:
    """Yield the lines of a connection in the canonical layout."""
    yield f"  {answers.name}:"
    yield f"    provider: {choices.provider}"
    if choices.environments:
        comment = f" # {' | '.join(choices.environments)}" if len(choices.environments) >= _SEVERAL else ""
        yield f"    {_line('environment', answers.environment)}{comment}"
    if len(choices.regions(answers.environment)) >= _SEVERAL:
        yield f"    {_line('region', answers.region)} # {_regions(choices)}"
    own_root = BASE_URL in answers.settings
    for name, setting in choices.settings(answers.environment, answers.method, own_root=own_root).items():
        hint = f"{answers.variables[name]} has it; " if name in answers.variables else ""
        yield f"    {_line(name, answers.settings.get(name, ''))} # {hint}{setting.description or name}"
    yield f"    auth: # a secret is a reference: {', '.join(BACKENDS[name].form for name in _SIMPLE_BACKENDS)}"
    others = [name for name in choices.methods if name != answers.method]
    advice = "; else ".join(filter(None, (choices.methods[answers.method], ", ".join(others))))
    yield f"      method: {answers.method}" + (f" # {advice}" if advice else "")
    for key, value in {**choices.app(answers.method), **answers.secrets}.items():
        yield f"      {_line(key, value)}"
    yield "    # tags: [ci] # for --tag"


def to_fill_in(choices: Choices, answers: Answers) -> list[str]:
    """Return the keys of a connection that a person has to fill in."""
    has: dict[str, object] = {"environment": answers.environment or not choices.environments}
    has["region"] = answers.region or len(choices.regions(answers.environment)) < _SEVERAL
    has |= {name: answers.settings.get(name) for name in choices.settings(answers.environment, answers.method)}
    return [key for key, value in {**has, **answers.secrets}.items() if not value]


def references(choices: Choices, method: str, name: str) -> dict[str, str]:
    """Return a reference for each secret of a method: to the vendor's usual variable, else to one with the connection's name."""
    return {
        key: f"env://{next(iter(secret.get('variables', ())), _variable(name, key))}"
        for key, secret in choices.secrets(method)
    }


def flow_mapping(**values: str) -> str:
    """Return keys and values as YAML in one line."""
    return f"{{{', '.join(_line(key, value) for key, value in values.items())}}}"


def _variable(name: str, key: str) -> str:
    variable = re.sub(r"\W", "_", f"{name}_{key}").upper()
    return re.sub(r"^(?=[0-9])", "_", variable)


def _regions(choices: Choices) -> str:
    found = {name: ", ".join(choices.regions(name)) for name in choices.environments if choices.regions(name)}
    if len(choices.environments) == 1:
        return next(iter(found.values()))
    return "; ".join(f"{name}: {regions}" for name, regions in found.items())


def _line(key: str, value: str) -> str:
    """Return a key and its value as YAML; of an empty value, the key alone."""
    if not value:
        return f"{key}:"
    is_plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
    return f"{key}: {value if is_plain else json.dumps(value, ensure_ascii=False)}"
