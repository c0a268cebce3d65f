"""What the tests of issued tokens share: a folder with a manifest, and the environment of commands and programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connform.auth.oauth.renewed_credential import RenewedCredential, now_utc
from connform.auth.tokens.renewal import issued_credential
from connform.database import open_grants
from connform.database.token_table import TokenTable
from connform.issued_token import TokenStore
from connform.secret import Secret
from tests.canary import API_KEY
from tests.end_to_end.plugins import install
from tests.end_to_end.running import Run, run
from tests.tokens.method import Request, lines
from tests.tokens.service import Service

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_METHOD = Path(__file__).with_name("method.py")


def credential(
    service: Service, store: TokenStore, clock: Callable[[], datetime] = now_utc, **request: Any
) -> RenewedCredential:
    """Return what a process makes of the tokens in a store."""
    wanted = Request(service.token_url, Secret(API_KEY))._replace(**request)
    return issued_credential("shop", wanted, store, lines, "Bearer", clock)


def declaration(service: Service, **auth: str) -> dict[str, Any]:
    """Return a connection with the auth method of these tests."""
    return {
        "provider": "http",
        "base_url": service.origin,
        "check": {"path": "/me", "expect": {"body": {"required": ["id"]}}},
        "auth": {"method": "issued", "token_url": service.token_url, "secret": "env://SHOP_SECRET", **auth},
    }


def declare(folder: Path, connections: dict[str, Any], **more: Any) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "connections.yaml").write_text(json.dumps({"version": 1, "connections": connections, **more}))


class Shop:
    """A folder with the connection `shop`, and the commands that are run in it."""

    def __init__(self, folder: Path, service: Service, url: str = "", key: str = "") -> None:
        self.folder = folder
        self.service = service
        self.url = url
        plug_in = folder.parent / f"{folder.name}-plug-in"
        self.environment = {"SHOP_SECRET": API_KEY, "STATE_KEY": key, "CONNFORM_ROOT": str(folder)} | install(
            plug_in, _METHOD.read_text(), {"connform.auth": "issued = acme_plugin:METHOD"}
        )
        if url:
            self.environment["CONNFORM_STATE"] = url
        if key:
            self.environment["CONNFORM_STATE_KEY"] = "env://STATE_KEY"
        declare(folder, {"shop": declaration(service)})

    def run(self, *argv: str, code: int = 0, **more: Any) -> Run:
        """Run a command that is to end with a code."""
        done = run(*argv, cwd=self.folder, env=self.environment, **more)
        assert done.code == code, (done.out, done.err)
        return done

    def table(self) -> TokenTable:
        """Return the tokens in the state."""
        key = self.environment["STATE_KEY"]
        return open_grants(self.url, self.folder / ".connform", (lambda: Secret(key)) if key else None).tokens

    def stored(self, name: str = "shop") -> str:
        """Return the token that is stored, or an empty text."""
        table = self.table()
        token = table.read(name)
        table.close()
        return token.access_token.reveal() if token else ""

    @property
    def files(self) -> set[str]:
        return {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*")}
