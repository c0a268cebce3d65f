"""Many references over five stores: one is slow, one limits the rate, one is sealed; the two others are read as if alone.

`tests/long/quotas.py` reads a thousand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from connform.engine.run.secret_resolver import RequestedSecret, SecretResolver
from connform.engine.run.store_session import StoreSession
from connform.errors import SecretUnresolved
from connform.manifest.model import Store
from connform.secret import SecretReference
from connform.secrets.kit.interface import Outcome
from tests.http.servers import Authority, Connection, Server
from tests.repetitions import given
from tests.secrets.vault.fronts import forwarded, path_of, reply
from tests.secrets.vault.openbao import OpenBao

EACH = given("each", 20)
"""How many references of each store."""
RATE = given("rate", 15)
SLOW_S = 0.2
STORES = ("good", "other", "slow", "limited", "sealed")


@pytest.fixture
def addresses(bao: OpenBao, tmp_path: Path) -> Iterator[dict[str, tuple[str, Path]]]:
    """Where each store is, with the certificate that it has."""
    bao.mount("troubled", 2)
    bao.call("PUT", "sys/policies/acl/all", {"policy": 'path "*" { capabilities = ["read"] }'})
    for mount in ("secret", "troubled"):
        for number in range(EACH):
            bao.call("POST", f"{mount}/data/all/{number}", {"data": {"key": f"value-{number}"}})
    bao.call("POST", "sys/quotas/rate-limit/troubled", {"rate": RATE, "interval": "1s", "path": "troubled/"})
    authority = Authority()
    (tmp_path / "front.pem").write_bytes(authority.pem)

    def serve_slowly(connection: Connection) -> None:
        while request := connection.read_request():
            sleep(SLOW_S)
            connection.send(forwarded(bao, request))

    def serve_sealed(connection: Connection) -> None:
        while request := connection.read_request():
            is_health = path_of(request).startswith("sys/health")
            connection.send(reply({"initialized": True, "sealed": True}) if is_health else reply({}, 503))

    tls = authority.server("127.0.0.1")
    with Server(serve_slowly, tls=tls) as slow, Server(serve_sealed, tls=tls) as sealed:
        fronts = {"slow": slow, "sealed": sealed}
        yield {
            **dict.fromkeys(STORES, (bao.address, bao.ca_file)),
            **{name: (f"https://127.0.0.1:{one.port}", tmp_path / "front.pem") for name, one in fronts.items()},
        }
    bao.call("DELETE", "sys/quotas/rate-limit/troubled")
    bao.call("DELETE", "sys/mounts/troubled")


def test_stores_in_trouble_leave_the_others_alone(
    bao: OpenBao, addresses: dict[str, tuple[str, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_TOKEN", bao.token("all"))
    stores = {
        name: Store(
            name,
            "vault",
            (),
            {"address": address, "ca_file": str(ca_file), "auth": {"method": "token", "token": "env://STORE_TOKEN"}},
            ca_file.parent,
            10.0,
            {"auth.token": SecretReference.parse("env://STORE_TOKEN")},
        )
        for name, (address, ca_file) in addresses.items()
    }
    elapsed_s: dict[str, float] = {}
    read = StoreSession.read

    def timed(session: StoreSession, references: list[SecretReference]) -> object:
        started = monotonic()
        found = read(session, references)
        elapsed_s[references[0].scheme] = monotonic() - started
        return found

    def read_of(*names: str) -> dict[str, list[Outcome]]:
        mounts = dict.fromkeys(STORES, "secret") | {"limited": "troubled"}
        texts = [f"{name}://{mounts[name]}/all/{number}#key" for number in range(EACH) for name in names]
        source = SecretResolver(stores)
        outcomes = source.read([RequestedSecret(SecretReference.parse(text), Path()) for text in texts])
        source.close()
        return {name: outcomes[index :: len(names)] for index, name in enumerate(names)}

    monkeypatch.setattr(StoreSession, "read", timed)
    read_of("good")
    alone_s = elapsed_s["good"]
    with bao.watched() as asked:
        found = read_of(*STORES)

    failed = {name: [one for one in those if isinstance(one, SecretUnresolved)] for name, those in found.items()}
    reads = Counter(path.partition("/")[0] for _, path in asked if "/data/all/" in path)
    print(f"alone {alone_s:.1f} s", {name: f"{elapsed_s[name]:.1f} s" for name in STORES}, dict(reads))
    assert {name: len(those) for name, those in failed.items()} == dict.fromkeys(STORES, 0) | {"sealed": EACH}
    assert "is sealed" in " ".join(one.message for one in failed["sealed"])
    assert reads == {"secret": 3 * EACH, "troubled": EACH}
    assert elapsed_s["sealed"] < 5.0
    assert max(elapsed_s["good"], elapsed_s["other"]) < 2.0 + 3 * alone_s
    assert elapsed_s["limited"] < 5.0 + EACH / RATE * 1.3
