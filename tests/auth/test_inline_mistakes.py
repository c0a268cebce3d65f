"""What `validate` says of auth methods that a connection describes itself: each mistake once, at its place."""

from __future__ import annotations

import pytest

from connform.engine.load.manifest import examine
from connform.manifest.files import Source

HEAD = """\
version: 1
connections:
  acme:
    provider: http
    base_url: https://api.acme.example/v1
    check: {path: /me, expect: {body: {required: [id]}}}
    auth:
"""
CLIENT = "method: client_credentials, client_id: a, client_secret: 'env://S', token_url: 'https://login.acme.example/t'"
LOGIN = "method: login, password: 'env://P', login: {url: 'https://login.acme.example/l', token_at: /token"
MISTAKES = {
    "an unknown name in a header": ("{method: headers, api_key: 'env://A', headers: {X-Key: '{api_ky}'}}", ["unknown-placeholder /headers/X-Key"]),
    "a secret that no header sends": ("{method: headers, api_key: 'env://A', second_key: 'env://B', headers: {X-Key: '{api_key}'}}", ["unused-part /second_key"]),
    "a header of the message": ("{method: headers, api_key: 'env://A', headers: {Host: '{api_key}'}}", ["bad-name /headers/Host"]),
    "a key in plain beside another": ("{method: headers, api_key: 'env://A', headers: {X-Key: '{api_key}', Authorization: Bearer hunter}}", ["plaintext-secret /headers/Authorization"]),
    "two user names": ("{method: basic, username: bot, api_key: 'env://A'}", ["unknown-key /api_key"]),
    "a user name alone": ("{method: basic, username: bot}", ["missing-key "]),
    "keys with nothing": ("{method: none, api_key: 'env://A'}", ["unknown-key /api_key"]),
    "an app without a secret": (f"{{{CLIENT}}}".replace("client_secret: 'env://S', ", ""), ["missing-key "]),
    "a header without the token": (f"{{{CLIENT}, headers: {{Accept: text/plain}}}}", ["missing-key /headers"]),
    "a misspelt token": (f"{{{CLIENT}, headers: {{X-Token: '{{acces_token}}'}}}}", ["unknown-placeholder /headers/X-Token"]),
    "a JWT that nothing uses": (f"{{{CLIENT}, jwt: {{alg: ES256}}}}", ["unknown-key /jwt"]),
    "an app that signs without a key": (f"{{{CLIENT}, client_auth: private_key_jwt}}".replace("client_secret: 'env://S', ", ""), ["missing-key ", "missing-key "]),
    "a JWT in the wrong words": ("{method: jwt, private_key: 'env://K', jwt: {alg: ES256}, headers: {X-Jwt: '{token}'}}", ["unknown-placeholder /headers/X-Jwt"]),
    "an unknown algorithm": ("{method: jwt, private_key: 'env://K', jwt: {alg: HS256}}", ["unknown-value /jwt/alg"]),
    "nobody who signs": ("{method: jwt_bearer, private_key: 'env://K', jwt: {alg: ES256}, token_url: 'https://login.acme.example/t'}", ["missing-key /jwt"]),
    "two bodies": (f"{{{LOGIN}, json: {{a: '{{password}}'}}, form: {{a: b}}}}}}", ["unknown-key /login/form"]),
    "two lifetimes": (f"{{{LOGIN}, json: {{a: '{{password}}'}}, lifetime: {{seconds: 5, seconds_at: /s}}}}}}", ["unknown-key /login/lifetime/seconds_at"]),
    "an unknown name in a body": (f"{{{LOGIN}, json: {{a: ['{{password}}', '{{user}}']}}}}}}", ["unknown-placeholder /login/json/a/1"]),
    "a password in plain": (f"{{{LOGIN}, json: {{a: '{{password}}', password: hunter}}}}}}", ["plaintext-secret /login/json/password"]),
    "a secret that a text names": (f"{{{LOGIN}, json: {{a: '{{password}}', b: '{{api_key}}'}}}}}}", ["missing-key "]),
    "a login by plain http": (f"{{{LOGIN}, json: {{a: '{{password}}'}}}}}}".replace("https", "http"), ["insecure-url /login/url"]),
}  # fmt: skip


@pytest.mark.parametrize(("auth", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_reported_at_its_place(auth: str, expected: list[str]) -> None:
    report = examine([Source("m.yaml", f"{HEAD}      {auth}\n".encode(), "/manifests")])[1]
    found = [f"{one.code} {one.pointer.removeprefix('/connections/acme/auth')}" for one in report.diagnostics]
    assert found == expected
    assert "hunter" not in str([one.snippet for one in report.diagnostics])
