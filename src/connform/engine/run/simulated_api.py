"""What the simulator plays for a connection: its API, and the server that issues its tokens, with synthetic secrets.

Layer 3, no IO. It goes by what an auth method does, not by its name, and imports what signs JWTs only for methods that sign.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from connform.auth.described.kinds import JWT
from connform.auth.interface import AuthInputs, AuthMethod
from connform.auth.kit.client import filled
from connform.auth.kit.jwt_settings import key_name, signer
from connform.auth.kit.sent_secrets import placement_of
from connform.auth.kit.token_placement import placed_lines
from connform.database.memory import MemoryStore, MemoryTokens
from connform.engine.load.catalog import method_of, provider_of
from connform.engine.run.resolve import inputs_of
from connform.engine.run.simulated_client import revealed, simulated_client
from connform.http.credential import HeaderLines
from connform.http.settings import ClientSettings
from connform.manifest.model import Connection
from connform.secret import Secret
from connform.simulator.accepted import OBTAINED, SentCredential
from connform.simulator.login_calls import SimulatedLogin

if TYPE_CHECKING:
    from connform.simulator import Simulator
    from connform.simulator.keys import SyntheticKey

_CHANGES = Secret(OBTAINED)


def play(simulator: Simulator, name: str, connection: Connection) -> Mapping[str, Secret]:
    """Make synthetic secrets for a connection, and have the simulator take them where its auth method sends them.

    Args:
        simulator: plays its API and the server of its tokens.
        name: the name of the connection, unique over all folders.
        connection: the connection.

    Raises:
        ConnectionFailed: as for the auth method's `credential`.
    """
    method, root = method_of(connection), provider_of(connection).instance(connection).base_url
    bare = inputs_of(connection, {}, ClientSettings(root), MemoryStore, MemoryTokens)
    key = _signing_key(bare.settings)
    secrets = {name: Secret(simulator.issue_api_key()) for name in connection.auth.references}
    if key:
        secrets[key_name(bare.settings)] = Secret(key.stored(bare.settings["jwt"].get("key_at", "")))
    inputs = bare._replace(secrets=secrets)
    lines = _lines(method, inputs)
    if lines is not None:
        headers, parameters = (_texts(pairs) for pairs in (lines.reveal(), lines.reveal_parameters()))
        own_jwt = None if _gets_token(method) or key is None else _check(key, inputs, root)
        simulator.accept(name, SentCredential.of(root, headers, parameters, own_jwt))
    if _gets_token(method) and "login" in inputs.settings:
        simulator.serve_login(name, _login_call(inputs, key))
    elif _gets_token(method):
        client, endpoints = simulated_client(inputs, lambda audience: _check(key, inputs, audience) if key else None)
        simulator.serve(name, client, endpoints)
    return secrets


def _gets_token(method: AuthMethod) -> bool:
    return getattr(method, "obtains_token", False) or getattr(method, "uses_grant", False)


def _lines(method: AuthMethod, inputs: AuthInputs) -> HeaderLines | None:
    """Return what each request carries, with `OBTAINED` for what changes; `None` if only the method of a package knows that."""
    if _gets_token(method):
        return placed_lines(inputs)[0](_CHANGES)
    if _jwt(inputs.settings):
        return placed_lines(inputs, JWT)[0](_CHANGES)
    credential = method.credential(inputs)
    return None if credential.is_renewable else credential.headers()


def _texts(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in pairs}


def _signing_key(settings: Mapping[str, Any]) -> SyntheticKey | None:
    if not (jwt := _jwt(settings)):
        return None
    from connform.simulator.keys import SyntheticKey

    return SyntheticKey(jwt["alg"])


def _jwt(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what says how JWTs are signed; nothing for a method that signs none, whatever else a package calls `jwt`."""
    jwt = settings.get("jwt")
    return jwt if isinstance(jwt, Mapping) and "alg" in jwt else {}


def _check(key: SyntheticKey, inputs: AuthInputs, audience: str) -> Callable[[str], bool]:
    """Return a function that says whether a text is a JWT that the connection signed for an audience."""
    said = signer(inputs, audience=audience).binding
    registered = {"iss": said["issuer"], "sub": said["subject"], "aud": said["audience"]}
    claims = {**said["claims"], **{name: value for name, value in registered.items() if value}}
    thumbprint = urlsafe_b64encode(bytes.fromhex(said["thumbprint"].replace(":", ""))).rstrip(b"=").decode()
    headers = {"kid": said["key_id"], "x5t#S256": thumbprint}
    return lambda token: key.has_signed(token, claims, headers)


def _login_call(inputs: AuthInputs, key: SyntheticKey | None) -> SimulatedLogin:
    login = inputs.settings["login"]
    url = inputs.server.login_url or login["url"]
    body = next((key for key in ("form", "json") if key in login), "")
    lines = placement_of(login).lines({**inputs.secrets, JWT: _CHANGES}, inputs.values)
    lifetime = login.get("lifetime", {})
    return SimulatedLogin(
        url,
        body,
        revealed(filled(login.get(body, {}), inputs)),
        login["token_at"],
        headers=_texts(lines.reveal()),
        has_signed=_check(key, inputs, url) if key else lambda _: False,
        lifetime_s=lifetime.get("seconds"),
        seconds_at=lifetime.get("seconds_at", ""),
        time_at=lifetime.get("time_at", ""),
    )
