"""A manifest with a connection for every auth method of every provider of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable

from connform.engine.init import connection, files
from connform.engine.init.choices import Choices
from connform.providers import GROUPS

NAMES = sorted(GROUPS)


def manifest(names: Iterable[str] = NAMES, *, usual_only: bool = False) -> str:
    """Return a manifest; with `usual_only`, it has the first auth method of each provider alone.

    The connections are named `PROVIDER.METHOD`, or as the provider alone. Their settings are the examples that the files give.
    """
    return files.manifest(line for name in names for line in _lines(Choices(name), usual_only=usual_only))


def _lines(choices: Choices, *, usual_only: bool) -> Iterable[str]:
    for method in list(choices.methods)[: 1 if usual_only else None]:
        environment = next(iter(choices.environments), "")
        region = next(iter(choices.regions(environment)), "")
        settings = {key: one.examples[0] for key, one in choices.settings(environment, method).items()}
        name = choices.provider if usual_only else f"{choices.provider}.{method}"
        secrets = connection.references(choices, method, name)
        yield from connection.lines(choices, connection.Answers(name, environment, region, settings, method, secrets))
