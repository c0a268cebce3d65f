"""What the sessions of docs/guides/rotation.md need: an API that takes several credentials, an OpenBao with versions, a program that runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from tests.end_to_end.running import AS_INSTALLED, Run, environment, run_here, run_program
from tests.http.servers import Connection, head
from tests.secrets.vault.openbao import OpenBao

PAGE = (Path(__file__).parents[2] / "docs" / "guides" / "rotation.md").read_text("utf-8")
HOSTS = ("api.sendgrid.com", "api.acme.example", "login.acme.example")
VAULT = "https://vault.acme.example"
_PATIENCE_S = 30.0
_VARYING = {
    r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)": "TIME",
    r"\s+[\d.]+ ?ms": "",
    r"\([\d.]+ s\)": "(S)",
    r"sha256:[0-9a-f]{64}": "DIGEST",
    r", (?:proxy|CA) [^,)]+": "",
    r"https://127\.0\.0\.1:\d+": VAULT,
    r"\s+": " ",
}
"""What differs from run to run, and what the tests add to the manifests."""


def section(heading: str) -> str:
    """Return what stands below a heading of the page."""
    (found,) = re.findall(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


def blocks(heading: str, language: str) -> list[str]:
    """Return the blocks of code of a language below a heading."""
    return re.findall(rf"```{language}\n(.*?)```", section(heading), re.DOTALL)


def comparable(text: str) -> str:
    """Return an output without what differs from run to run."""
    for pattern, instead in _VARYING.items():
        text = re.sub(pattern, instead, text)
    return text.strip()


class Api:
    """The API of a vendor, with its token endpoint: accepts the keys, client secrets and signatures that it knows."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.client_secrets: set[str] = set()
        self.public_keys: dict[str, EllipticCurvePublicKey] = {}
        self.shown: list[tuple[str, int]] = []
        """Credential and status of each request."""
        self._tokens: set[str] = set()

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request().decode():
            status, content = self._token(request) if request.startswith("POST /token ") else self._answer(request)
            body = json.dumps(content).encode()
            fields = [f"Content-Length: {len(body)}", "Content-Type: application/json"]
            connection.send(head(status, fields) + body)

    def count(self, credential: str, status: int = 200) -> int:
        """Return how many requests with a credential had this answer."""
        return self.shown.count((credential, status))

    def _answer(self, request: str) -> tuple[int, object]:
        credential = request.partition("Authorization: Bearer ")[2].partition("\r\n")[0]
        is_good = credential in self.keys | self._tokens or self._is_signed(credential)
        self.shown.append((credential, 200 if is_good else 401))
        return (200, {"id": 7, "scopes": ["mail.send"]}) if is_good else (401, {"errors": [{"message": "revoked"}]})

    def _is_signed(self, token: str) -> bool:
        try:
            key = self.public_keys[jwt.get_unverified_header(token)["kid"]]
            jwt.decode(token, key, ["ES256"], audience="acme-api", issuer="acme-sync")
        except (jwt.InvalidTokenError, KeyError):
            return False
        return True

    def _token(self, request: str) -> tuple[int, object]:
        secret = request.partition("client_secret=")[2].partition("&")[0]
        self.shown.append((secret, 200 if secret in self.client_secrets else 401))
        if secret not in self.client_secrets:
            return 401, {"error": "invalid_client"}
        self._tokens.add(token := f"access-{len(self._tokens)}")
        return 200, {"access_token": token, "refresh_token": "refresh", "token_type": "Bearer", "expires_in": 900}


class Terminal:
    """A folder in which commands of the page are run, with what the page leaves out: the ways to the servers."""

    def __init__(self, folder: Path, bao: OpenBao, token: str, way: str) -> None:
        self.folder = folder
        self._bao, self._way = bao, way
        self.variables = {
            **AS_INSTALLED,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "VAULT_TOKEN": token,
            "BAO_TOKEN": bao.root,
            "BAO_ADDR": bao.address,
            "BAO_CACERT": str(bao.ca_file),
        }

    def declare(self, manifest: str) -> None:
        """Write a manifest of the page."""
        address = f"address: {self._bao.address}\n    ca_file: {self._bao.ca_file}"
        (self.folder / "connections.yaml").write_text(manifest.replace(f"address: {VAULT}", address) + self._way)

    def merge(self, diff: str) -> None:
        """Replace the lines of the manifest that a pull request removes by those that it adds."""
        manifest = self.folder / "connections.yaml"
        before, after = ("".join(re.findall(rf"^{sign}(.*\n)", diff, re.MULTILINE))[:-1] for sign in (r"-", r"\+"))
        text = manifest.read_text()
        assert text.count(before) == 1
        manifest.write_text(text.replace(before, after))

    def run(self, *argv: str, stdin: str | None = None) -> Run:
        """Run a command; connform in this process, which is faster."""
        if argv[0] == "connform":
            return run_here(*argv[1:], cwd=self.folder, env=self.variables, stdin=stdin)
        return run_program(*argv, cwd=self.folder, env=self.variables, stdin=stdin)

    def type_in(self, heading: str) -> None:
        """Run the commands below a heading of the page; each prints what the page says."""
        shown = "".join(blocks(heading, "console"))
        code = 0
        for command, said in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", shown, re.MULTILINE):
            is_simple = command.startswith("connform ") and "|" not in command
            ended = self.run(*(command.split() if is_simple else ("bash", "-c", f"(exit {code}); {command}")))
            code = ended.code
            assert comparable(ended.out) == comparable(said), f"$ {command}\n{ended.out}{ended.err}"


class Program:
    """The program of the page, while it runs; it makes more requests a second than on the page."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self._process, self._output = process, output

    def wait(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        ends_at = time.monotonic() + _PATIENCE_S
        while not is_so():
            assert self._process.poll() is None, "it ended"
            assert time.monotonic() < ends_at, self.statuses
            time.sleep(0.01)

    @property
    def statuses(self) -> list[int]:
        """What its requests were answered with."""
        return [int(line) for line in self._output.read_text().split("\n")[:-1]]


@contextmanager
def running_program(terminal: Terminal) -> Iterator[Program]:
    """Run the program of the page."""
    (source,) = blocks("An example", "python")
    number = len(list(terminal.folder.glob("statuses-*")))
    output, variables = terminal.folder / f"statuses-{number}", environment(terminal.variables)
    command = [sys.executable, "-c", source.replace("time.sleep(1)", "time.sleep(0.02)")]
    with output.open("wb") as statuses:
        process = subprocess.Popen(command, cwd=terminal.folder, env=variables, stdout=statuses)
    (terminal.folder / "program.pid").write_text(str(process.pid))
    try:
        yield Program(process, output)
    finally:
        process.kill()
        process.wait()
