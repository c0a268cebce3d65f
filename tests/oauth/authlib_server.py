"""An authorization server of Authlib's classes, unchanged, in Flask behind TLS: client assertions and the JWT bearer grant."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion, JWTBearerGrant
from flask import Flask, request
from joserfc import jwk, jwt
from werkzeug.serving import make_server

_SIGNS = "private_key_jwt"


class ServiceClient(ClientMixin):  # type: ignore[misc]  # Authlib brings no types
    """A client that is known by its public key."""

    def __init__(self, client_id: str, key: jwk.Key) -> None:
        self.client_id = client_id
        self.key = key

    def get_client_id(self) -> str:
        return self.client_id

    def get_allowed_scope(self, scope: str | None) -> str:
        return " ".join(word for word in (scope or "").split() if word in {"read", "write"})

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return (method, endpoint) == (_SIGNS, "token")

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in {"client_credentials", JWTBearerGrant.GRANT_TYPE}


class AuthlibServer:
    """A running server, and the tokens that it has issued."""

    def __init__(self) -> None:
        self.issued: list[dict[str, Any]] = []
        self.subjects: list[str] = []
        self.url = ""
        """The token endpoint."""

    def app(self, client: ServiceClient) -> Flask:
        outer, seen = self, set[str]()
        app = Flask("authlib")
        server = AuthorizationServer(
            app,
            query_client=lambda client_id: client if client_id == client.client_id else None,
            save_token=lambda token, _request: outer.issued.append(token),
        )

        class Assertion(JWTBearerClientAssertion):  # type: ignore[misc]  # the same
            CLIENT_AUTH_METHOD = _SIGNS

            def get_audiences(self) -> list[str]:
                return [outer.url]

            def validate_jti(self, _claims: Any, jti: str) -> bool:
                is_new = jti not in seen
                seen.add(jti)
                return is_new

            def resolve_client_public_key(self, client: ServiceClient) -> jwk.Key:
                return client.key

        class Services(grants.ClientCredentialsGrant):  # type: ignore[misc]  # the same
            TOKEN_ENDPOINT_AUTH_METHODS = (_SIGNS,)

        class People(JWTBearerGrant):  # type: ignore[misc]  # the same
            def resolve_issuer_client(self, issuer: str) -> ServiceClient | None:
                return client if issuer == client.client_id else None

            def resolve_client_public_key(self, client: ServiceClient) -> jwk.Key:
                return client.key

            def authenticate_user(self, subject: str) -> str | None:
                outer.subjects.append(subject)
                return subject if subject == "person" else None

            def get_audiences(self) -> list[str]:
                return [outer.url]

            def has_granted_permission(self, _client: Any, _user: Any) -> bool:
                return True

        server.register_client_auth_method(_SIGNS, Assertion())
        server.register_grant(Services)
        server.register_grant(People)
        app.route("/token", methods=["POST"])(server.create_token_response)
        _add_api(app, self, client)
        return app


def _add_api(app: Flask, server: AuthlibServer, client: ServiceClient) -> None:
    """Add an API that takes the tokens of the server, and a login call that takes a JWT."""

    def me() -> tuple[dict[str, Any], int]:
        """Answer as an API does that takes the tokens of this server."""
        known = {f"Bearer {token['access_token']}" for token in server.issued}
        return ({"items": []}, 200) if request.headers.get("Authorization") in known else ({}, 401)

    app.route("/me")(me)

    def installation() -> tuple[dict[str, Any], int]:
        """Answer as GitHub does to an app's JWT, by its OpenAPI description (`apps/create-installation-access-token`), read 2026-11-29."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        jwt.JWTClaimsRegistry(iss={"essential": True, "value": client.client_id}).validate(
            jwt.decode(given, client.key).claims
        )
        token = {"access_token": f"ghs_{len(server.issued)}{secrets.token_hex(16)}"}
        server.issued.append(token)
        return {"token": token["access_token"], "expires_at": "2099-07-11T22:14:10Z"}, 201

    app.route("/app/installations/1/access_tokens", methods=["POST"])(installation)


@contextmanager
def running_authlib(context: ssl.SSLContext, client: ServiceClient) -> Iterator[AuthlibServer]:
    """Run one on loopback."""
    server = AuthlibServer()
    http = make_server("127.0.0.1", 0, server.app(client), ssl_context=context)
    server.url = f"https://localhost:{http.server_port}/token"
    thread = Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
