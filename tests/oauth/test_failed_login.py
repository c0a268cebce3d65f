"""A login that fails: what can be had only once is not sent where it could not be stored, and the hints are those of a login."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from connform.database import open_grants
from connform.engine.device_login import DeviceLogin
from connform.engine.login import Login, login
from connform.engine.new_grant import LoginResult
from connform.engine.run.state_location import StateLocation
from connform.errors import ConnectionFailed
from connform.secret import Secret
from tests.canary import API_KEY
from tests.database.conftest import fill, grant, keep
from tests.end_to_end.conftest import Issuer
from tests.http.servers import Connection, Server, answer, head
from tests.oauth.conftest import SECRET
from tests.oauth.test_verdicts import MANIFEST, read_only

TOKENS = b'{"access_token": "new", "token_type": "Bearer", "refresh_token": "next"}'


def _issue(connection: Connection) -> None:
    while connection.read_request():
        connection.send(head(200, [f"Content-Length: {len(TOKENS)}"]) + TOKENS)


def _finish(started: Login | DeviceLogin) -> LoginResult:
    assert isinstance(started, Login)
    (state,) = parse_qs(urlsplit(started.url).query)["state"]
    return started.finish(Secret(f"{started.redirect_uri}?{urlencode({'code': API_KEY, 'state': state})}"))


SPEND: dict[str, Callable[[Login | DeviceLogin], LoginResult]] = {
    "a code": _finish,
    "a refresh token from elsewhere": lambda started: started.import_token(Secret(API_KEY)),
}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system where the store lies."""
    disk = tmp_path / ".connform"
    disk.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


@pytest.fixture
def server(authority: Issuer) -> Iterator[Server]:
    with Server(_issue, tls=authority.loopback()) as server:
        yield server


@pytest.fixture
def manifest(server: Server, ca_file: Path, tmp_path: Path, disk: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One whose store lies on the disk, and has been used."""
    monkeypatch.setenv("PORTAL_SECRET", SECRET)
    file = tmp_path / "connections.yaml"
    file.write_text(MANIFEST.format(port=server.port, ca_file=ca_file, total_s=30))
    store = open_grants("", disk, None)
    keep(store, grant("another"))
    store.close()
    return str(file)


REFUSALS = {
    "down": (503, b"", "try again later, with a new login"),
    "a wrong request": (400, b'{"error": "invalid_scope"}', "ask the vendor"),
    "a limit": (429, b"", "try again later; a stored grant is as it was"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("spent", SPEND)
def test_a_failed_login_speaks_of_no_grant_that_is_not_there(
    manifest: str, server: Server, spent: str, refusal: str
) -> None:
    status, body, words = REFUSALS[refusal]
    server.behaviour = answer(body, status=status)
    with login([manifest], "customer", state=StateLocation()) as started, pytest.raises(ConnectionFailed) as caught:
        SPEND[spent](started)
    assert caught.value.fault.name == "token_endpoint_unavailable"
    assert words in caught.value.hint
    assert "next use" not in caught.value.hint


def test_a_full_disk_is_noticed_before_a_person_is_asked(manifest: str, server: Server, disk: Path) -> None:
    fill(disk)
    with pytest.raises(ConnectionFailed) as caught, login([manifest], "customer", state=StateLocation()):
        pytest.fail("a person was asked")
    assert caught.value.fault.name == "store_unwritable"
    assert server.connections == 0


@pytest.mark.parametrize("spend", SPEND)
def test_a_disk_that_is_read_only_by_now_is_noticed_before_anything_is_spent(
    manifest: str, server: Server, disk: Path, spend: str
) -> None:
    with login([manifest], "customer", state=StateLocation()) as started, read_only(disk):
        with pytest.raises(ConnectionFailed) as caught:
            SPEND[spend](started)
        assert caught.value.fault.name == "store_unwritable"
        assert server.connections == 0


@pytest.mark.parametrize("spend", SPEND)
def test_a_disk_that_fills_while_a_person_logs_in_still_takes_the_grant(
    manifest: str, server: Server, disk: Path, spend: str
) -> None:
    with login([manifest], "customer", state=StateLocation()) as started:
        fill(disk)
        assert SPEND[spend](started).facts.is_renewable
    assert len(server.requests) == 1
    store = open_grants("", disk, None)
    kept = store.read("customer")
    store.close()
    assert kept is not None
    assert kept.refresh_token is not None
    assert kept.refresh_token.reveal() == "next"
