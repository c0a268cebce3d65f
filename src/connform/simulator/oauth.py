"""The simulated authorization server: below `/connect/` on every host, and at the endpoints of connections.

Layer 2, no IO. RFC 6749 §4.1; RFC 7009; RFC 8414; RFC 8628; RFC 9207. The vendor documents authorize and token [oauth].
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import parse_qsl

from connform.simulator.clients import Client, basic_credentials, parameters_of
from connform.simulator.consent import authorize
from connform.simulator.device import VERIFICATION_PATH, DeviceLogins, page
from connform.simulator.endpoints import KIND_OF_PATH, KINDS, metadata, place_of
from connform.simulator.grants import Consent, IssuedGrants
from connform.simulator.messages import NO_STORE, Reply, Request, json_reply
from connform.simulator.tokens import CLIENT_CREDENTIALS, WITH_PERSON, SimulatedTokenEndpoint

_CHALLENGE = ("WWW-Authenticate", 'Basic realm="simulator"')
_INVALID_CLIENT = Reply(401, json_reply(401, {"error": "invalid_client"}).body, headers=(_CHALLENGE, *NO_STORE))
_Endpoint: TypeAlias = "Callable[[Request, str, Sequence[Client], dict[str, str]], Reply]"


class OAuth:
    """One authorization server per host of a token endpoint."""

    def __init__(self, grants: IssuedGrants) -> None:
        self._grants = grants
        self.devices = DeviceLogins(grants)
        """The logins by device code."""
        self._tokens = SimulatedTokenEndpoint(grants, self.devices)
        self._secrets: dict[str, str] = {}
        self._endpoints: dict[tuple[str, str], tuple[str, str]] = {}
        """Host and path → kind of endpoint, and the server's name."""
        self._clients: dict[tuple[str, str], dict[str, Client]] = defaultdict(dict)
        """Server's name and client id → connection → its client."""
        self._client_ids: dict[tuple[str, str], str] = {}
        """Server's name and connection → the id of its client."""
        self._servers: set[str] = set()
        """The names of the servers that know their clients."""

    def register(self, client_id: str, client_secret: str) -> None:
        """Accept only this secret for the client from now on; a client that isn't registered may use any secret, or none."""
        self._secrets[client_id] = client_secret

    def serve(self, connection: str, client: Client, endpoints: Mapping[str, str]) -> None:
        """Play the server of a connection; arguments as for `Simulator.serve`."""
        server = place_of(endpoints.get("token_url") or endpoints["issuer"])[0]
        if (former := self._client_ids.get((server, connection))) is not None:
            self._clients[server, former].pop(connection, None)
        self._clients[server, client.client_id][connection] = client
        self._client_ids[server, connection] = client.client_id
        self._servers.add(server)
        for kind, url in endpoints.items():
            if kind in KINDS:
                known_as = "token_url" if kind == "refresh_url" else kind
                self._endpoints[place_of(url)] = known_as, server

    def answer_served(self, request: Request) -> Reply | None:
        """Return the answer of an endpoint of a connection; `None` if the request is for none."""
        kind, server = self._endpoints.get((request.host, request.path), ("", ""))
        return self._answer(request, kind, server)

    def answer(self, request: Request) -> Reply | None:
        """Return the answer of an endpoint below `/connect/`; `None` if the request is for none."""
        if request.path == VERIFICATION_PATH:
            return self._verify(request)
        return metadata(request) or self._answer(request, KIND_OF_PATH.get(request.path, ""), request.host)

    def _answer(self, request: Request, kind: str, server: str) -> Reply | None:
        if kind == "authorize_url" and request.method in {"GET", "POST"}:
            return authorize(request, server, self._grants)
        endpoints: dict[str, _Endpoint] = {
            "token_url": self._tokens.answer,
            "revoke_url": self._revoke,
            "device_authorization_url": self._begin_device_login,
        }
        if kind not in endpoints or request.method != "POST":
            return None
        form = parameters_of(request)
        clients = self._authenticated(request, server, form)
        return endpoints[kind](request, server, clients, form) if clients else _INVALID_CLIENT

    def _authenticated(self, request: Request, server: str, form: Mapping[str, str]) -> list[Client]:
        """Return the clients that a request may be from; none if it shows what none of them has."""
        client_id, secret = basic_credentials(request)
        client_id = client_id or form.get("client_id", "")
        if server in self._servers:
            right = self._secrets.get(client_id)
            known = list(self._clients.get((server, client_id), {}).values())
            return [one for one in known if one.authenticates(request, form, one.secret if right is None else right)]
        secret = secret or form.get("client_secret", "")
        if not client_id or self._secrets.get(client_id, secret) != secret:
            return []
        return [Client(client_id, WITH_PERSON | ({CLIENT_CREDENTIALS} if secret else set()))]

    def _revoke(self, _request: Request, _server: str, _clients: Sequence[Client], form: dict[str, str]) -> Reply:
        self._grants.revoke(form.get("token", ""))
        return Reply(200)

    def _begin_device_login(
        self, request: Request, server: str, clients: Sequence[Client], form: dict[str, str]
    ) -> Reply:
        consent = Consent(server, clients[0].client_id, tuple(form.get("scope", "").split()))
        return Reply(200, json_reply(200, self.devices.begin(consent, request.origin)).body, headers=NO_STORE)

    def _verify(self, request: Request) -> Reply:
        if request.method != "POST":
            return Reply(200, page(dict(parse_qsl(request.query)).get("user_code", "")), "text/html", NO_STORE)
        form = parameters_of(request)
        is_known = self.devices.decide(form.get("user_code", ""), allow=form.get("decision") == "allow")
        said = b"That is all: go back to your device." if is_known else b"No login waits with this code."
        return Reply(200 if is_known else 400, b"<!doctype html><p>" + said, "text/html", NO_STORE)
