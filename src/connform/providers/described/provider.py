"""A provider whose API is described by a file.

Layer 2, no IO. The file says what it knows as data (`definition.py`); this module gives that the interface of a provider.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connform.lazy_property import lazy_property
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape
from connform.manifest.urls import parse_url, url_findings
from connform.providers.described.addresses import AddressBook
from connform.providers.described.definition import Definition
from connform.providers.described.setting_values import value_findings
from connform.providers.described.shape import shape_of
from connform.providers.interface import Answer, CheckRequest, Instance, Judgement

if TYPE_CHECKING:
    from connform.manifest.model import Connection
    from connform.providers.described.answer_rows import AnswerRows


class DescribedProvider:
    """The provider of a definition."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self._addresses = AddressBook(definition)
        oauth = [method for method in definition.auth.values() if method.flow]
        self.default_scopes = oauth[0].scopes if oauth else ()
        self.refresh_scope = oauth[0].refresh_scope if oauth else ""

    @lazy_property
    def shape(self) -> Shape:
        """The keys of a connection that belong to this provider."""
        return shape_of(self.definition, self._addresses)

    def rules(self, connection: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield findings about the OAuth client and the root that a connection gives itself."""
        method = self.definition.auth.get(connection["auth"]["method"])
        if method is not None and method.flow:
            yield from self._oauth_findings(connection["auth"])
        name = connection.get("environment", self._addresses.default_environment)
        needed = self._addresses.needed_settings(name)
        if needed and self._addresses.environment(name).own_root == "besides":
            yield from self._root_findings(connection, name)
        if "base_url" in connection:
            yield from url_findings(connection["base_url"], ("base_url",))
        elif needed:
            yield from value_findings(self.definition, self._addresses, connection)

    def environment_class(self, settings: Mapping[str, Any]) -> str:
        """Return what the file says of the environment."""
        return self._addresses.environment(settings.get("environment", "")).environment_class

    def instance(self, connection: Connection) -> Instance:
        """Return the URLs of the connection's instance."""
        return self._addresses.instance(connection.settings)

    def check_request(self, connection: Connection) -> CheckRequest:  # noqa: ARG002  (the same for every connection)
        """Return the request of the file."""
        return self.definition.check

    def judge(self, connection: Connection, answer: Answer) -> Judgement:
        """Return the judgement of an answer by the rows of the file."""
        return self._answers.judge(connection.settings, answer)

    def ready_answer(self, connection: Connection) -> Answer:  # noqa: ARG002  (the same for every connection)
        """Return an answer that the first row for ready answers fits."""
        from connform.providers.body_sample import json_answer, sample, text_answer  # imported here for start-up

        row = self._answers.ready
        headers = {name.lower(): text for name, text in row.header.items()}
        if row.body is None:
            return text_answer(row.status[0], row.text, headers)
        return json_answer(row.status[0], sample(row.body), headers)

    @lazy_property
    def _answers(self) -> AnswerRows:
        from connform.providers.described.answer_rows import AnswerRows  # only a check needs it

        return AnswerRows(self.definition)

    def _oauth_findings(self, auth: Mapping[str, Any]) -> Iterator[Finding]:
        method = self.definition.auth[auth["method"]]
        if "client_secret" not in auth and not method.secrets.get("client_secret", {}).get("optional"):
            detail = f"{self.definition.title} documents apps with a secret alone: write `client_secret`"
            yield Finding("missing-key", ("auth",), detail)
        if method.redirect == "https":
            yield from url_findings(auth["redirect_uri"], ("auth", "redirect_uri"), loopback_http=False, query=True)

    def _root_findings(self, connection: Mapping[str, Any], environment: str) -> Iterator[Finding]:
        """Yield a finding unless a connection has either its own root or the settings of the described one."""
        code, settings = "instance-or-base-url", self._addresses.needed_settings(environment)
        given = [name for name in settings if name in connection]
        if "base_url" in connection and given:
            detail = f"`{given[0]}` and `base_url` both say where the {environment} instance is: keep one of them"
            related = tuple((name,) for name in given)
            yield Finding(code, ("base_url",), detail, at_key=True, related=related)
        elif "base_url" not in connection and given != settings:
            examples = {name: next(iter(self.definition.settings[name].examples), name) for name in settings}
            written = ", ".join(f"`{name}: {value}`" for name, value in examples.items())
            origin = parse_url(self._addresses.instance({"environment": environment, **examples}).base_url).origin
            detail = f"a {environment} instance needs its address: {written} for {origin}, or `base_url: https://…`"
            yield Finding(code, (), detail)
