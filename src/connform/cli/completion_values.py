"""The values that shell completion offers for a parameter. Layer 5. IO: reads the manifests that the command line names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from connform.cli.flag_values import TEXT_OR_JSON

if TYPE_CHECKING:
    from connform.engine.init.choices import Choices

SHELLS = ("bash", "zsh", "fish")
"""The shells that can complete."""


def complete(kind: str, context: click.Context, incomplete: str) -> list[CompletionItem]:
    """Return the values of a parameter that start with `incomplete`; names of files are left to the shell.

    bash inserts a value unquoted, and a manifest may come from a stranger: only valid names and tags are offered.
    """
    if kind == "files":
        return [CompletionItem(incomplete, type="file")]
    if kind == "formats" and "=" in incomplete:
        return [CompletionItem(incomplete, type="file")]
    return [CompletionItem(value, help=text) for value, text in _VALUES[kind](context) if value.startswith(incomplete)]


def _connections(context: click.Context) -> Iterable[tuple[str, str]]:
    return ((name, ", ".join(tags)) for name, tags in _tags_by_connection(context).items())


def _tags(context: click.Context) -> Iterable[tuple[str, str]]:
    return ((tag, "") for tag in dict.fromkeys(tag for tags in _tags_by_connection(context).values() for tag in tags))


def _tags_by_connection(context: click.Context) -> dict[str, list[str]]:
    """Return the tags of each connection in the manifests that the line names. Invalid names and tags are left out."""
    from connform.engine.load.manifest import connection_tags
    from connform.manifest.document_schema import NAME
    from connform.manifest.settings import TAG

    flags_before_verb = context.parent.params if context.parent else {}
    files = (*(flags_before_verb.get("files") or ()), *(context.params.get("files") or ()))
    declared = {} if "-" in files else connection_tags(files)
    return {
        name: [tag for tag in tags if re.fullmatch(TAG, tag)]
        for name, tags in declared.items()
        if re.fullmatch(NAME, name)
    }


def _formats(_: click.Context) -> Iterable[tuple[str, str]]:
    from connform.reporters import format_names

    return ((name, "") for name in format_names())


def _help(_: click.Context) -> Iterable[tuple[str, str]]:
    from connform.cli import VERBS
    from connform.engine.manual import pages

    yield from ((verb, text) for verb, (_, text) in VERBS.items())
    yield from ((page.name, page.title) for page in pages())


def _text_or_json(_: click.Context) -> Iterable[tuple[str, str]]:
    return ((name, "") for name in TEXT_OR_JSON)


def _codes(_: click.Context) -> Iterable[tuple[str, str]]:
    from connform.engine.explain import summaries

    return ((code, summary) for code, _, summary in summaries())


def _schemas(_: click.Context) -> Iterable[tuple[str, str]]:
    from connform.reporters.schemas import SCHEMAS

    return ((name, "") for name in SCHEMAS)


def _shells(_: click.Context) -> Iterable[tuple[str, str]]:
    return ((shell, "") for shell in SHELLS)


def _described(_: click.Context) -> Iterable[tuple[str, str]]:
    from connform.providers import GROUPS

    return GROUPS.items()


def _choices(context: click.Context) -> Choices:
    from connform.engine.init.choices import Choices
    from connform.engine.load.catalog import DEFAULT_PROVIDER
    from connform.providers import GROUPS

    named = str(context.params.get("provider"))
    return Choices(named if named in GROUPS else DEFAULT_PROVIDER)


def _environments(context: click.Context) -> Iterable[tuple[str, str]]:
    return ((name, one.description) for name, one in _choices(context).environments.items())


def _regions(context: click.Context) -> Iterable[tuple[str, str]]:
    choices = _choices(context)
    named = str(context.params.get("environment"))
    environments = [named] if named in choices.environments else list(choices.environments)
    return ((name, "") for name in dict.fromkeys(region for one in environments for region in choices.regions(one)))


def _methods(context: click.Context) -> Iterable[tuple[str, str]]:
    return _choices(context).methods.items()


def _providers(context: click.Context) -> Iterable[tuple[str, str]]:
    from connform.engine.providers import known_providers

    return ((one.name, one.title) for one in known_providers(context.params.get("files") or ()))


def _ci_systems(_: click.Context) -> Iterable[tuple[str, str]]:
    from connform.engine.init.files import CI_FILES

    return ((name, "") for name in (*CI_FILES, "none"))


_VALUES: dict[str, Callable[[click.Context], Iterable[tuple[str, str]]]] = {
    "ci_systems": _ci_systems,
    "codes": _codes,
    "connections": _connections,
    "described": _described,
    "environments": _environments,
    "formats": _formats,
    "help": _help,
    "methods": _methods,
    "providers": _providers,
    "regions": _regions,
    "schemas": _schemas,
    "shells": _shells,
    "tags": _tags,
    "text_or_json": _text_or_json,
}
"""Kind of parameter → its values, each with a help text."""
