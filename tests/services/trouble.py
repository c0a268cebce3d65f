"""What happens to a service: restarts, stalls, new certificates, and new secrets whose predecessors are refused at once."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

from tests.end_to_end.conftest import Issuer
from tests.http.servers import Server
from tests.secrets.vault.openbao import OpenBao
from tests.services.api import Api

_DOWN_S = 1.0
_STALL_S = 3.0


class Happened(NamedTuple):
    """Something that happened."""

    kind: str
    began_at: float
    ended_at: float


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
            self.drop_connections,
            self.change_the_authority,
            self.stall,
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
        time.sleep(_STALL_S)
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


def make_trouble(trouble: Trouble, ends_at: float) -> list[Happened]:
    """Make trouble until shortly before the end, and return what happened."""
    happened = []
    pause_s = min(10.0, (ends_at - time.time()) / (len(trouble.kinds) + 1))
    time.sleep(pause_s)
    for kind in cycle(trouble.kinds):
        if time.time() > ends_at - pause_s:
            break
        began_at = time.time()
        kind()
        happened.append(Happened(kind.__name__, began_at, time.time()))
        time.sleep(max(pause_s - (time.time() - began_at), 0))
    return happened
