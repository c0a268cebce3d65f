"""Client assertions and the JWT bearer grant (RFC 7523) at a server of Authlib's classes, which another library verifies."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat

from connform.auth.kit.jwt_signer import JwtSigner, JwtTemplate
from connform.auth.oauth.client_authentication import App
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.auth.tokens.client_credentials import ClientCredentials
from connform.auth.tokens.interface import TokenRequest
from connform.auth.tokens.jwt_bearer import JwtBearer
from connform.errors import ConnectionFailed
from connform.http.settings import ClientSettings
from connform.secret import Secret
from tests.conftest import require_library
from tests.end_to_end.conftest import Issuer
from tests.private_keys import RSA_KEY, assert_no_key, pem_of
from tests.tracebacks.walk import shown

require_library("authlib")
require_library("joserfc")

from joserfc import jwk  # noqa: E402

from tests.oauth.authlib_server import AuthlibServer, ServiceClient, running_authlib  # noqa: E402

PEM = pem_of(RSA_KEY, PrivateFormat.TraditionalOpenSSL).replace("\n", "\\n")
ACCOUNT = json.dumps({"type": "service_account", "private_key": PEM.replace("\\n", "\n")})


@pytest.fixture
def server(authority: Issuer) -> Iterator[AuthlibServer]:
    public = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    client = ServiceClient("acme", jwk.import_key(public, "RSA"))
    with running_authlib(authority.loopback(), client) as running:
        yield running


def signer(server: AuthlibServer, secret: str = PEM, at: str = "", **changes: Any) -> JwtSigner:
    template = JwtTemplate("RS256", issuer="acme", subject="acme", audience=server.url, key_id="1")
    return JwtSigner(template._replace(**changes), Secret(secret), key="private_key", at=at)


def endpoint(server: AuthlibServer, ca_file: Path, app: App) -> TokenEndpoint:
    return TokenEndpoint(server.url, app, ClientSettings(server.url, ca_file=ca_file))


def services(server: AuthlibServer, ca_file: Path, made: JwtSigner) -> ClientCredentials:
    return ClientCredentials(endpoint(server, ca_file, App("acme", None, "private_key_jwt", made)), ["read"], {})


def people(server: AuthlibServer, ca_file: Path, made: JwtSigner) -> JwtBearer:
    return JwtBearer(endpoint(server, ca_file, App("", None)), made, ["read"], {})


def test_a_signed_assertion_authenticates_a_client(server: AuthlibServer, ca_file: Path) -> None:
    request = services(server, ca_file, signer(server))
    tokens = [request.obtain(time.monotonic() + 30).access_token.reveal() for _ in range(2)]
    assert tokens == [issued["access_token"] for issued in server.issued], "each assertion is good once"


@pytest.mark.parametrize(("secret", "at"), [(PEM, ""), (ACCOUNT, "/private_key")], ids=["PEM", "a service account"])
def test_a_jwt_obtains_a_token_for_its_subject(server: AuthlibServer, ca_file: Path, secret: str, at: str) -> None:
    made = signer(server, secret, at, subject="person", audience=(server.url,), claims={"scope": "read"})
    tokens = people(server, ca_file, made).obtain(time.monotonic() + 30)
    assert tokens.access_token.reveal() == server.issued[0]["access_token"]
    assert (tokens.lifetime_s is not None, tokens.scopes, server.subjects) == (True, ("read",), ["person"])


REFUSED: dict[str, dict[str, Any]] = {
    "another audience": {"audience": "https://another.example"},
    "another issuer": {"issuer": "nobody"},
    "another subject": {"subject": "nobody"},
    "no subject": {"subject": ""},
}


@pytest.mark.parametrize(
    ("flow", "case"),
    [*((services, case) for case in REFUSED), *((people, case) for case in REFUSED if case != "no subject")],
)
def test_what_the_server_refuses_is_rejected_and_shows_nothing(
    server: AuthlibServer, ca_file: Path, flow: Any, case: str
) -> None:
    request: TokenRequest = flow(server, ca_file, signer(server, **REFUSED[case]))
    with pytest.raises(ConnectionFailed) as raised:
        request.obtain(time.monotonic() + 30)
    assert raised.value.fault.name == "client_credentials_rejected", raised.value.message
    assert server.issued == []
    for where, data in shown(raised.value):
        assert_no_key(PEM.replace("\\n", "\n"), data, where=where)


def test_another_key_is_rejected(server: AuthlibServer, ca_file: Path) -> None:
    other = pem_of(rsa.generate_private_key(65537, 2048))
    for flow in (services, people):
        with pytest.raises(ConnectionFailed) as raised:
            flow(server, ca_file, signer(server, other)).obtain(time.monotonic() + 30)
        assert raised.value.fault.name == "client_credentials_rejected"
