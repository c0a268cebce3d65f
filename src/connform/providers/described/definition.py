"""The definition of a provider: what its file says of an API, as typed data.

Layer 2, no IO. `provider.py` makes a provider of a definition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

NO_VALUES: Mapping[str, Any] = MappingProxyType({})
ROW_KEYS = frozenset({"class", "regions", "own_root", "description", "error"})
"""The keys of an environment that aren't values for texts."""


class Environment(NamedTuple):
    """One environment of an API."""

    values: Mapping[str, str] = NO_VALUES
    """What its names stand for in texts: `host`."""
    regions: Mapping[str, Mapping[str, str]] = NO_VALUES
    """Region → the values that it adds; empty where there are none."""
    environment_class: str = "production"
    """Its class: `production` or `test`."""
    own_root: str = ""
    """Whether the connection gives the root: `besides` its settings, `only`, or never (empty)."""
    description: str = ""
    """One sentence for people."""
    error: str = ""
    """What is said of a region that it doesn't have."""


class Setting(NamedTuple):
    """A value that a connection gives."""

    pattern: str = ""
    """A regular expression that fits the whole value; empty where there is a list."""
    values: tuple[str, ...] = ()
    """All of its values; empty where there is a pattern."""
    kind: str = ""
    """`host` for a value that may fill several labels of a host; else empty."""
    description: str = ""
    """One sentence for people."""
    examples: tuple[str, ...] = ()
    """Values, for people and editors."""
    error: str = ""
    """What is said of a wrong value."""


class Method(NamedTuple):
    """One way to authenticate, as it is written; its keys are those of `entry_auth.METHOD`."""

    use: str = ""
    """When to choose it."""
    secrets: Mapping[str, Mapping[str, Any]] = NO_VALUES
    """The keys under `auth:` that take secret references, each with `optional`."""
    headers: Mapping[str, str] = NO_VALUES
    """Header → its text, with at most one secret at its end."""
    query: Mapping[str, str] = NO_VALUES
    """Query parameter → its text, likewise."""
    basic: Mapping[str, str] = NO_VALUES
    """`username` and `password` of Basic authentication (RFC 7617), each a constant, a setting or a secret."""
    none: bool = False
    """Whether it sends nothing."""
    root: str = ""
    """The API root of its connections, if that is another one."""
    flow: str = ""
    """An OAuth 2.0 flow: how it obtains its token; empty for a method without one."""
    authorize_url: str = ""
    """OAuth 2.0 authorization endpoint (RFC 6749 §3.1)."""
    token_url: str = ""
    """OAuth 2.0 token endpoint (RFC 6749 §3.2)."""
    refresh_url: str = ""
    """Where refresh tokens are sent, if that is another endpoint."""
    device_authorization_url: str = ""
    """Device authorization endpoint (RFC 8628 §3.1)."""
    revoke_url: str = ""
    """OAuth 2.0 revocation endpoint (RFC 7009); empty where none is known."""
    scopes: tuple[str, ...] = ()
    """What is requested if the manifest names no scopes (RFC 6749 §3.3)."""
    refresh_scope: str = ""
    """The scope with which the server issues refresh tokens; empty where none is needed."""
    redirect: str = "loopback"
    """Where a login may come back to by plain http: `loopback`, or nowhere (`https`)."""
    pkce: bool = True
    """Whether the server takes PKCE (RFC 7636)."""
    client_auth: str = ""
    """How a client authenticates at the token endpoint, if the manifest doesn't say it."""
    token_format: str = "form"
    """The format of token requests: `form` or `json`."""
    token_params: Mapping[str, str] = NO_VALUES
    """Further parameters of token requests, with settings in them."""
    jwt: Mapping[str, Any] = NO_VALUES
    """How its JWT is signed (`entry_auth.JWT`); empty for none."""
    login: Mapping[str, Any] = NO_VALUES
    """The call that returns its token (`entry_auth.LOGIN`); empty for none."""

    @property
    def login_url(self) -> str:
        """The URL of the login call; empty for none."""
        url: str = self.login.get("url", "")
        return url


class Check(NamedTuple):
    """The read-only request that shows whether a credential works."""

    method: str
    """`GET`, `HEAD` or `POST`."""
    path: str
    """Below the root, with a leading slash."""
    json: Any = None
    """The body; `None` for none."""
    description: str = ""
    """What it answers, in a few words: `the list of packages`."""


class Definition(NamedTuple):
    """What a file says of one API, but for what people alone read: `sources`, `assumed`, `examples`."""

    name: str
    """The name that manifests use."""
    title: str
    """The name that people use."""
    root: str
    """The API root; its names are values of an environment, and settings. Empty where every connection gives it."""
    auth: Mapping[str, Method]
    """The auth methods by name, the usual one first."""
    check: Check
    answers: tuple[Mapping[str, Any], ...]
    """The rows as they are written (`answer_rows.AnswerRow`); the first that fits an answer judges it."""
    environments: Mapping[str, Environment] = NO_VALUES
    """The environments by name; empty where the API has one only."""
    settings: Mapping[str, Setting] = NO_VALUES
    key_page: str = ""
    """The page where a person creates keys; empty where unknown."""
    safe_posts: tuple[str, ...] = ()
    """Paths of POST calls, below the root, that only read and may be repeated."""
    error_code: Mapping[str, str] = NO_VALUES
    """Where an error's code stands, as it is written (`answer_rows.ErrorCode`); empty for nowhere."""
    headers: Mapping[str, str] = NO_VALUES
    """The plain headers of every request, with settings in them."""
    query: Mapping[str, str] = NO_VALUES
    """The plain query parameters of every request, with settings in them."""

    @property
    def has_texts(self) -> bool:
        """Whether settings may stand in texts that are no URLs."""
        methods = self.auth.values()
        return bool(self.headers or self.query) or any(
            one.basic or one.token_params or one.jwt or one.login for one in methods
        )


def decode(name: str, node: Mapping[str, Any]) -> Definition:
    """Return the definition of an entry of `providers:` that its schema accepts."""
    return Definition(
        name=name,
        title=node["title"],
        root=node.get("root", ""),
        auth={key: Method(**frozen(one)) for key, one in node["auth"].items()},
        check=Check(**node["check"]),
        answers=tuple(node["answers"]),
        environments={key: _environment(row) for key, row in node.get("environments", {}).items()},
        settings={key: Setting(**frozen(one)) for key, one in node.get("settings", {}).items()},
        safe_posts=tuple(node.get("safe_posts", ())),
        key_page=node.get("key_page", ""),
        error_code=node.get("error_code", NO_VALUES),
        headers=node.get("headers", NO_VALUES),
        query=node.get("query", NO_VALUES),
    )


def _environment(row: Mapping[str, Any]) -> Environment:
    values = {key: value for key, value in row.items() if key not in ROW_KEYS}
    fields = {key: row[key] for key in ("regions", "own_root", "description", "error") if key in row}
    return Environment(values, environment_class=row.get("class", "production"), **fields)


def frozen(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with tuples for lists."""
    return {
        key: tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
        for key, value in node.items()
    }
