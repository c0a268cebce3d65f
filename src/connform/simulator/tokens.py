"""The token endpoint of the simulated authorization server: what each grant gets.

Layer 2, no IO. RFC 6749 §4.1.3, §4.4, §5 and §6; RFC 7523 §2.1; RFC 8628 §3.4.
"""

from __future__ import annotations

from collections.abc import Sequence

from connform.simulator.clients import Client, body_format
from connform.simulator.device import DeviceLogins
from connform.simulator.grants import Issued, IssuedGrants
from connform.simulator.messages import NO_STORE, Reply, Request, json_reply

CLIENT_CREDENTIALS = "client_credentials"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
WITH_PERSON = frozenset({"authorization_code", "refresh_token", DEVICE_CODE})
"""The grants behind which a person is."""
_NEEDED = {
    "authorization_code": "code",
    "refresh_token": "refresh_token",
    DEVICE_CODE: "device_code",
    JWT_BEARER: "assertion",
    CLIENT_CREDENTIALS: "grant_type",
}
"""Grant → the parameter that it needs."""


class SimulatedTokenEndpoint:
    """The token endpoints of all hosts."""

    def __init__(self, grants: IssuedGrants, devices: DeviceLogins) -> None:
        self._grants = grants
        self._devices = devices

    def answer(self, request: Request, server: str, clients: Sequence[Client], form: dict[str, str]) -> Reply:
        """Return the answer to a token request.

        Args:
            request: the request.
            server: the authorization server, by the host of its token endpoint.
            clients: who sent it; several where connections share a client.
            form: its parameters.
        """
        grant_type = form.get("grant_type", "")
        if grant_type not in _NEEDED:
            return error_answer("unsupported_grant_type" if grant_type else "invalid_request")
        able = [client for client in clients if grant_type in client.grant_types]
        if not able:
            return error_answer("unauthorized_client")
        able = [one for one in able if one.body == body_format(request) and one.parameters.items() <= form.items()]
        if not able or not form.get(_NEEDED[grant_type]):
            return error_answer("invalid_request")
        result = self._issue(grant_type, server, able, form)
        return error_answer(result) if isinstance(result, str) else self._tokens(result)

    def _issue(self, grant_type: str, server: str, clients: Sequence[Client], form: dict[str, str]) -> Issued | str:
        client_id, scopes = clients[0].client_id, tuple(form.get("scope", "").split())
        match grant_type:
            case "authorization_code":
                place = server, client_id, form.get("redirect_uri", "")
                return self._grants.redeem(form["code"], *place, form.get("code_verifier", "")) or _INVALID_GRANT
            case "refresh_token":
                return self._grants.refresh(form["refresh_token"], server, client_id) or _INVALID_GRANT
            case device if device == DEVICE_CODE:
                return self._devices.poll(form["device_code"], server, client_id)
            case bearer if bearer == JWT_BEARER and not any(one.signed(form["assertion"]) for one in clients):
                return _INVALID_GRANT
        return self._grants.without_person(scopes)

    def _tokens(self, issued: Issued) -> Reply:
        content = {
            "access_token": issued.access_token,
            "token_type": "Bearer",
            "expires_in": self._grants.token_lifetime_s,
            "scope": " ".join(issued.scopes),
        }
        if issued.refresh_token:
            content["refresh_token"] = issued.refresh_token
        return Reply(200, json_reply(200, content).body, headers=NO_STORE)


_INVALID_GRANT = "invalid_grant"


def error_answer(name: str) -> Reply:
    """Return an error of the token endpoint (RFC 6749 §5.2)."""
    return Reply(400, json_reply(400, {"error": name}).body, headers=NO_STORE)
