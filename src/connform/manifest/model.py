"""The typed model of a manifest: connections, stores, authentication, TLS, time-outs.

Layer 1, no IO. Nothing in it is secret: a credential is a `SecretReference` until `engine.run.resolve` reads it.
"""

from collections.abc import Callable, Container, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from connform.diagnostics import Span
from connform.lazy_property import lazy_property
from connform.manifest.document import Entry
from connform.manifest.proxy import PROXY_PASSWORD, proxy_references, proxy_url
from connform.manifest.settings import Timeouts
from connform.secret import SecretReference

SecretKeys: TypeAlias = "Callable[[Mapping[str, Any], Mapping[str, Any] | None], Container[str] | None]"
"""Returns the keys under `auth:` that hold secret references, of a connection's effective values and its provider's definition."""


class Auth(NamedTuple):
    """How a connection authenticates."""

    method: str
    """A key of `connform.auth.METHODS`: `api_key`, `oauth2`, `bearer`."""
    references: Mapping[str, SecretReference]
    """The secrets that the method needs, by key: `api_key`, `client_id`, …"""
    settings: Mapping[str, Any]
    """The method's other keys, plain data: `redirect_uri`, `scopes`, …"""


class Tls(NamedTuple):
    """Files for TLS; absolute paths. All `None`: the system's trust store, no client certificate."""

    ca_file: Path | None = None
    """PEM certificates trusted instead of the system's."""
    client_cert: Path | None = None
    """PEM certificate chain of this client."""
    client_key: Path | None = None
    """PEM private key of `client_cert`."""


class Store(NamedTuple):
    """A secret store, as declared under `stores:`."""

    name: str
    """Its name, which references use as their scheme."""
    type: str
    """A key of `connform.secrets.BACKENDS`."""
    environments: tuple[str, ...]
    """The environments whose connections may read its secrets; empty for any."""
    settings: Mapping[str, Any]
    """Its keys but for the type, plain data; backends read their own here."""
    base: Path
    """The folder of the manifest that declares it; relative paths start here."""
    timeout_s: float
    """The limit of one read, in seconds."""
    references: Mapping[str, SecretReference] = MappingProxyType({})
    """The secrets that open it, by their path in the settings: `auth.token`."""


@lru_cache(maxsize=256)
def _file(base: Path, path: str) -> Path:
    """Return the path of a file; the same object for all connections that name it."""
    return base / path


@lru_cache(maxsize=256)
def _tags(*tags: str) -> tuple[str, ...]:
    """Return some tags; the same object for all connections that have them."""
    return tags


class Connection:
    """One connection with its effective values: `defaults` < template < its own.

    A run over thousands of connections uses few values of each, so values are decoded when they are first used.
    """

    def __init__(
        self,
        name: str,
        provider: str,
        settings: Mapping[str, Any],
        base: Path,
        span: Span | None,
        secret_keys: SecretKeys = lambda *_: None,
        entry: Entry | None = None,
        definition: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        """Unique over all files of a run."""
        self.provider = provider
        """A key of `connform.providers.PROVIDERS`, or of `providers:` in a manifest."""
        self.definition = definition
        """The entry of `providers:` for its provider, as declared or as recorded; `None` for a built-in or installed one."""
        self.settings = settings
        """Every effective key as plain data; providers read their own keys here."""
        self.base = base
        """The folder of its manifest; relative paths start here."""
        self._span = span  # `None` for that of the declaration: few runs ask for each place
        self.entry = entry
        """The declaration, for `place_of` and `origin_of`; none for a connection that isn't read from a manifest."""
        self._secret_keys = secret_keys

    def __copy__(self) -> "Connection":
        """Return a connection that has nothing decoded yet. Python's own copy would make a `__dict__` for each of thousands."""
        keys, entry, definition = self._secret_keys, self.entry, self.definition
        return Connection(self.name, self.provider, self.settings, self.base, self._span, keys, entry, definition)

    @property
    def span(self) -> Span:
        """The span of its name."""
        return self._span or self.entry.span  # type: ignore[union-attr]  # one of them is there

    @property
    def file(self) -> str:
        """The name of the file that declares it."""
        return self._span.file if self._span else self.entry.file  # type: ignore[union-attr]  # as above

    @property
    def environment(self) -> str:
        """The label of its environment; empty if it has none."""
        environment: str = self.settings.get("environment", "")
        return environment

    @property
    def region(self) -> str:
        """`us`, `ca`, `eu`; empty for a private instance."""
        region: str = self.settings.get("region", "")
        return region

    @lazy_property
    def auth(self) -> Auth:
        """How it authenticates."""
        node: Mapping[str, Any] = self.settings["auth"]
        secret_keys = self._secret_keys(self.settings, self.definition) or ()
        references = {key: SecretReference.parse(text) for key, text in node.items() if key in secret_keys}
        settings = {key: value for key, value in node.items() if key not in secret_keys and key != "method"}
        return Auth(node["method"], references, settings)

    @lazy_property
    def tls(self) -> Tls:
        """Files for TLS."""
        return Tls(**{key: _file(self.base, path) for key, path in self.settings.get("tls", {}).items()})

    @lazy_property
    def timeouts(self) -> Timeouts:
        """Limits."""
        return Timeouts(**{key: float(seconds) for key, seconds in self.settings.get("timeouts", {}).items()})

    @property
    def proxy(self) -> str:
        """A proxy's URL, `environment`, or empty for none."""
        return proxy_url(self.settings)

    @lazy_property
    def references(self) -> Mapping[str, SecretReference]:
        """All its secret references: those of `auth` by their key, and `proxy.password`."""
        return {**self.auth.references, **proxy_references(self.settings)}

    @property
    def tags(self) -> tuple[str, ...]:
        """Labels for `--tag`."""
        return _tags(*self.settings.get("tags", ()))

    @property
    def allow(self) -> tuple[str, ...] | None:
        """The rules of what programs may send through `connform proxy`; `None` for everything below the base URL."""
        rules = self.settings.get("allow")
        return None if rules is None else tuple(rules)

    @property
    def owner(self) -> str:
        """The team or address to ask."""
        owner: str = self.settings.get("owner", "")
        return owner

    def place_of(self, *path: str | int) -> Span:
        """Return the span of the effective value at a path, also in templates and defaults, or that of the name."""
        return self.entry.place(path) if self.entry else self.span

    def place_of_secret(self, key: str) -> Span:
        """Return the span of one of its secret references."""
        return self.place_of(*(key.split(".") if key == PROXY_PASSWORD else ("auth", key)))

    def origin_of(self, *path: str | int) -> str:
        """Return `connection`, `template portal` or `defaults`; empty for connform's own default."""
        return self.entry.origin(path) if self.entry else ""

    def __repr__(self) -> str:
        method = self.settings.get("auth", {}).get("method", "")  # `self.auth` would parse the references
        facts = filter(None, [self.provider, self.environment, self.region, method])
        return f"<Connection {self.name}: {' '.join(facts)}>"
