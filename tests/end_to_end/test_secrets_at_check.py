"""A secret that can't be had ends a check before the network, with the place of its reference in the manifest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from connform.faults import FAULTS
from tests.canary import API_KEY
from tests.conftest import Plant, require_peer
from tests.end_to_end.conftest import Servers
from tests.end_to_end.running import run, run_here

MANIFEST = """\
version: 1
stores:
  mounted: {{type: file, path: mount}}
connections:
  acme:
    environment: private
    base_url: https://localhost:{port}/api/v1
    tls: {{ca_file: "{ca_file}"}}
    timeouts: {{total_s: 2}}
    auth:
      method: api_key
      api_key: {reference}
"""
LINE, COLUMN = 12, 16


@dataclass(frozen=True)
class Missing:
    """One way in which a secret can be missing."""

    reference: str
    fault: str
    says: str
    env: Mapping[str, str]


CASES = {
    "unset variable": Missing("env://ACME_KEY", "secret_not_found", "environment variable ACME_KEY is not set", {}),
    "mistyped variable": Missing("env://ACME_KEY", "secret_not_found", "did you mean `ACME_KEYS`?", {"ACME_KEYS": "x"}),
    "empty variable": Missing("env://ACME_KEY", "secret_malformed", "is empty", {"ACME_KEY": ""}),
    "newline alone": Missing("env://ACME_KEY", "secret_malformed", "is empty", {"ACME_KEY": "\n"}),
    "newline inside": Missing("env://ACME_KEY", "secret_malformed", "line break", {"ACME_KEY": f"{API_KEY}\nx"}),
    "two newlines": Missing("env://ACME_KEY", "secret_malformed", "line break", {"ACME_KEY": f"{API_KEY}\n\n"}),
    "not ASCII": Missing("env://ACME_KEY", "secret_malformed", "not ASCII", {"ACME_KEY": f"{API_KEY}ü"}),
    "no file": Missing("file://nothing.key", "secret_not_found", "nothing.key", {}),
    "a folder": Missing("file://mount", "secret_malformed", "not a regular file", {}),
    "no dotenv file": Missing("dotenv://.env.nothing#ACME_KEY", "secret_not_found", ".env.nothing", {}),
    "not in the dotenv file": Missing("dotenv://.env#ACME_KEY", "secret_not_found", "ACME_KEY", {}),
    "a link to itself": Missing("file://loop", "secret_backend_unavailable", "can't be read", {}),
    "a closed file": Missing("file://closed.key", "secret_denied", "this user may not read", {}),
    "not in the mount": Missing("mounted://nothing", "secret_not_found", "nothing", {}),
}


def by_modes_alone() -> list[str]:
    """Return a command before which root may read no more than the modes of files say."""
    if os.geteuid():
        return []
    return [require_peer("setpriv"), "--bounding-set=-dac_override,-dac_read_search"]


@pytest.mark.parametrize("name", CASES)
def test_a_missing_secret_is_told_with_its_place(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    (tmp_path / "mount").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "closed.key").touch(0)
    (tmp_path / ".env").write_text("OTHER=x\n")
    file = tmp_path / "connections.yaml"
    file.write_text(MANIFEST.format(port=1, ca_file="nothing.pem", reference=f'"{case.reference}"'))

    command = ("check", "-f", "connections.yaml", "--format", "json")
    if case.fault == "secret_denied":
        ended = run(*command, cwd=tmp_path, env=case.env, before=by_modes_alone())
    else:
        ended = run_here(*command, cwd=tmp_path, env=case.env)
    told = ended.connection
    assert (ended.code, told["class"], told["stage"], told["verdict"]) == (
        5,
        case.fault,
        "secret",
        FAULTS[case.fault].verdict.value,
    )
    assert case.says in f"{told['message']}\n{told['hint']}"
    assert (told["file"], told["line"], told["column"]) == ("connections.yaml", LINE, COLUMN)
    assert {stage["status"] for stage in told["stages"][2:]} == {"skipped"}


def test_the_text_tells_the_place_as_well(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(MANIFEST.format(port=1, ca_file="x", reference="env://ACME_KEY"))
    ended = run("check", cwd=tmp_path)
    assert ended.code == 5
    assert f"connections.yaml:{LINE}:{COLUMN}" in ended.out


def test_the_place_is_that_of_the_secret_that_is_missing(tmp_path: Path) -> None:
    """Of two references that begin alike, too."""
    file = tmp_path / "connections.yaml"
    auth = ["method: oauth2", "client_id: acme", "redirect_uri: https://localhost/auth", "scopes: [offline_access]"]
    secret = "client_secret: env://ACME_KEY_2"
    connection = ["environment: sandbox", "region: us", "auth:", *(f"  {line}" for line in (*auth, secret))]
    file.write_text("\n".join(["version: 1", "connections:", "  acme:", *(f"    {line}" for line in connection), ""]))
    told = run("check", "-f", file, "--format", "json", cwd=tmp_path, env={"ACME_KEY": "x"}).connection
    assert (told["class"], told["line"], told["column"]) == ("secret_not_found", 11, 22)


def checked(
    servers: Servers, ca_file: Path, tmp_path: Path, reference: str, env: Mapping[str, str] | None = None
) -> bytes:
    """Check a connection with this reference and return the request that its server saw."""
    server = servers.iinked_sign()
    file = tmp_path / "connections.yaml"
    file.write_text(MANIFEST.format(port=server.port, ca_file=ca_file, reference=f'"{reference}"'))
    ended = run("check", "-f", file, "--format", "json", cwd=tmp_path, env=env)
    assert ended.code == 0, ended.out
    (request,) = server.requests
    return request


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_one_trailing_newline_goes(ending: str, servers: Servers, ca_file: Path, tmp_path: Path, plant: Plant) -> None:
    plant("acme.key", API_KEY + ending)
    assert b"api_key: %s\r\n" % API_KEY.encode() in checked(servers, ca_file, tmp_path, "file://acme.key")


def test_a_dotenv_file(servers: Servers, ca_file: Path, tmp_path: Path, plant: Plant) -> None:
    plant(".env", f"# keys\nexport ACME_KEY='{API_KEY}'\n")
    assert b"api_key: %s\r\n" % API_KEY.encode() in checked(servers, ca_file, tmp_path, "dotenv://.env#ACME_KEY")


@pytest.mark.parametrize("reference", ["file://mount/acme", "mounted://acme"])
def test_a_kubernetes_mount(reference: str, servers: Servers, ca_file: Path, tmp_path: Path, plant: Plant) -> None:
    """A mount's members are links through `..data`, which points at the version of the day."""
    plant("mount/..2026_01_01/acme", API_KEY)
    os.symlink("..2026_01_01", tmp_path / "mount" / "..data")
    os.symlink("..data/acme", tmp_path / "mount" / "acme")
    assert b"api_key: %s\r\n" % API_KEY.encode() in checked(servers, ca_file, tmp_path, reference)
