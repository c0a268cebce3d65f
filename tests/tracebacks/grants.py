"""Turns every way in which a token endpoint can fail into the exception that its caller gets, for each call and way to authenticate."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519

from connform.auth.kit.jwt_signer import JwtSigner, JwtTemplate
from connform.auth.oauth.client_authentication import App
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.database.memory import MemoryStore
from connform.http import ClientSettings, async_client, sync_client
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD
from tests.http import servers
from tests.http.exchanging import settings_for
from tests.http.servers import HOST, Authority, Connection, Server, answer, head, raw, redirect
from tests.http.test_stages import BELOW_TLS
from tests.oauth.setting import TOKEN_URL, body, credential, error, grant
from tests.private_keys import pem_of

KEY = pem_of(ed25519.Ed25519PrivateKey.generate())
SIGNER = JwtSigner(JwtTemplate("EdDSA", issuer="acme", subject="acme", audience="a"), Secret(KEY), key="private_key")
TOKENS = body(access_token=API_KEY, refresh_token=API_KEY)
ECHO = f'{{"error": "invalid_scope", "error_description": "{API_KEY}"}}'.encode()


ANSWERS: dict[str, servers.Behaviour] = {
    "the grant is refused": error("invalid_grant"),
    "the app is refused": error("invalid_client", 401),
    "the request is refused": answer(ECHO, status=400),
    "another error": error("nothing_known", 418),
    "500": answer(b"<html>", status=500),
    "503": answer(TOKENS, status=503),
    "429": answer(b"", "Retry-After: 7", status=429),
    "redirect": redirect("https://sink.example.test/"),
    "reset": servers.reset,
    "reset behind the request": raw(then=servers.reset),
    "closed": raw(),
    "junk": raw(b"junk\r\n\r\n"),
    "silence": servers.silent,
    "tokens that are cut": raw(head(200, [f"Content-Length: {len(TOKENS) + 9}"]), TOKENS),
    "tokens, then silence": raw(head(200, [f"Content-Length: {len(TOKENS) + 9}"]), TOKENS, then=servers.silent),
    "damaged gzip": answer(TOKENS, "Content-Encoding: gzip"),
}
UNREADABLE: dict[str, servers.Behaviour] = {
    "a page": answer(b"<html>" + TOKENS),
    "nothing": answer(b"", status=204),
    "no access token": answer(body(access_token=None, refresh_token=API_KEY)),
    "a refresh token of another kind": answer(body(access_token=API_KEY, refresh_token=[API_KEY])),
    "another type of token": answer(body(access_token=API_KEY, token_type="mac")),
    "a token that no header can carry": answer(body(access_token=f"{API_KEY} {API_KEY}")),
    "a life of no number": answer(body(access_token=f"{API_KEY}\n", expires_in=[API_KEY])),
}
"""Successes, for a revocation."""


def _calls(endpoint: TokenEndpoint) -> dict[str, Callable[[], object]]:
    code, verifier, token = Secret(API_KEY), Secret(AWKWARD), Secret(AWKWARD)
    return {
        "exchange": lambda: endpoint.exchange(code, verifier, "https://localhost/auth"),
        "refresh": lambda: endpoint.refresh(token),
        "revoke": lambda: endpoint.revoke(f"https://{HOST}/revoke", token, "refresh_token"),
    }


def errors_of(stack: ExitStack, authority: Authority) -> dict[str, BaseException]:
    """Return what each call raises; the servers live as long as the stack."""
    jobs: dict[str, Callable[[], object]] = {}

    def settings(behaviour: servers.Behaviour, *, tls: bool = True) -> ClientSettings:
        context = authority.server() if tls else None
        server = stack.enter_context(Server(behaviour, tls=context, ca_pem=authority.pem))
        return settings_for(server, credential=None)

    places = {name: settings(behaviour) for name, behaviour in (ANSWERS | UNREADABLE).items()}
    places |= {f"in the handshake: {name}": settings(case[0], tls=False) for name, case in BELOW_TLS.items()}
    with Server(answer()) as closed:
        places["port closed"] = settings_for(closed, credential=None)
    for name, place in places.items():
        for authentication in ("basic", "body", "private_key_jwt"):
            endpoint = TokenEndpoint(TOKEN_URL, App("acme", Secret(AWKWARD), authentication, SIGNER), place)
            for call, work in _calls(endpoint).items():
                if not (call == "revoke" and name in UNREADABLE):
                    jobs[f"{name}, {call}, {authentication}"] = work
    with ThreadPoolExecutor(16) as pool:
        return dict(zip(jobs, pool.map(_failure, jobs.values()), strict=True))


def _failure(work: Callable[[], object]) -> BaseException:
    try:
        work()
    except Exception as error:  # noqa: BLE001  (looked at by the test)
        return error
    raise AssertionError


def client_of(server: Server, *, is_async: bool = False, **settings: Any) -> Any:
    """Return a ready client whose access token has ended."""
    store = MemoryStore()
    store.grants["customer"] = grant()._replace(access_token=Secret(API_KEY))
    holder = credential(server, store, **settings)
    return (async_client if is_async else sync_client)(settings_for(server, credential=holder))


def renews_then(behaviour: servers.Behaviour) -> servers.Behaviour:
    """Answer a renewal with tokens, and other requests in some way."""

    def behave(connection: Connection) -> None:
        if connection.server.connections == 1:
            answer(TOKENS)(connection)
        else:
            behaviour(connection)

    return behave
