"""Embedded simulator of iinked Sign, and of the APIs of other connections, on 127.0.0.1, for rehearsals and tests.

Layer 2; IO: loopback, once started. It uses TLS with its own CA, the vendor's host names, synthetic credentials and
answers. Starting it needs the extra `connform[simulator]`; importing this module doesn't.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from connform.errors import ConnformError
from connform.secret import Secret
from connform.simulator.accepted import AcceptedCredentials, SentCredential
from connform.simulator.api import SimulatedApi
from connform.simulator.clients import Client
from connform.simulator.credentials import Credentials
from connform.simulator.faults import ShownFaults
from connform.simulator.grants import Consent, IssuedGrants
from connform.simulator.login_calls import LoginCalls, SimulatedLogin
from connform.simulator.messages import Reply, Request, SeenRequest
from connform.simulator.oauth import OAuth

if TYPE_CHECKING:
    from connform.simulator.server import TlsServer

__all__ = ["SeenRequest", "Simulator"]

_reply = lru_cache(maxsize=1024)(Reply)
"""Returns one reply for the thousands of hosts that answer the same."""


class Simulator:
    """A simulated iinked Sign on 127.0.0.1, in threads of this process; a context manager.

    Each start makes a new CA. A stop keeps credentials, faults and the record of requests.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        faults: Mapping[str, str] | None = None,
        token_lifetime_s: float = 3600.0,
        remembered_requests: int = 10_000,
    ) -> None:
        """Create a simulator without starting it.

        Args:
            port: where to listen once started; 0 lets the system choose.
            faults: host names with the fault that each shows, as if `fail` were called with each pair.
            token_lifetime_s: lifetime of a grant's access token, in seconds.
            remembered_requests: how many requests `requests` has.

        Raises:
            ConnformError: there is no such fault.
        """
        self._port = port
        self._server: TlsServer | None = None
        self._credentials = Credentials()
        self._grants = IssuedGrants(self._credentials, token_lifetime_s)
        self._accepted = AcceptedCredentials(self._credentials.is_token)
        self._oauth = OAuth(self._grants)
        self._logins = LoginCalls(self._credentials, token_lifetime_s)
        self._faults = ShownFaults()
        self._api = SimulatedApi(self._credentials, self._accepted, self._oauth, self._logins, self._faults.replies)
        self.secrets: dict[str, tuple[Mapping[str, Any], Mapping[str, Secret]]] = {}
        """Connection → the settings that its synthetic secrets were made for, and the secrets: all clients of a connection share them."""
        self._requests: deque[SeenRequest] = deque(maxlen=remembered_requests)
        for host, fault in (faults or {}).items():
            self.fail(host, fault)

    def start(self) -> Self:
        """Start to listen; does nothing if it is started already.

        Raises:
            ConnformError: an optional library is missing.
            OSError: the port is taken.
        """
        from connform.simulator.server import TlsServer

        if self._server is None:
            self._server = TlsServer(self._port, self._answer, self._requests.append)
        return self

    def stop(self) -> None:
        """End every connection, join every thread and release the port; does nothing if it is not started."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def address(self) -> tuple[str, int]:
        """The IP address and port on which it listens."""
        return self._require_server().address

    @property
    def ca_pem(self) -> bytes:
        """The certificate of its CA, in PEM."""
        return self._require_server().certificates.ca_pem

    @property
    def requests(self) -> list[SeenRequest]:
        """The last requests, oldest first, without headers and bodies."""
        return list(self._requests)

    @property
    def token_lifetime_s(self) -> float:
        """Lifetime of a grant's access token, in seconds."""
        return self._grants.token_lifetime_s

    def route(self, host: str, port: int) -> tuple[str, int]:  # noqa: ARG002  (every port is the simulator's)
        """Return the address to dial for `host` and `port`; the certificate of the server there covers `host`."""
        server = self._require_server()
        server.certificates.cover(host)
        return server.address

    def issue_api_key(self, host: str = "") -> str:
        """Return a fresh synthetic API key, accepted on `host` only, or on any host if that is empty."""
        return self._credentials.issue_api_key(host)

    def accept_api_key(self, key: str) -> None:
        """Accept a synthetic API key on any host from now on."""
        self._credentials.accept_api_key(key)

    def issue_token(self, host: str = "") -> str:
        """Return a fresh synthetic bearer token, accepted on `host` only, or on any host if that is empty."""
        return self._credentials.issue_token(host)

    def issue_grant(
        self, host: str, client_id: str = "simulated-app", scopes: Sequence[str] = ("profile", "offline_access")
    ) -> tuple[str, str]:
        """Return the access token and the refresh token of a new grant by the server `host`."""
        issued = self._grants.grant(Consent(host.lower(), client_id, tuple(scopes)))
        return issued.access_token, issued.refresh_token

    def register_client(self, client_id: str, client_secret: str) -> None:
        """Accept only this secret for the client from now on; a client that isn't registered may use any secret."""
        self._oauth.register(client_id, client_secret)

    def authorize(self, url: str, *, allow: bool = True) -> str:
        """Allow or deny a login as a person does at its URL, and return the URL to which their browser is sent.

        Raises:
            ConnformError: `url` is not a valid authorization request (RFC 6749 §4.1.2.1).
        """
        parts = urlsplit(url)
        decision = b"decision=allow" if allow else b"decision=deny"
        request = Request("POST", parts.hostname or "", parts.path, {}, decision, parts.query, parts.netloc)
        reply = self._oauth.answer_served(request) or self._oauth.answer(request)
        location = dict(reply.headers).get("Location") if reply else None
        if location is None:
            raise ConnformError("the simulator can't answer this login: see response_type, client_id and redirect_uri")
        return location

    def authorize_device(self, user_code: str, *, allow: bool = True) -> None:
        """Allow or deny a login by device code as a person does who enters its code (RFC 8628 §3.3).

        Raises:
            ConnformError: no login waits with this code.
        """
        if not self._oauth.devices.decide(user_code, allow=allow):
            raise ConnformError("no login waits with this code: it was used already, is too old, or is another one's")

    def fail(self, host: str, fault: str, *, path: str = "", times: int | None = None) -> None:
        """Answer requests to `host` with a fault from now on.

        Args:
            host: the host name.
            fault: its name in `connform.faults`; "" ends the fault. `refresh_interrupted` handles the request and sends
                no answer; `slow_token` answers two seconds late.
            path: the only path with the fault, as `/connect/token`; empty for every path.
            times: how many requests get it; `None` for all until it is ended.

        Raises:
            ConnformError: the simulator has no such fault.
        """
        self._faults.show(host, path, fault, float("inf") if times is None else times)

    def reply(
        self,
        host: str,
        method: str,
        path: str,
        status: int,
        content_type: str,
        body: bytes,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Answer requests with a valid credential so from now on; hosts of iinked Sign answer as documented."""
        self._api.replies[host.lower(), method, path] = _reply(status, body, content_type, tuple(headers))

    def reply_to_fault(
        self,
        host: str,
        fault: str,
        status: int,
        content_type: str,
        body: bytes,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Show a fault of `host` so from now on; `auth_rejected` is also what a request without a valid credential gets."""
        self._faults.replies[host.lower(), fault] = _reply(status, body, content_type, tuple(headers))

    def accept(self, connection: str, credential: SentCredential) -> None:
        """Accept what a connection sends to its API, in place of what it sent before; other requests to that API are refused."""
        self._accepted.add(connection, credential)

    def serve(self, connection: str, client: Client, endpoints: Mapping[str, str]) -> None:
        """Play the authorization server of a connection, which from now on knows its clients.

        Args:
            connection: which connection the client belongs to.
            client: the client, in place of the connection's former one.
            endpoints: kind of endpoint (`endpoints.KINDS`) → its URL; `token_url`, or the URL of the `issuer`, names the server.
        """
        self._oauth.serve(connection, client, endpoints)

    def serve_login(self, connection: str, call: SimulatedLogin) -> None:
        """Answer the login call of a connection with a token; any other request to its address is refused."""
        self._logins.add(connection, call)

    def _answer(self, request: Request) -> Reply:
        return self._faults.reply(request, self._api.answer)

    def _require_server(self) -> TlsServer:
        if self._server is None:
            raise ConnformError("the simulator is not started: use it in a `with` statement, or call start()")
        return self._server
