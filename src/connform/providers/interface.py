"""Protocol of a provider: what connform knows of one API.

Layer 2, no IO. A provider gives the request to send and judges the answer; the engine sends.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from connform.manifest.rules import Finding
from connform.manifest.shape import Shape

if TYPE_CHECKING:
    from connform.manifest.model import Connection


class Instance(NamedTuple):
    """The URLs of one instance of an API."""

    base_url: str
    """The API root, without a trailing slash."""
    api_key_header: str
    """The header that carries an API key."""
    key_management_url: str = ""
    """The page where a person creates keys; empty where unknown."""
    authorize_url: str = ""
    """OAuth 2.0 authorization endpoint (RFC 6749 §3.1); empty where there is none."""
    token_url: str = ""
    """OAuth 2.0 token endpoint (RFC 6749 §3.2); empty where there is none."""
    revoke_url: str = ""
    """OAuth 2.0 revocation endpoint (RFC 7009); empty where none is known."""
    safe_posts: tuple[str, ...] = ()
    """Paths of POST calls, below the base URL, that only read and may be repeated."""
    refresh_url: str = ""
    """Where refresh tokens are sent; empty for `token_url`."""
    device_authorization_url: str = ""
    """OAuth 2.0 device authorization endpoint (RFC 8628 §3.1); empty where there is none."""
    login_url: str = ""
    """Where a login call gets its token; empty where there is none."""
    headers: Mapping[str, str] = MappingProxyType({})
    """The plain headers of every request."""
    query: Mapping[str, str] = MappingProxyType({})
    """The plain query parameters of every request."""
    values: Mapping[str, str] = MappingProxyType({})
    """What `{name}` stands for in the texts of its auth methods."""


class CheckRequest(NamedTuple):
    """A read-only request that shows whether a credential works."""

    method: str
    """`GET`, `HEAD` or `POST`."""
    path: str
    """Relative to the base URL, with a leading slash."""
    json: Mapping[str, Any] | Sequence[Any] | None = None
    """The body; `None` for none."""


class Answer(NamedTuple):
    """The answer to a check request."""

    status: int
    """HTTP status."""
    headers: Mapping[str, str]
    """Lower-case names."""
    json: Any = None
    """The decoded body, where it was JSON."""
    is_json: bool = False
    """Whether the body was JSON."""
    received_at: datetime | None = None
    """When it arrived, aware UTC; the base for a date in `Retry-After`."""
    body: bytes | None = b""
    """The body; `None` for one of more than 1 MiB, which isn't read."""


class Judgement(NamedTuple):
    """The meaning of an answer. `fault` is empty if the connection is ready."""

    fault: str = ""
    """A key of `connform.faults.FAULTS`, or empty."""
    message: str = ""
    """One sentence; of the body, documented error codes only."""
    hint: str = ""
    """What to do; empty for the fault's own hint."""
    facts: Mapping[str, Any] = {}
    """Facts for the report; never personal data."""


class Provider(Protocol):
    """One API.

    It may also have `default_scopes`, a tuple: the OAuth 2.0 scopes of a login, if the manifest names none (RFC 6749 §3.3);
    `refresh_scope`, a text: the scope with which its authorization server issues refresh tokens; `auth_methods`, its own auth
    methods by name, in place of the built-in ones;
    `environment_class(settings)`, which returns `production` or `test` for effective or recorded settings (without it,
    `environments.class_of_label` says that); and, for the simulator, `ready_answer(connection)`, which returns an `Answer` that is
    judged ready, and `example_answers(connection)`, which returns answers by what they mean: a key of `connform.faults.FAULTS`.
    """

    @property
    def shape(self) -> Shape:
        """The keys of a connection that belong to this provider."""

    def rules(self, connection: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield findings that a schema can't express, about one effective connection (plain, schema-valid data)."""

    def instance(self, connection: "Connection") -> Instance:
        """Return the URLs of the connection's instance; no IO."""

    def check_request(self, connection: "Connection") -> CheckRequest:
        """Return the read-only request of a check."""

    def judge(self, connection: "Connection", answer: Answer) -> Judgement:
        """Return the judgement of an answer to the check request."""
