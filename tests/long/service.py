"""Two workers of a service under trouble: `make long ARGS="service --seconds 600"`.

Each worker has a thread and a task for each of three connections: a key in OpenBao behind a login of five seconds, a token in a file, and
an OAuth grant whose client secret lies in a file. Meanwhile the API restarts, stalls, drops connections, and changes its certificate and
its authority; key, token and client secret are replaced, the old ones refused at once. A request may fail while the API is down,
and no other. Ends with 1 where another failed, a grant was lost, or descriptors, threads or memory grew.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

from connform.database import open_grants
from connform.secret import Secret
from tests.database.conftest import grant, keep
from tests.end_to_end.conftest import Issuer
from tests.http.servers import Connection, Server, head
from tests.secrets.vault.openbao import OpenBao

_WORKER = Path(__file__).parents[1] / "end_to_end" / "service_worker.py"
_DOWN_S = 1.0
_AFTER_S = 2.0
"""A request that began while the API was down may end so much later."""
_TOKEN_S = 10
"""How long an access token lasts: so late a replaced client secret shows."""
_GROWTH = {"descriptors": 15, "threads": 6, "kilobytes": 30_000}
"""How much more a worker may hold near the end than after a tenth of the time."""
_MANIFEST = """\
version: 1
stores:
  bao:
    type: vault
    address: {bao}
    ca_file: {bao_ca}
    mount: secret
    kv_version: 2
    auth: {{method: approle, role_id: {role}, secret_id: "file://secret-id"}}
defaults: {{environment: private, base_url: "https://localhost:{port}/api", tls: {{ca_file: ca.pem}}, timeouts: {{total_s: 20}}}}
connections:
  key: {{auth: {{method: api_key, api_key: "bao://api#key"}}}}
  token: {{auth: {{method: bearer, token: "file://token"}}}}
  grant:
    auth: {{method: oauth2, client_id: app, client_secret: "file://client-secret", redirect_uri: "https://localhost/auth",
            token_url: "https://localhost:{port}/token"}}
"""


class Api:
    """The API with its token endpoint, which ends the grant where a refresh token is used twice."""

    def __init__(self) -> None:
        self.good = {"key": "key-0", "token": "token-0", "client secret": "client-secret-0"}
        self.is_down = self.is_stalled = False
        self.refreshes = self.reused = 0
        self._refresh_token = "refresh-0"
        self._lock = Lock()

    def __call__(self, connection: Connection) -> None:
        while not self.is_down and (request := connection.read_request()):
            while self.is_stalled:
                connection.pause(0.05)
            status, body = self._answer(request.decode())
            content = json.dumps(body).encode()
            connection.send(
                head(status, [f"Content-Length: {len(content)}", "Content-Type: application/json"]) + content
            )

    def _answer(self, request: str) -> tuple[int, dict[str, Any]]:
        if request.startswith("POST /token "):
            with self._lock:
                return self._issue(request)
        access_tokens = [
            f"access-{self.refreshes}",
            f"access-{self.refreshes - 1}",
        ]  # the one before may not have ended
        accepted = [f"Bearer {token}" for token in (self.good["token"], *access_tokens)]
        lines = [f"api_key: {self.good['key']}", *(f"Authorization: {credential}" for credential in accepted)]
        return (200 if any(f"{line}\r\n" in request for line in lines) else 401), {}

    def _issue(self, request: str) -> tuple[int, dict[str, Any]]:
        basic = b64encode(f"app:{self.good['client secret']}".encode()).decode()
        if f"Basic {basic}\r\n" not in request:
            return 401, {"error": "invalid_client"}
        if parse_qs(request.partition("\r\n\r\n")[2])["refresh_token"] != [self._refresh_token]:
            self.reused += 1
            return 400, {"error": "invalid_grant"}
        self.refreshes += 1
        self._refresh_token = f"refresh-{self.refreshes}"
        tokens = {"access_token": f"access-{self.refreshes}", "refresh_token": self._refresh_token}
        return 200, {**tokens, "token_type": "Bearer", "expires_in": _TOKEN_S}


class Trouble:
    """What happens to a service, one thing after another."""

    def __init__(self, api: Api, server: Server, bao: OpenBao, folder: Path, authority: Issuer) -> None:
        self._api, self._server, self._bao, self._folder, self._authority = api, server, bao, folder, authority
        self._number = 0
        self.kinds: tuple[Callable[[], None], ...] = (
            self.replace_the_key,
            self.replace_the_token,
            self.replace_the_client_secret,
            self.restart,
            self.stall,
            self.drop_connections,
            self.change_the_authority,
        )

    def replace_the_key(self) -> None:
        self._bao.call("POST", "secret/data/api", {"data": {"key": self._next("key")}})
        self._take("key")

    def replace_the_token(self) -> None:
        self._write("token", self._next("token"))
        self._take("token")

    def replace_the_client_secret(self) -> None:
        self._write("client-secret", self._next("client secret"))
        self._take("client secret")

    def restart(self) -> None:
        self._api.is_down = True
        self.drop_connections()
        time.sleep(_DOWN_S)
        self._api.is_down = False

    def stall(self) -> None:
        self._api.is_stalled = True
        time.sleep(3)
        self._api.is_stalled = False

    def drop_connections(self) -> None:
        for sock in list(self._server._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def change_the_authority(self) -> None:
        following = Issuer(f"authority {time.time()}")
        self._write("ca.pem", (self._authority.pem + following.pem).decode())
        self._server.tls, self._authority = following.loopback(), following
        self.drop_connections()

    def _next(self, what: str) -> str:
        self._number += 1
        return f"{what.replace(' ', '-')}-{self._number}"

    def _take(self, what: str) -> None:
        self._api.good[what] = f"{what.replace(' ', '-')}-{self._number}"

    def _write(self, name: str, text: str) -> None:
        draft = self._folder / f"{name}.new"
        draft.write_text(text)
        draft.replace(self._folder / name)


def main() -> int:
    arguments = argparse.ArgumentParser(prog="service", description=__doc__)
    arguments.add_argument("--seconds", type=float, default=600.0)
    seconds = arguments.parse_args().seconds
    program = shutil.which("bao")
    if program is None:
        sys.exit("service: the program bao is missing (tests/peers.txt)")
    api, authority = Api(), Issuer()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bao").mkdir()
        with OpenBao(program, folder / "bao") as bao, Server(api, tls=authority.loopback()) as server:
            _prepare(folder, api, server, bao, authority)
            began_at = time.time()
            workers = [_start(folder, seconds) for _ in range(2)]
            down = _make_trouble(Trouble(api, server, bao, folder, authority), began_at + seconds)
            reports = [json.loads(worker.communicate(timeout=120)[0]) for worker in workers]
    return _judge(reports, down, api)


def _prepare(folder: Path, api: Api, server: Server, bao: OpenBao, authority: Issuer) -> None:
    bao.initialise()
    bao.mount("secret", 2)
    bao.call("PUT", "sys/policies/acl/reader", {"policy": 'path "secret/data/*" { capabilities = ["read"] }'})
    bao.call("POST", "sys/auth/approle", {"type": "approle"})
    bao.call(
        "POST", "auth/approle/role/service", {"token_policies": ["reader"], "token_ttl": "5s", "token_max_ttl": "5s"}
    )
    role = bao.call("GET", "auth/approle/role/service/role-id")["data"]["role_id"]
    bao.call("POST", "secret/data/api", {"data": {"key": api.good["key"]}})
    secret_id = bao.call("PUT", "auth/approle/role/service/secret-id", {})["data"]["secret_id"]
    files = {"secret-id": secret_id, "token": api.good["token"], "client-secret": api.good["client secret"]}
    for name, content in files.items():
        (folder / name).write_text(content)
    (folder / "ca.pem").write_bytes(authority.pem)
    text = _MANIFEST.format(bao=bao.address, bao_ca=bao.ca_file, role=role, port=server.port)
    (folder / "connections.yaml").write_text(text)
    store = open_grants("", folder / ".connform", None)
    token_url = f"https://localhost:{server.port}/token"
    granted = grant("grant", token_url=token_url, client_id="app", expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    keep(store, granted._replace(refresh_token=Secret("refresh-0")))
    store.close()


def _start(folder: Path, seconds: float) -> subprocess.Popen[str]:
    argv = [sys.executable, str(_WORKER), str(folder / "connections.yaml"), str(seconds)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def _make_trouble(trouble: Trouble, ends_at: float) -> list[tuple[str, float, float]]:
    """Make trouble until shortly before the end, and return what happened, with its beginning and its end."""
    happened = []
    pause_s = min(10.0, (ends_at - time.time()) / (len(trouble.kinds) + 1))
    time.sleep(pause_s)
    while time.time() < ends_at - pause_s:
        for kind in trouble.kinds:
            if time.time() > ends_at - pause_s:
                break
            began_at = time.time()
            kind()
            happened.append((kind.__name__, began_at, time.time()))
            time.sleep(max(pause_s - (time.time() - began_at), 0))
    return happened


def _judge(reports: list[dict[str, Any]], happened: list[tuple[str, float, float]], api: Api) -> int:
    down = [(began_at, ended_at + _AFTER_S) for name, began_at, ended_at in happened if name == "restart"]
    failures = [failure for report in reports for failure in report["failed"]]
    wrong = [one for one in failures if not any(began_at <= one[0] <= ended_at for began_at, ended_at in down)]
    print(
        f"{sum(report['answered'] for report in reports)} requests were answered, {len(failures)} failed, {len(wrong)} of them wrongly"
    )
    for moment, connection, reason in wrong[:20]:
        before = max(
            (one for one in happened if one[1] <= moment), key=lambda one: one[1], default=("the start", moment, moment)
        )
        print(f"  {moment - before[1]:.2f} s after {before[0]}: {connection}: {reason}")
    print(", ".join(f"{count} x {name}" for name, count in Counter(name for name, *_ in happened).items()))
    print(f"{api.refreshes} tokens were issued, {api.reused} refresh tokens were used twice")
    grown = []
    for report in reports:
        early, late = report["early"], report["late"]
        print("a worker held " + ", ".join(f"{early[what]} then {late[what]} {what}" for what in _GROWTH))
        grown += [what for what, limit in _GROWTH.items() if late[what] - early[what] > limit]
    return int(bool(wrong or grown or api.reused))


if __name__ == "__main__":
    sys.exit(main())
