"""A provider whose API is described by a file.

Layer 2, no IO. The file says what it knows as data (`definition.py`); this module gives that the interface of a provider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from connform.auth.described.definition import Method
from connform.auth.described.kinds import CLIENT_SECRET
from connform.auth.described.method import DescribedMethod
from connform.lazy_property import lazy_property
from connform.manifest.named_texts import expand
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape
from connform.providers.described.addresses import AddressBook, Addresses, AddressKey
from connform.providers.described.definition import Definition
from connform.providers.described.setting_values import needed_findings, value_findings
from connform.providers.described.shape import shape_of
from connform.registry import LazyTable

if TYPE_CHECKING:
    from connform.auth.interface import AuthMethod
    from connform.manifest.model import Connection
    from connform.providers.described.answer_rows import AnswerRows
    from connform.providers.interface import Answer, CheckRequest, Instance, Judgement


@cache  # an import statement takes 2 µs, for each of thousands of connections
def _url_findings() -> Callable[..., Iterator[Finding]]:
    from connform.manifest.urls import url_findings  # imported here for start-up

    return url_findings


@cache
def _instance_type() -> type[Instance]:
    from connform.providers.interface import Instance  # `validate` needs none

    return Instance


class DescribedProvider:
    """The provider of a definition."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self._addresses = AddressBook(definition)
        self._has_texts = definition.has_texts
        self._instance_at = lru_cache(maxsize=4096)(self._plain_instance)

    @lazy_property
    def shape(self) -> Shape:
        """The keys of a connection that belong to this provider."""
        return shape_of(self.definition, self._addresses)

    @lazy_property
    def auth_methods(self) -> Mapping[str, AuthMethod]:
        """The auth methods that the file describes, by name."""
        return LazyTable(self.definition.auth, lambda name: DescribedMethod(self.definition.auth[name]))

    def rules(self, connection: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield findings about the OAuth client and the root that a connection gives itself."""
        auth = connection["auth"]
        method = auth["method"]
        described = self.definition.auth.get(method)
        if described is not None and (described.query or "redirect_uri" in auth):
            yield from self._method_findings(auth, described)
        name = connection.get("environment", self._addresses.default_environment)
        of_root, needed = self._addresses.settings_of(name, method)
        if not (of_root or needed or "base_url" in connection):
            return
        if of_root and self._addresses.environment(name).own_root == "besides":
            yield from self._root_findings(connection, name, of_root)
        if of_root or needed:
            yield from needed_findings(self.definition, self._addresses, connection)
        if "base_url" in connection:
            yield from _url_findings()(connection["base_url"], ("base_url",))
        elif of_root or needed:
            yield from value_findings(self.definition, self._addresses, connection)

    def environment_class(self, settings: Mapping[str, Any]) -> str:
        """Return what the file says of the environment."""
        return self._addresses.environment(settings.get("environment", "")).environment_class

    def base_url(self, connection: Connection) -> str:
        """Return the API root of the connection's instance, without its other URLs."""
        return self._addresses.root_of(connection.settings)

    def instance(self, connection: Connection) -> Instance:
        """Return the URLs of the connection's instance."""
        settings = connection.settings
        if not self._has_texts:
            return self._instance_at(self._addresses.key_of(settings))
        return self._instance(self._addresses.of(settings), self._addresses.values_of(settings))

    def _plain_instance(self, key: AddressKey) -> Instance:
        return self._instance(self._addresses.at(key), {})

    def _instance(self, addresses: Addresses, values: Mapping[str, str]) -> Instance:
        definition = self.definition
        return _instance_type()(
            base_url=addresses.root,
            api_key_header=self._api_key_header,
            key_management_url=addresses.key_page,
            authorize_url=addresses.authorize_url,
            token_url=addresses.token_url,
            revoke_url=addresses.revoke_url,
            safe_posts=definition.safe_posts,
            refresh_url=addresses.refresh_url,
            device_authorization_url=addresses.device_authorization_url,
            login_url=addresses.login_url,
            headers={name: expand(text, values) for name, text in definition.headers.items()},
            query={name: expand(text, values) for name, text in definition.query.items()},
            values=values,
        )

    def check_request(self, connection: Connection) -> CheckRequest:  # noqa: ARG002  (the same for every connection)
        """Return the request of the file."""
        return self._check_request

    @lazy_property
    def _check_request(self) -> CheckRequest:
        from connform.providers.interface import CheckRequest  # only a check needs it

        check = self.definition.check
        return CheckRequest(check["method"], check["path"], check.get("json"))

    def judge(self, connection: Connection, answer: Answer) -> Judgement:
        """Return the judgement of an answer by the rows of the file."""
        return self._answers.judge(connection.settings, answer)

    def example_answers(self, connection: Connection) -> Mapping[str, Answer]:  # noqa: ARG002  (the same for every connection)
        """Return the first example of each meaning: `ready`, or a key of `connform.faults.FAULTS`."""
        return self._example_answers

    @lazy_property
    def _example_answers(self) -> Mapping[str, Answer]:
        from connform.providers.described.examples import answer_of  # imported here for start-up

        examples = reversed(self.definition.examples)
        return {example["means"]: answer_of(example) for example in examples}

    def ready_answer(self, connection: Connection) -> Answer:  # noqa: ARG002  (the same for every connection)
        """Return an answer that is judged ready: an example, else one that the first row for ready answers fits."""
        return self._ready_answer

    @lazy_property
    def _ready_answer(self) -> Answer:
        from connform.providers.body_sample import json_answer, sample, text_answer  # imported here for start-up

        if example := self._example_answers.get("ready"):
            return example
        row = self._answers.ready
        headers = {name.lower(): text for name, text in row.header.items()}
        if row.body is None:
            return text_answer(row.status[0], row.text, headers)
        return json_answer(row.status[0], sample(row.body), headers)

    @lazy_property
    def _answers(self) -> AnswerRows:
        from connform.providers.described.answer_rows import AnswerRows  # only a check needs it

        return AnswerRows(self.definition)

    @lazy_property
    def _api_key_header(self) -> str:
        """The header of the first method that sends one."""
        return next((header for method in self.definition.auth.values() for header in method.headers), "")

    def _method_findings(self, auth: Mapping[str, Any], method: Method) -> Iterator[Finding]:
        if method.query and (others := [name for name, one in self.definition.auth.items() if not one.query]):
            detail = f"a key in the query is in the logs of servers and proxies; `{others[0]}` sends none there"
            yield Finding("secret-in-query", ("auth", "method"), detail)
        if "redirect_uri" in auth:
            yield from self._oauth_findings(auth, method)

    def _oauth_findings(self, auth: Mapping[str, Any], method: Method) -> Iterator[Finding]:
        if CLIENT_SECRET not in auth and not method.secrets.get(CLIENT_SECRET, {"optional": True}).get("optional"):
            detail = f"{self.definition.title} documents apps with a secret alone: write `client_secret`"
            yield Finding("missing-key", ("auth",), detail)
        if method.redirect == "https":
            yield from _url_findings()(auth["redirect_uri"], ("auth", "redirect_uri"), loopback_http=False, query=True)

    def _root_findings(
        self, connection: Mapping[str, Any], environment: str, settings: tuple[str, ...]
    ) -> Iterator[Finding]:
        """Yield a finding unless a connection has either its own root or the settings of the described one."""
        code, given = "instance-or-base-url", tuple(name for name in settings if name in connection)
        if "base_url" in connection and given:
            detail = f"`{given[0]}` and `base_url` both say where the {environment} instance is: keep one of them"
            related = tuple((name,) for name in given)
            yield Finding(code, ("base_url",), detail, at_key=True, related=related)
        elif "base_url" not in connection and given != settings:
            examples = {name: next(iter(self.definition.settings[name].examples), name) for name in settings}
            written = ", ".join(f"`{name}: {value}`" for name, value in examples.items())
            of_method = {"environment": environment, "auth": connection["auth"], **examples}
            from connform.manifest.urls import parse_url  # only a mistake needs it

            origin = parse_url(self._addresses.of(of_method).root).origin
            detail = f"a {environment} instance needs its address: {written} for {origin}, or `base_url: https://…`"
            yield Finding(code, (), detail)
