"""Logins at a real OpenBao: once a run, revoked at its end, and not repeated if rejected."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from connform.errors import SecretUnresolved
from connform.secret import SecretReference
from connform.secrets.kit import service_account
from connform.secrets.kit.interface import Fetched, StoreConfig
from connform.secrets.vault.backend import VAULT
from tests.canary import API_KEY, AWKWARD
from tests.http.servers import Authority, Connection, Server, head
from tests.secrets.vault.openbao import OpenBao
from tests.secrets.vault.stores import failure, read, store_at, store_with, value

ACCOUNT = "system:serviceaccount:acme:connform"
TEXTS = tuple(f"vault://secret/login/{number}" for number in range(20))


class Logins(NamedTuple):
    """What the methods are entered with."""

    role_id: str
    secret_id: str
    jwt: str
    account: str
    """The token of a service account."""


class Cluster:
    """The part of a Kubernetes API server that a login asks: whose token is this?"""

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            asked = json.loads(request.partition(b"\r\n\r\n")[2])["spec"]["token"]
            status: dict[str, Any] = {"authenticated": False, "error": "unknown"}
            if _claims(asked)["sub"] == ACCOUNT:
                groups = ["system:serviceaccounts", "system:serviceaccounts:acme"]
                status = {"authenticated": True, "user": {"username": ACCOUNT, "uid": "u-1", "groups": groups}}
            review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}
            body = json.dumps(review).encode()
            connection.send(head(201, ["Content-Type: application/json", f"Content-Length: {len(body)}"]) + body)


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def logins(bao: OpenBao, key: rsa.RSAPrivateKey) -> Iterator[Logins]:
    for text in TEXTS:
        bao.call("POST", text.replace("vault://secret/", "secret/data/"), {"data": {"value": API_KEY}})
    for mount, method in (("approle", "approle"), ("ci/jwt", "jwt"), ("kubernetes", "kubernetes")):
        bao.call("POST", f"sys/auth/{mount}", {"type": method})
    reader = {"token_policies": ["reader"]}

    bao.call("POST", "auth/approle/role/connform", reader)
    role_id = bao.call("GET", "auth/approle/role/connform/role-id")["data"]["role_id"]
    secret_id = bao.call("POST", "auth/approle/role/connform/secret-id", {})["data"]["secret_id"]

    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    bao.call("POST", "auth/ci/jwt/config", {"jwt_validation_pubkeys": [public.decode()]})
    bound = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["acme"], **reader}
    bao.call("POST", "auth/ci/jwt/role/connform", bound)

    authority = Authority()
    with Server(Cluster(), tls=authority.server("127.0.0.1")) as cluster:
        config = {
            "kubernetes_host": f"https://127.0.0.1:{cluster.port}",
            "kubernetes_ca_cert": authority.pem.decode(),
            "token_reviewer_jwt": _signed(key, sub="reviewer"),
            "disable_local_ca_jwt": True,
        }
        bao.call("POST", "auth/kubernetes/config", config)
        names = {"bound_service_account_names": ["connform"], "bound_service_account_namespaces": ["acme"], **reader}
        bao.call("POST", "auth/kubernetes/role/connform", names)
        now = int(time.time())
        yield Logins(
            role_id,
            secret_id,
            _signed(key, sub="ci-job", aud="acme", iat=now, exp=now + 3600),
            _signed(key, sub=ACCOUNT, iat=now, nbf=now, exp=now + 3600, **_account("connform")),
        )


def _signed(key: rsa.RSAPrivateKey, **claims: object) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    text = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _account(name: str) -> dict[str, object]:
    return {"kubernetes.io": {"namespace": "acme", "serviceaccount": {"name": name, "uid": "u-1"}}}


def _claims(token: str) -> dict[str, Any]:
    claims = token.split(".")[1]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return decoded


def _approle(bao: OpenBao, logins: Logins) -> StoreConfig:
    return store_with(bao, {"method": "approle", "role_id": logins.role_id}, {"secret_id": logins.secret_id})


def _approle_by_reference(bao: OpenBao, logins: Logins) -> StoreConfig:
    secrets = {"role_id_from": logins.role_id, "secret_id": logins.secret_id}
    return store_with(bao, {"method": "approle"}, secrets)


def _jwt(bao: OpenBao, logins: Logins) -> StoreConfig:
    return store_with(bao, {"method": "jwt", "role": "connform", "mount": "ci/jwt"}, {"token": logins.jwt})


def _kubernetes(bao: OpenBao, logins: Logins) -> StoreConfig:
    return store_with(bao, {"method": "kubernetes", "role": "connform"}, {"token": logins.account})


GOOD = [
    (_approle, "auth/approle/login"),
    (_approle_by_reference, "auth/approle/login"),
    (_jwt, "auth/ci/jwt/login"),
    (_kubernetes, "auth/kubernetes/login"),
]


@pytest.mark.parametrize(("store", "path"), GOOD)
def test_a_run_logs_in_once_and_revokes_its_token(
    bao: OpenBao, logins: Logins, store: Callable[[OpenBao, Logins], StoreConfig], path: str
) -> None:
    before = set(bao.accessors())
    with bao.watched() as asked:
        outcomes = read(store(bao, logins), *TEXTS)

    assert [one.secret.reveal() for one in outcomes if isinstance(one, Fetched)] == [API_KEY] * len(TEXTS)
    paths = [called for _, called in asked]
    assert paths[0] == path
    assert paths[-1] == "auth/token/revoke-self"
    assert paths.count(path) == paths.count("auth/token/revoke-self") == 1
    assert len(paths) == len(set(paths)) == len(TEXTS) + 3
    assert set(bao.accessors()) <= before


def test_a_token_of_somebody_else_is_not_revoked(bao: OpenBao, logins: Logins) -> None:
    token = bao.token("reader")

    assert value(store_at(bao, token), TEXTS[0]) == API_KEY
    assert value(store_at(bao, token), TEXTS[0]) == API_KEY


def test_a_pods_own_token_is_found_where_kubernetes_mounts_it(
    bao: OpenBao, logins: Logins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = tmp_path / "token"
    mounted.write_text(logins.account + "\n")
    monkeypatch.setattr(service_account, "SERVICE_ACCOUNT", tmp_path)

    assert value(store_with(bao, {"method": "kubernetes", "role": "connform"}, {}), TEXTS[0]) == API_KEY


def test_outside_of_a_pod_its_token_is_said_to_be_missing(bao: OpenBao) -> None:
    with bao.watched() as asked:
        missing = failure(store_with(bao, {"method": "kubernetes", "role": "connform"}, {}), TEXTS[0])

    assert missing.fault.name == "secret_denied"
    assert (
        "there is no token of a service account at /var/run/secrets/kubernetes.io/serviceaccount/token"
        in missing.message
    )
    assert "automountServiceAccountToken" in missing.hint
    assert asked == []


@pytest.mark.parametrize(
    ("auth", "secrets", "path", "hint"),
    [
        ({"method": "approle", "role_id": "r"}, {"secret_id": AWKWARD}, "auth/approle/login", "secret id"),
        ({"method": "approle"}, {"role_id_from": AWKWARD, "secret_id": API_KEY}, "auth/approle/login", "role id"),
        (
            {"method": "approle", "role_id": "r", "mount": "no"},
            {"secret_id": API_KEY},
            "auth/no/login",
            "{role_id, mount}",
        ),
        ({"method": "jwt", "role": "connform", "mount": "ci/jwt"}, {"token": API_KEY}, "auth/ci/jwt/login", "audience"),
        ({"method": "jwt", "role": "other", "mount": "ci/jwt"}, {"token": API_KEY}, "auth/ci/jwt/login", "role"),
        ({"method": "kubernetes", "role": "connform"}, {"token": API_KEY}, "auth/kubernetes/login", "service account"),
        ({"method": "kubernetes", "role": "connform"}, {"token": "stranger"}, "auth/kubernetes/login", "namespace"),
    ],
)
def test_a_rejected_login_is_tried_once_for_all_secrets(
    bao: OpenBao,
    logins: Logins,
    key: rsa.RSAPrivateKey,
    auth: dict[str, str],
    secrets: dict[str, str],
    path: str,
    hint: str,
) -> None:
    now = int(time.time())
    stranger = _signed(key, sub="stranger", iat=now, nbf=now, exp=now + 3600, **_account("connform"))
    sent = {name: stranger if text == "stranger" else text for name, text in secrets.items()}
    with bao.watched() as asked:
        outcomes = read(store_with(bao, auth, sent), *TEXTS)

    for outcome in outcomes:
        assert isinstance(outcome, SecretUnresolved)
        assert outcome.fault.name == "secret_denied"
        assert path.removesuffix("/login") in outcome.message
        assert hint in outcome.hint
    assert len([called for called in asked if called[1] == path]) == 1
    assert {called[1] for called in asked} <= {path, "sys/wrapping/lookup"}


def test_a_token_that_ends_during_a_run_is_said_to_be_the_roles_matter(bao: OpenBao, logins: Logins) -> None:
    opened = VAULT.open(_approle(bao, logins))
    try:
        (found,) = opened.read([SecretReference.parse(TEXTS[0])])
        bao.call("PUT", "sys/leases/revoke-prefix/auth/approle/login")
        (ended,) = opened.read([SecretReference.parse(TEXTS[1])])
    finally:
        opened.close()

    assert isinstance(found, Fetched)
    assert isinstance(ended, SecretUnresolved)
    assert ended.fault.name == "secret_denied"
    assert "does not know the token" in ended.message
    assert "token_ttl" in ended.hint


def test_a_token_that_can_not_be_revoked_any_more_troubles_nobody(bao: OpenBao, logins: Logins) -> None:
    bao.call("POST", "auth/approle/role/batch", {"token_policies": ["reader"], "token_type": "batch"})
    role_id = bao.call("GET", "auth/approle/role/batch/role-id")["data"]["role_id"]
    secret_id = bao.call("POST", "auth/approle/role/batch/secret-id", {})["data"]["secret_id"]

    assert value(_approle(bao, logins._replace(role_id=role_id, secret_id=secret_id)), TEXTS[0]) == API_KEY


def test_nobody_waits_for_long_for_a_token_to_be_revoked(bao: OpenBao, logins: Logins) -> None:
    opened = VAULT.open(_approle(bao, logins))
    (found,) = opened.read([SecretReference.parse(TEXTS[0])])
    with bao.frozen():
        started = time.monotonic()
        opened.close()
        elapsed_s = time.monotonic() - started

    assert isinstance(found, Fetched)
    assert elapsed_s < 8


def test_a_login_in_a_namespace_is_made_there(bao: OpenBao, logins: Logins) -> None:
    bao.call("POST", "sys/namespaces/team-b", {})
    try:
        bao.mount("secret", 2, namespace="team-b")
        bao.call("POST", "secret/data/one", {"data": {"value": "of team-b"}}, namespace="team-b")
        policy = 'path "secret/*" { capabilities = ["read"] }'
        bao.call("PUT", "sys/policies/acl/reader", {"policy": policy}, namespace="team-b")
        bao.call("POST", "sys/auth/approle", {"type": "approle"}, namespace="team-b")
        bao.call("POST", "auth/approle/role/it", {"token_policies": ["reader"]}, namespace="team-b")
        role_id = bao.call("GET", "auth/approle/role/it/role-id", namespace="team-b")["data"]["role_id"]
        secret_id = bao.call("POST", "auth/approle/role/it/secret-id", {}, namespace="team-b")["data"]["secret_id"]
        auth = {"method": "approle", "role_id": role_id}

        inside = store_with(bao, auth, {"secret_id": secret_id}, namespace="team-b")
        assert value(inside, "vault://secret/one") == "of team-b"
        outside = failure(store_with(bao, auth, {"secret_id": secret_id}), "vault://secret/one")
        assert "rejected the login" in outside.message
        nowhere = failure(store_with(bao, auth, {"secret_id": secret_id}, namespace="team-z"), "vault://secret/one")
        assert "no such namespace" in nowhere.message
    finally:
        bao.call("DELETE", "sys/namespaces/team-b")
    assert logins.role_id != role_id


def test_a_login_at_a_sealed_server_says_so(bao: OpenBao, logins: Logins) -> None:
    with bao.sealed():
        refused = failure(_approle(bao, logins), TEXTS[0])

    assert refused.fault.name == "secret_backend_unavailable"
    assert "sealed" in refused.message


def _wrapped(bao: OpenBao, path: str) -> str:
    """Return a wrapping token for the answer to a call."""
    return str(bao.call("POST", path, {}, wrap_s=60)["wrap_info"]["token"])


def test_an_approle_may_have_no_secret_id(bao: OpenBao, logins: Logins) -> None:
    role = {"bind_secret_id": False, "secret_id_bound_cidrs": "127.0.0.0/8", "token_policies": ["reader"]}
    bao.call("POST", "auth/approle/role/by-address", role)
    role_id = bao.call("GET", "auth/approle/role/by-address/role-id")["data"]["role_id"]
    assert value(store_with(bao, {"method": "approle", "role_id": role_id}, {}), TEXTS[0]) == API_KEY


def test_a_role_that_demands_a_secret_id_says_so(bao: OpenBao, logins: Logins) -> None:
    rejected = failure(store_with(bao, {"method": "approle", "role_id": logins.role_id}, {}), TEXTS[0])
    assert (rejected.fault.name, "demands a `secret_id`" in rejected.hint) == ("secret_denied", True)


def test_a_wrapped_secret_id_is_recognised_and_stays_good(bao: OpenBao, logins: Logins) -> None:
    token = _wrapped(bao, "auth/approle/role/connform/secret-id")
    store = store_with(bao, {"method": "approle", "role_id": logins.role_id}, {"secret_id": token})
    for _ in range(2):
        rejected = failure(store, TEXTS[0])
        assert rejected.fault.name == "secret_denied"
        assert "the secret id is a wrapping token" in rejected.message
        assert "vault unwrap" in rejected.hint
    assert bao.call("POST", "sys/wrapping/unwrap", token=token)["data"]["secret_id"]


def test_a_wrapping_token_as_the_token_is_thought_of(bao: OpenBao, logins: Logins) -> None:
    denied = failure(store_at(bao, _wrapped(bao, "auth/token/create")), TEXTS[0])
    assert (denied.fault.name, "unwrap" in denied.hint) == ("secret_denied", True)
    assert "unwrap" not in failure(store_at(bao, bao.token("reader")), "vault://secret/forbidden").hint
