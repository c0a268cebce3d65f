"""The backend `k8s`, at an API server that imitates the documented one: there was no real Kubernetes."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from connform.engine.run.store_session import StoreSession
from connform.errors import SecretUnresolved
from connform.secret import Secret, SecretReference
from connform.secrets.k8s import K8S
from connform.secrets.kit.interface import Fetched, StoreConfig
from connform.testing.secrets import Bench, SecretBackendSuite
from tests.canary import API_KEY, assert_no_canary
from tests.end_to_end.conftest import Issuer
from tests.secrets.api_server import ApiServer, Request, ServedBench
from tests.secrets.documented_answers import answers, content_of
from tests.secrets.fetching import failure, fetch, lint

TOKEN = API_KEY


class Cluster:
    """`GET /api/v1/namespaces/{namespace}/secrets/{name}`, as the reference of the API (core/v1) describes it."""

    def __init__(self, issuer: Issuer, ca_file: Path) -> None:
        self.token = TOKEN
        self.secrets: dict[str, tuple[int, dict[str, str]]] = {}
        self.server = ApiServer(self.handle, issuer.loopback())
        settings = {"address": self.server.address, "ca_file": str(ca_file), "token": "env://TOKEN"}
        self.store = StoreConfig(ca_file.parent, settings, {"token": Secret(TOKEN)})

    def put(self, name: str, data: Mapping[str, bytes]) -> None:
        encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
        self.secrets[name] = (self.secrets.get(name, (0, {}))[0] + 1, encoded)

    def handle(self, request: Request) -> tuple[int, Any]:
        _, _, _, _, namespace, _, name = request.path.split("/")
        if request.authorization != f"Bearer {self.token}":
            return 401, _status("Unauthorized", 401)
        if namespace == "others":
            return 403, _status("Forbidden", 403)
        if name not in self.secrets:
            return 404, _status("NotFound", 404)
        version, data = self.secrets[name]
        metadata = {"name": name, "namespace": namespace, "resourceVersion": str(version)}
        return 200, {"kind": "Secret", "apiVersion": "v1", "metadata": metadata, "data": data, "type": "Opaque"}


def _status(reason: str, code: int) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}


@pytest.fixture
def cluster(authority: Issuer, ca_file: Path) -> Iterator[Cluster]:
    cluster = Cluster(authority, ca_file)
    yield cluster
    cluster.server.stop()


class KubernetesBench(ServedBench):
    backend = K8S
    lacks = {
        "versions": "Kubernetes keeps no earlier versions of a Secret",
        "sealed": "a cluster is never sealed",
        **dict.fromkeys(("documents", "twins"), "a Secret is an object that the server decoded: no key stands twice"),
    }
    largest_bytes = 2**20

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster.store, cluster.server)
        self._cluster = cluster

    def put(self, name: str, value: bytes) -> str:
        self._cluster.put(name, {"only": value})
        return f"k8s://acme/{name}"

    def put_fields(self, name: str, fields: Mapping[str, str]) -> str:
        self._cluster.put(name, {key: value.encode() for key, value in fields.items()})
        return f"k8s://acme/{name}"

    def missing(self) -> str:
        return "k8s://acme/missing#key"

    def denied(self) -> str:
        return "k8s://others/secret#key"

    def expired(self) -> StoreConfig:
        return self.place._replace(secrets={"token": Secret("ended")})


class TestKubernetes(SecretBackendSuite):
    @pytest.fixture
    def bench(self, cluster: Cluster) -> Bench:
        return KubernetesBench(cluster)


def test_a_namespace_may_stand_in_the_store(cluster: Cluster, tmp_path: Path) -> None:
    cluster.put("portal", {"id": b"0012"})
    settings = dict(cluster.store.settings) | {"namespace": "acme"}
    opened = K8S.open(cluster.store._replace(settings=settings))
    (outcome,) = opened.read([SecretReference.parse("mine://portal#id")])
    opened.close()
    assert repr(outcome).startswith("Fetched(secret=<secret>, version='1'")
    assert cluster.server.requests[0].path == "/api/v1/namespaces/acme/secrets/portal"


def test_a_pod_finds_its_own_cluster(
    cluster: Cluster, tmp_path: Path, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount = tmp_path / "serviceaccount"
    mount.mkdir()
    (mount / "token").write_text(f"{TOKEN}\n")
    (mount / "ca.crt").write_bytes(ca_file.read_bytes())
    monkeypatch.setattr("connform.secrets.kit.service_account.SERVICE_ACCOUNT", mount)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "localhost")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", cluster.server.address.rpartition(":")[2])
    cluster.put("portal", {"id": b"0012"})
    assert fetch("k8s", tmp_path, "k8s://acme/portal#id") == ["0012"]
    cluster.token = "another"
    error = failure("k8s", tmp_path, "k8s://acme/portal#id")
    assert (error.fault.name, "the token that is mounted has ended" in error.hint) == ("secret_denied", True)
    (mount / "token").unlink()


def test_a_token_that_kubernetes_renews_is_read_again_in_a_program(
    cluster: Cluster, tmp_path: Path, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount = tmp_path / "serviceaccount"
    mount.mkdir()
    (mount / "ca.crt").write_bytes(ca_file.read_bytes())
    monkeypatch.setattr("connform.secrets.kit.service_account.SERVICE_ACCOUNT", mount)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "localhost")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", cluster.server.address.rpartition(":")[2])
    session = StoreSession("k8s://", partial(K8S.open, StoreConfig(tmp_path)), 10, long_lived=True)
    cluster.put("portal", {"id": b"0012", "secret": b"s3cret"})
    for token, key in (("first", "id"), ("renewed", "secret")):
        (mount / "token").write_text(token)
        cluster.token = token
        reference = SecretReference.parse(f"k8s://acme/portal#{key}")
        outcome = session.read([reference])[reference]
        assert isinstance(outcome, Fetched), outcome
    session.close()


@pytest.mark.parametrize("is_mounted", [True, False])
def test_a_pod_without_a_token_is_told_how_it_gets_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_mounted: bool
) -> None:
    mount = tmp_path / "serviceaccount"
    if is_mounted:
        mount.mkdir()
    monkeypatch.setattr("connform.secrets.kit.service_account.SERVICE_ACCOUNT", mount)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "localhost")
    error = failure("k8s", tmp_path, "k8s://acme/portal#id")
    assert (error.fault.name, "automountServiceAccountToken" in error.hint) == ("secret_denied", True)


def test_elsewhere_the_bare_backend_says_what_it_needs(tmp_path: Path) -> None:
    error = failure("k8s", tmp_path, "k8s://acme/portal#id")
    assert (error.fault.name, "KUBERNETES_SERVICE_HOST" in error.message) == ("secret_backend_unavailable", True)


def test_several_keys_need_a_name(cluster: Cluster) -> None:
    cluster.put("portal", {"id": b"1", "secret": b"2"})
    suite = TestKubernetes()
    error = suite.fault(KubernetesBench(cluster), "k8s://acme/portal")
    assert (error.fault.name, "id, secret" in error.hint) == ("secret_not_found", True)


def test_an_empty_secret_is_told(cluster: Cluster) -> None:
    cluster.put("portal", {})
    for text in ("k8s://acme/portal", "k8s://acme/portal#id"):
        error = TestKubernetes().fault(KubernetesBench(cluster), text)
        assert (error.fault.name, error.message) == ("secret_not_found", f"the Secret is empty ({text})")


@pytest.mark.parametrize(("status", "content"), [(500, {"message": API_KEY}), (200, [API_KEY]), (302, {})])
def test_an_answer_that_is_none_is_unavailable(authority: Issuer, cluster: Cluster, status: int, content: Any) -> None:
    server = ApiServer(lambda request: (status, content), authority.loopback())
    try:
        store = cluster.store._replace(settings=dict(cluster.store.settings) | {"address": server.address})
        error = TestKubernetes().fault(KubernetesBench(cluster), "k8s://acme/portal#id", store)
    finally:
        server.stop()
    assert error.fault.name == "secret_backend_unavailable"
    assert_no_canary(error.message, error.hint)


@pytest.mark.parametrize("row", answers("Kubernetes"))
def test_a_documented_answer_has_its_class(cluster: Cluster, row: Mapping[str, str]) -> None:
    name, _, value = row["header"].partition(": ")
    headers = {name: value} if name else {}
    cluster.server.handle = lambda request: (int(row["status"]), content_of(row["body"]), headers)
    opened = K8S.open(cluster.store._replace(timeout_s=2))
    (outcome,) = opened.read([SecretReference.parse("k8s://acme/portal#id")])
    opened.close()
    if isinstance(outcome, Fetched):
        assert (row["class"], outcome.secret.reveal()) == ("–", "text")
    else:
        assert outcome.fault.name == row["class"]


@pytest.mark.parametrize("text", ["k8s://acme/portal#id", "k8s://acme/portal", "k8s://a/b.c-d#e.f"])
def test_a_good_reference(text: str) -> None:
    assert lint("k8s", text) == ""


@pytest.mark.parametrize(
    "text",
    ["k8s://portal#id", "k8s://acme/portal/id", "k8s://Acme/portal#id", "k8s://acme/../x", "k8s://a/b?version=1#c"],
)
def test_a_bad_reference_is_found_offline(text: str) -> None:
    assert lint("k8s", text)


def test_the_token_that_opened_the_cluster_is_read_by_no_reference(cluster: Cluster) -> None:
    cluster.put("login", {"token": TOKEN.encode(), "other": b"value"})
    opened = K8S.open(cluster.store)
    references = [SecretReference.parse(f"k8s://team/login#{key}") for key in ("token", "other")]

    own, other = opened.read(references)
    opened.close()

    assert isinstance(own, SecretUnresolved)
    assert own.fault.name == "secret_denied"
    assert isinstance(other, Fetched)
