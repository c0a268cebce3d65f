"""The choices of `connform init`: the value of a flag, else a person's answer, else the default. Layer 5. IO: questions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from connform.cli.output import columns_of
from connform.cli.usage import UsageProblem, did_you_mean

if TYPE_CHECKING:
    from connform.engine.init.choices import Choices
    from connform.engine.init.connection import Answers
    from connform.providers.described.definition import Setting


class Questions:
    """Finds out what a connection needs."""

    def __init__(self, flags: Mapping[str, str | None], settings: Sequence[str], *, may_ask: bool) -> None:
        """Take the values of flags by name, the texts `NAME=VALUE` of `--set`, and whether a person can be asked."""
        self._flags = flags
        self._settings = dict(_pair(text) for text in settings)
        self._may_ask = may_ask

    def provider(self) -> str:
        """Return the name of a provider."""
        from connform.engine.init import choices
        from connform.engine.load.catalog import DEFAULT_PROVIDER

        groups = choices.providers()
        advice = [f"{group}: {', '.join(names)}" for group, names in groups.items()]
        known = [name for names in groups.values() for name in names]
        hint = "another API needs `provider: http`, or an entry of its own: see `connform help another-api`"
        return self._ask("provider", DEFAULT_PROVIDER, _one_of("provider", known, hint), advice)

    def answers(self, choices: Choices) -> Answers:
        """Return what a connection of a provider needs."""
        from connform.engine.init import choices as known
        from connform.engine.init.connection import Answers, references

        environments = {name: row.description for name, row in choices.environments.items()}
        environment = self._choose_if_any("environment", environments, choices.provider)
        region = self._choose_if_any("region", choices.regions(environment), environment or choices.provider)
        method = self.choose("auth", choices.methods, choices.simplest_method(environment))
        own_root = known.BASE_URL in self._settings
        settings = self._values(choices.settings(environment, method, own_root=own_root))
        several = [
            one
            for one, all_of_it in ((environment, environments), (region, choices.regions(environment)))
            if len(all_of_it) > 1
        ]
        name = self._ask("name", "-".join([choices.provider, *several]), _name)
        return Answers(name, environment, region, settings, method, references(choices, method, name))

    def choose(self, flag: str, allowed: Collection[str], default: str) -> str:
        """Return one of the allowed values; a mapping has advice on when to choose each."""
        advice: list[str] = []
        if isinstance(allowed, Mapping):
            advice = [f"{one}: {when}" for one, when in allowed.items() if when]
        return self._ask(flag, default, _one_of(flag, allowed), advice, f" ({', '.join(allowed)})")

    def _choose_if_any(self, flag: str, allowed: Collection[str], of: str) -> str:
        if allowed:
            first = next(iter(allowed))
            return self.choose(flag, allowed, first) if len(allowed) > 1 or self._flags[flag] else first
        if self._flags[flag] is not None:
            raise UsageProblem(f"{of} has no {flag}s: leave out --{flag}")
        return ""

    def _values(self, needed: Mapping[str, Setting]) -> dict[str, str]:
        """Return the values of settings, of which none has a default: a secret would be sent where an example leads."""
        if unknown := [name for name in self._settings if name not in needed]:
            hint = did_you_mean(unknown[0], needed)
            raise UsageProblem(
                f"this connection has no setting {unknown[0]}", hint or f"it has {', '.join(needed) or 'none'}"
            )
        values: dict[str, str] = {}
        for name, setting in needed.items():
            example = next(iter(setting.examples), "…")
            check = _setting(name, setting)
            if name in self._settings:
                values[name] = check(self._settings[name])
            elif self._may_ask:
                values[name] = _answer([setting.description], name, None, check)
            else:
                raise UsageProblem(f"the connection needs {name}: --set {name}={example}", setting.description)
        return values

    def _ask(
        self, flag: str, default: str, check: Callable[[str], str], advice: Sequence[str] = (), choices: str = ""
    ) -> str:
        given = self._flags[flag]
        if given is not None or not self._may_ask:
            return check(default if given is None else given)
        return _answer(advice, f"{flag}{choices}", default, check)


def _answer(advice: Sequence[str], question: str, default: str | None, check: Callable[[str], str]) -> str:
    """Ask until an answer is right, and return it. What is wrong is said without the name of the flag, which nobody typed."""
    for text in advice:
        _say(text, first="  ", rest="    ")
    while True:
        try:
            return check(click.prompt(question, default, err=True))
        except UsageProblem as error:
            text = "; ".join(filter(None, (error.message.removeprefix("--"), error.hint)))
            _say(text, first="error: ", rest="       ")


def _say(text: str, *, first: str, rest: str) -> None:
    from connform.reporters.wrapping import paragraph

    for line in paragraph(text, first=first, rest=rest, width=columns_of(sys.stderr)):
        click.echo(line, err=True)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageProblem("--set takes NAME=VALUE: --set instance=acme")
    return name, value


def _one_of(flag: str, allowed: Collection[str], hint: str = "") -> Callable[[str], str]:
    """Return a function that returns an allowed value and refuses any other."""

    def check(value: str) -> str:
        if value not in allowed:
            takes = "the name of a provider" if flag == "provider" else " or ".join(allowed)
            raise UsageProblem(f"--{flag} takes {takes}", did_you_mean(value, allowed) or hint)
        return value

    return check


def _setting(name: str, setting: Setting) -> Callable[[str], str]:
    """Return a function that returns a valid value of a setting and refuses any other."""
    from connform.engine.init.choices import problem

    def check(value: str) -> str:
        if wrong := problem(name, setting, value):
            raise UsageProblem(f"{name}: {wrong}", setting.description)
        return value

    return check


def _name(value: str) -> str:
    from connform.engine.init.choices import is_name

    if not is_name(value):
        raise UsageProblem("--name takes small letters, digits and hyphens, and starts with a letter or a digit")
    return value
