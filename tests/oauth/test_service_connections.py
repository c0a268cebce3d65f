"""Connections without a person, from manifest to API, at OAuth servers that were not written here; no output or file holds a key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat

from tests.conftest import Plant, require_library
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.running import Run
from tests.end_to_end.running import run_here as run
from tests.oauth.provider import Provider
from tests.private_keys import RSA_KEY, assert_no_key, pem_of

require_library("authlib")
require_library("joserfc")

from joserfc import jwk  # noqa: E402

from tests.oauth.authlib_server import AuthlibServer, ServiceClient, running_authlib  # noqa: E402

PEM = pem_of(RSA_KEY, PrivateFormat.TraditionalOpenSSL)


@pytest.fixture
def server(authority: Issuer) -> Iterator[AuthlibServer]:
    public = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with running_authlib(authority.loopback(), ServiceClient("acme", jwk.import_key(public, "RSA"))) as running:
        yield running


def declare(
    folder: Path, root: str, ca_file: Path, auth: Mapping[str, Any], tls: Mapping[str, Any] | None = None
) -> None:
    service = {
        "provider": "http",
        "environment": "test",
        "base_url": root,
        "check": {"path": "/me", "expect": {"body": {"type": "object", "required": ["items"]}}},
        "tls": {"ca_file": str(ca_file), **(tls or {})},
        "auth": auth,
    }
    (folder / "connections.yaml").write_text(json.dumps({"version": 1, "connections": {"service": service}}))


def assert_ready_and_silent(folder: Path, pem: str, variables: Mapping[str, str], planted: set[Path] = set()) -> None:  # noqa: B006
    """Check, apply and use the connection, and search what that prints and leaves behind."""
    ask: Callable[..., Run] = lambda *argv: run(*argv, cwd=folder, env=dict(variables))  # noqa: E731
    checked = ask("check", "--format", "json")
    assert (checked.code, checked.connection["verdict"]) == (0, "ready"), checked.out + checked.err
    runs = [
        checked,
        ask("apply", "--yes", "--debug"),
        ask("request", "service", "GET", "/me"),
        ask("plan"),
        ask("state", "list"),
    ]
    assert [one.code for one in runs] == [0] * len(runs), [one.err for one in runs]
    runs += [ask("secrets", "check"), ask("validate"), ask("state", "show", "service", "--format", "json")]
    for one in runs:
        assert_no_key(pem, one.out, one.err)
        assert "eyJ" not in one.out + one.err
    for file in folder.rglob("*"):
        if file.is_file() and file not in planted:
            assert_no_key(pem, file.read_bytes(), where=file.name)


def test_a_service_that_signs(tmp_path: Path, lasting_provider: Provider) -> None:
    provider = lasting_provider
    auth = {
        "method": "client_credentials",
        "client_id": "service-key",
        "client_auth": "private_key_jwt",
        "private_key": "env://SERVICE_KEY",
        "jwt": {"alg": "ES256", "audience": provider.origin, "thumbprint": ":".join(["0F"] * 32)},
        "token_url": f"{provider.origin}/connect/token",
        "scopes": ["profile"],
    }
    declare(tmp_path, f"{provider.origin}/api/v1", provider.ca_file, auth)
    in_one_line = provider.service_key.replace("\n", "\\n")
    assert_ready_and_silent(tmp_path, provider.service_key, {"SERVICE_KEY": in_one_line})


def test_a_service_with_a_client_certificate(
    tmp_path: Path, lasting_provider: Provider, authority: Issuer, plant: Plant
) -> None:
    provider = lasting_provider
    pem = authority.ca.issue_cert("service.example.test").private_key_and_cert_chain_pem.bytes().decode()
    file = plant("service.pem", pem)
    file.chmod(0o600)
    auth = {
        "method": "client_credentials",
        "client_id": "service-certificate",
        "client_auth": "tls_client_auth",
        "token_url": f"{provider.origin}/connect/token",
    }
    declare(
        tmp_path,
        f"{provider.origin}/api/v1",
        provider.ca_file,
        auth,
        {"client_cert": str(file), "client_key": str(file)},
    )
    assert_ready_and_silent(tmp_path, pem.partition("-----BEGIN CERTIFICATE")[0], {}, {file})


def test_a_service_account_of_a_json_file(tmp_path: Path, server: AuthlibServer, ca_file: Path, plant: Plant) -> None:
    file = plant("account.json", json.dumps({"type": "service_account", "private_key": PEM}))
    auth = {
        "method": "jwt_bearer",
        "private_key": f"file://{file}",
        "jwt": {
            "alg": "RS256",
            "key_at": "/private_key",
            "issuer": "acme",
            "subject": "person",
            "claims": {"scope": "{scope}"},
        },
        "scopes": ["read"],
        "token_url": server.url,
    }
    declare(tmp_path, server.url.removesuffix("/token"), ca_file, auth)
    assert_ready_and_silent(tmp_path, PEM, {}, {file})
    assert server.subjects[0] == "person"


def test_an_app_whose_jwt_is_the_bearer_of_a_login_call(tmp_path: Path, server: AuthlibServer, ca_file: Path) -> None:
    """As a GitHub App."""
    root = server.url.removesuffix("/token")
    auth = {
        "method": "login",
        "private_key": "env://SERVICE_KEY",
        "jwt": {"alg": "RS256", "issuer": "acme"},
        "login": {
            "url": f"{root}/app/installations/1/access_tokens",
            "json": {},
            "headers": {"Authorization": "Bearer {jwt}"},
            "token_at": "/token",
            "lifetime": {"time_at": "/expires_at"},
        },
    }
    declare(tmp_path, root, ca_file, auth)
    assert_ready_and_silent(tmp_path, PEM, {"SERVICE_KEY": PEM})
    assert server.issued[0]["access_token"].startswith("ghs_")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (PEM[:400], "is a private key whose end is missing"),
        (PEM.replace("RSA ", "ENCRYPTED "), "that a passphrase encrypts"),
        (PEM.replace("M", "Q", 3), "is a private key that is damaged"),
        ("secret", "is no private key in PEM"),
    ],
)
def test_a_key_that_can_not_be_used_is_named_and_not_shown(
    tmp_path: Path, server: AuthlibServer, ca_file: Path, value: str, words: str
) -> None:
    auth = {
        "method": "jwt_bearer",
        "private_key": "env://SERVICE_KEY",
        "jwt": {"alg": "RS256", "issuer": "acme"},
        "token_url": server.url,
    }
    declare(tmp_path, server.url.removesuffix("/token"), ca_file, auth)
    for flags in ((), ("--debug",)):
        checked = run("check", *flags, cwd=tmp_path, env={"SERVICE_KEY": value})
        assert (checked.code, words in checked.out + checked.err) == (5, True), checked.out + checked.err
        assert_no_key(PEM, checked.out, checked.err)
        assert_no_key(value, checked.out, checked.err)
    assert server.issued == []
