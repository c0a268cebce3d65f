"""Connections from the names of environment variables: which provider's secrets and settings they are.

Layer 3; reads files of the package. It gets names and no values. A name is known if a provider's file lists it under `variables`,
also with the word of a stage before or behind it: `STRIPE_SECRET_KEY_TEST` belongs to a connection `stripe-test`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from connform.engine.init.choices import Choices
from connform.engine.init.connection import Answers
from connform.providers import GROUPS

_STAGES = "prod|production|live|staging|stage|test|sandbox|dev|qa|uat|ci"
_STAGED = re.compile(rf"(?:(?P<before>{_STAGES})_)?(?P<name>.+?)(?:_(?P<behind>{_STAGES}))?", re.IGNORECASE)


class Recognized(NamedTuple):
    """What names of variables stand for."""

    connections: list[tuple[Choices, Answers]]
    """The connections, by provider."""
    unused: list[str]
    """The names that no connection uses."""


class _Match(NamedTuple):
    """The variables of one provider and stage."""

    secrets: dict[tuple[str, str], str]
    """Method and secret → the variable."""
    settings: dict[str, str]
    """Setting → the variable."""


def recognize(names: Collection[str], scheme: str) -> Recognized:
    """Return the connections that names of variables make.

    Args:
        names: the names of the variables.
        scheme: that of references to them: `env`, or the name of a store.
    """
    choices = {name: Choices(name) for name in GROUPS}
    found = {(name, stage): match for name in GROUPS for stage, match in _matches(choices[name], names)}
    connections = [
        (choices[name], _answers(choices[name], stage, match, scheme))
        for (name, stage), match in found.items()
        if match.secrets
    ]
    used = {
        variable
        for _, answers in connections
        for variable in (*answers.variables.values(), *(text.partition("://")[2] for text in answers.secrets.values()))
    }
    return Recognized(connections, sorted({*names} - used))


def _matches(choices: Choices, names: Collection[str]) -> Iterator[tuple[str, _Match]]:
    """Yield each stage with the variables of a provider."""
    by_stage: dict[str, dict[str, str]] = {}
    for name in names:
        by_stage.setdefault("", {})[name] = name
        staged = _STAGED.fullmatch(name)
        if staged and (stage := staged["before"] or staged["behind"]):
            by_stage.setdefault(stage.lower(), {})[staged["name"]] = name
    for stage, known in by_stage.items():
        secrets = {
            (method, key): variable
            for method, key, variables in choices.secret_variables()
            if (variable := _first(variables, known))
        }
        settings = {
            key: variable
            for key, variables in choices.setting_variables().items()
            if (variable := _first(variables, known))
        }
        if secrets:
            yield stage, _Match(secrets, settings)


def _first(variables: Iterable[str], known: Mapping[str, str]) -> str:
    return next((known[name] for name in variables if name in known), "")


def _answers(choices: Choices, stage: str, match: _Match, scheme: str) -> Answers:
    method = max(choices.methods, key=lambda one: _fitness(choices, one, match))
    needed = {name: match.secrets.get((method, name), "") for name, _ in choices.secrets(method)}
    optional = {name: variable for (one, name), variable in match.secrets.items() if one == method}
    secrets = {key: f"{scheme}://{variable}" if variable else "" for key, variable in (needed | optional).items()}
    environment = _environment(choices, stage)
    settings = choices.settings(environment, method)
    variables = {key: variable for key, variable in match.settings.items() if key in settings}
    name = f"{choices.provider}-{stage}" if stage else choices.provider
    regions = choices.regions(environment)
    region = regions[0] if len(regions) == 1 else ""
    return Answers(name, environment, region, {}, method, secrets, variables)


def _fitness(choices: Choices, method: str, match: _Match) -> tuple[bool, int]:
    """Return whether all secrets of a method are there, and how many are."""
    have = [key for one, key in match.secrets if one == method]
    return all(key in have for key, _ in choices.secrets(method)) and bool(have), len(have)


def _environment(choices: Choices, stage: str) -> str:
    """Return the environment of a stage's name; the only one where there is nothing to choose; else empty."""
    names = list(choices.environments)
    return names[0] if len(names) == 1 else stage if stage in names else ""
