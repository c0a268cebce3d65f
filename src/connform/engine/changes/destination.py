"""Destinations of secrets: servers, the way to them, and which secret each of them gets.

Layer 3, no IO.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from connform.engine.changes.secret_identity import SecretIdentity, origin_of, path_in
from connform.manifest.proxy import proxy_url


class Destination(NamedTuple):
    """A server to which a secret is sent, and the settings that decide who can read it on the way."""

    url: str
    """Its origin: scheme, host and port; or a name for it, if the manifest doesn't contain its URL."""
    use: str = ""
    """What it is used for: `token_url`, `revoke_url`, `store vault`, `proxy`; empty for the API itself."""
    proxy: str = ""
    """The origin of the proxy, `environment`, or empty."""
    ca_file: str = ""
    """The file of trusted certificates; empty for those of the system."""
    client_cert: str = ""
    """The file of the client certificate; empty if there is none."""
    client_id: str = ""
    """The OAuth client; empty without OAuth."""
    place: str = ""
    """What carries it: `header X-Api-Key`; empty if that is the usual header."""
    environment_class: str = ""
    """The class of the connection's environment, for its API; it is compared and not shown."""

    @property
    def without_class(self) -> "Destination":
        """The same without the class of the environment."""
        return Destination(*self[:-1]) if self.environment_class else self

    def at(self, url: str, use: str = "", client_id: str = "") -> "Destination":
        """Return another server on the same way: with the same proxy and certificates."""
        return Destination(url, use, self.proxy, self.ca_file, self.client_cert, client_id)

    def at_api(self, url: str, environment_class: str) -> "Destination":
        """Return the API on the same way."""
        return Destination(url, "", self.proxy, self.ca_file, self.client_cert, "", "", environment_class)

    def with_use(self, use: str = "", place: str = "", client_id: str = "") -> "Destination":
        """Return the same server with another use."""
        return Destination(
            self.url, use, self.proxy, self.ca_file, self.client_cert, client_id, place, self.environment_class
        )

    @property
    def details(self) -> list[str]:
        """Its details besides the URL, for messages."""
        _, use, proxy, ca_file, client_cert, client_id, place, _ = self
        details = [use] if use else []
        if place:
            details.append(place)
        if client_id:
            details.append(f"client {client_id}")
        if proxy:
            details.append(f"proxy {proxy}")
        if ca_file:
            details.append(f"CA {ca_file}")
        if client_cert:
            details.append(f"client certificate {client_cert}")
        return details

    def text(self, shown: Callable[[str], str] = str) -> str:
        """Return its URL with its details in brackets; each is what `shown` returns for it."""
        details = ", ".join(map(shown, self.details))
        return f"{shown(self.url)} ({details})" if details else shown(self.url)

    def __str__(self) -> str:
        return self.text()


_DIRECT = Destination("")
"""What has neither a proxy nor certificates of its own."""


class Send(NamedTuple):
    """One secret, and one destination that gets it."""

    secret: str
    """The reference; or a description of a secret that has none."""
    identity: SecretIdentity
    """The identity of the secret."""
    to: Destination
    """The destination."""


def way_of(settings: Mapping[str, Any], folder: str) -> Destination:
    """Return the way of a connection or a store: a destination with its proxy and certificates, and without a URL."""
    if "tls" not in settings and "proxy" not in settings:
        return _DIRECT
    tls, proxy = settings.get("tls", {}), proxy_url(settings)
    return Destination(
        "",
        proxy=origin_of(proxy) if "://" in proxy else proxy,
        ca_file=path_in(folder, tls["ca_file"]) if "ca_file" in tls else "",
        client_cert=path_in(folder, tls["client_cert"]) if "client_cert" in tls else "",
    )


def proxy_of(base: Destination) -> Destination:
    """Return the proxy of a destination as a destination of its own: it gets its password."""
    return Destination(base.proxy, use="proxy", ca_file=base.ca_file if base.proxy.startswith("https://") else "")
