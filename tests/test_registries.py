"""Every table of built-in parts is checked against its protocol; mypy checks those that name the objects themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from importlib import import_module

import click
import pytest

from connform.auth import METHODS
from connform.auth.interface import AuthMethod
from connform.cli import VERBS
from connform.providers import PROVIDERS
from connform.providers.interface import Provider
from connform.registry import protocol_problem
from connform.reporters import FORMATS, Reporter, syntax_of, uses_repository_paths
from connform.secrets import BACKENDS
from connform.secrets.kit.interface import Backend

TABLES: list[tuple[Mapping[str, object], type]] = [
    (PROVIDERS, Provider),
    (METHODS, AuthMethod),
    (BACKENDS, Backend),
    (FORMATS, Reporter),
]


def parts() -> Iterator[object]:
    for table, protocol in TABLES:
        names = {
            type(table[name]): name for name in reversed([*table])
        }.values()  # one of each class: most providers are files
        yield from (pytest.param(table, name, protocol, id=f"{protocol.__name__} {name}") for name in names)


@pytest.mark.parametrize(("table", "name", "protocol"), list(parts()))
def test_a_part_has_the_members_and_signatures_of_its_protocol(
    table: Mapping[str, object], name: str, protocol: type
) -> None:
    part = table[name]
    assert protocol_problem(part, protocol) == ""
    for member, declared in vars(protocol).items():
        if inspect.isfunction(declared) and not member.startswith("_"):
            expected = [parameter.name for parameter in inspect.signature(declared).parameters.values()]
            given = list(inspect.signature(getattr(part, member)).parameters)
            assert given == [one for one in expected if one != "self"], member


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_has_a_known_syntax(name: str) -> None:
    assert syntax_of(FORMATS[name]) in {"text", "json", "xml", "commands"}
    assert uses_repository_paths(FORMATS[name]) in {True, False}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_a_command_of_its_module(verb: str) -> None:
    module, line = VERBS[verb]
    command = import_module(module).command
    assert isinstance(command, click.Command)
    assert command.name in {verb, "command"}
    assert line.endswith(".")
