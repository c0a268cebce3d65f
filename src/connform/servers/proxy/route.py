"""One connection as the proxy offers it: what is allowed, what is added, and where its root is. Layer 4, uses the network."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from connform.http.forwarder import Forwarder
from connform.http.query import with_defaults
from connform.http.settings import ClientSettings
from connform.manifest.allow import AllowTable


class Route:
    """One connection."""

    def __init__(self, settings: ClientSettings, tables: Sequence[AllowTable]) -> None:
        """Take the settings of its client, and the tables of which each has to allow a request."""
        self.forwarder = Forwarder(settings)
        """Sends its requests."""
        self.tables = tables
        """What is allowed; empty for everything below the root."""
        self.api_root = settings.base_url.rstrip("/")
        """The base URL without a slash at its end."""
        self.root_path = urlsplit(self.api_root).path
        """Its path; empty where it has none."""
        self.name = settings.name
        """The connection's name."""
        self.default_headers = {
            b"user-agent": settings.user_agent.encode(),
            **{name.lower().encode(): value.encode() for name, value in settings.headers.items()},
        }
        """Headers that are added where the client sends none of that name."""
        self._default_query = settings.query

    def target(self, path: str, query: bytes) -> bytes:
        """Return the target at the API of a request, with the plain parameters of the connection that it lacks."""
        if self._default_query:
            query = with_defaults(query, self._default_query)
        return path.encode("ascii") + (b"?" + query if query else b"")
