"""The client credentials grant at an OAuth server that was not written here, with each way to authenticate."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from connform.auth.kit.jwt_signer import JwtSigner, JwtTemplate
from connform.auth.oauth.client_authentication import App
from connform.auth.oauth.server import TokenOptions
from connform.auth.oauth.token_answer import Tokens
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.auth.tokens.client_credentials import ClientCredentials
from connform.auth.tokens.interface import binding_text
from connform.errors import ConnectionFailed
from connform.http.settings import ClientSettings
from connform.secret import Secret
from tests.canary import assert_no_canary
from tests.end_to_end.conftest import Issuer
from tests.oauth.provider import Provider
from tests.private_keys import assert_no_key
from tests.tracebacks.walk import shown


def signer(provider: Provider, **changes: Any) -> JwtSigner:
    template = JwtTemplate("ES256", issuer="service-key", subject="service-key", audience=provider.origin)
    return JwtSigner(template._replace(**changes), Secret(provider.service_key), key="private_key")


def request_of(
    provider: Provider, app: App, options: TokenOptions | None = None, query: str = "", **settings: Any
) -> ClientCredentials:
    reach = ClientSettings(f"{provider.origin}/api/v1", ca_file=provider.ca_file, **settings)
    url = f"{provider.origin}/connect/token{query}"
    endpoint = TokenEndpoint(url, app, reach, options=options or TokenOptions())
    return ClientCredentials(endpoint, ["profile", "organization"], {"root": provider.origin})


def status_with(provider: Provider, tokens: Tokens) -> int:
    """Return what the API answers to a token."""
    trust = ssl.create_default_context(cafile=provider.ca_file)
    headers = {"Authorization": f"Bearer {tokens.access_token.reveal()}"}
    return httpx.get(f"{provider.origin}/api/v1/me", headers=headers, verify=trust).status_code


@pytest.fixture
def certificate(authority: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("service") / "service.pem"
    file.write_bytes(authority.ca.issue_cert("service.example.test").private_key_and_cert_chain_pem.bytes())
    file.chmod(0o600)
    return file


def apps(provider: Provider) -> Mapping[str, App]:
    return {
        "basic": App("service-basic", Secret(provider.client_secret)),
        "body": App("service-body", Secret(provider.client_secret), "body"),
        "private_key_jwt": App("service-key", None, "private_key_jwt", signer(provider)),
        "tls_client_auth": App("service-certificate", None, "tls_client_auth"),
    }


@pytest.mark.parametrize("way", ["basic", "body", "private_key_jwt", "tls_client_auth"])
def test_a_token_from_request_to_end(provider: Provider, certificate: Path, way: str) -> None:
    settings: dict[str, Any] = {"client_cert": certificate} if way == "tls_client_auth" else {}
    request = request_of(provider, apps(provider)[way], query="?tenant=acme", **settings)
    before = provider.counts["service"]
    first = request.obtain(time.monotonic() + 30)
    assert (first.scopes, first.refresh_token, first.lifetime_s) == (("profile", "organization"), None, 2)
    answered = status_with(provider, first)
    assert answered in {200, 401}, "on a loaded machine, the token may have ended"
    time.sleep(2.1)
    assert status_with(provider, first) == 401, "it has ended"
    again = request.obtain(time.monotonic() + 30)  # a JWT is signed anew: its `jti` is good once
    assert again.access_token.reveal() != first.access_token.reveal()
    assert provider.counts["service"] == before + 2
    text = binding_text(request)
    assert json.loads(text)["token_url"].endswith("/connect/token?tenant=acme")
    assert_no_canary(text)
    assert_no_key(provider.service_key, text)


def test_the_api_takes_the_token(lasting_provider: Provider) -> None:
    app = apps(lasting_provider)["private_key_jwt"]
    tokens = request_of(lasting_provider, app).obtain(time.monotonic() + 30)
    assert status_with(lasting_provider, tokens) == 200


REFUSED: dict[str, dict[str, Any]] = {
    "another audience": {"audience": "https://another.example"},
    "another client": {"issuer": "service-basic", "subject": "service-basic"},
    "an unknown client": {"issuer": "nobody", "subject": "nobody"},
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_assertion_is_rejected_and_shows_nothing(lasting_provider: Provider, case: str) -> None:
    provider = lasting_provider
    made = signer(provider, **REFUSED[case])
    app = App(made.template.issuer, None, "private_key_jwt", made)
    with pytest.raises(ConnectionFailed) as raised:
        request_of(provider, app).obtain(time.monotonic() + 30)
    assert (raised.value.fault.name, "invalid_client" in raised.value.message) == ("client_credentials_rejected", True)
    for where, data in shown(raised.value):
        assert_no_key(provider.service_key, data, where=where)
        assert b"eyJ" not in data, f"{where} holds a JWT"


def test_a_wrong_secret_a_missing_certificate_and_an_app_for_people_are_rejected(lasting_provider: Provider) -> None:
    provider = lasting_provider
    for app, words in {
        App("service-basic", Secret("another")): "401 invalid_client",
        apps(provider)["tls_client_auth"]: "401 invalid_client",
        App("acme-basic", Secret(provider.client_secret)): "400 invalid_request",
    }.items():
        with pytest.raises(ConnectionFailed) as raised:
            request_of(provider, app).obtain(time.monotonic() + 30)
        assert (raised.value.fault.name, words) == ("client_credentials_rejected", raised.value.message[-len(words) :])


def test_another_parameter_is_another_binding(lasting_provider: Provider) -> None:
    app = apps(lasting_provider)["basic"]
    options = [TokenOptions(), TokenOptions({"audience": "a"}), TokenOptions({"audience": Secret("a")})]
    assert len({binding_text(request_of(lasting_provider, app, one)) for one in options}) == 3
