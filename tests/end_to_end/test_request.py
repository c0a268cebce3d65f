"""`connform request` against a real server: what it sends, what it shows, what it writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.canary import API_KEY
from tests.end_to_end.conftest import Servers
from tests.end_to_end.running import KEY, Run, manifest, run
from tests.end_to_end.test_httpx_surface import echo
from tests.http.servers import Server, answer


@dataclass(frozen=True)
class Sent:
    """A command line behind the name of the connection, and what must arrive."""

    argv: tuple[str, ...]
    line: str
    holds: tuple[str, ...] = ()
    stdin: str | None = None


SENT = {
    "get": Sent(("get", "/x?q=1"), "GET /api/v1/x?q=1"),
    "head": Sent(("HEAD", "/x"), "HEAD /api/v1/x"),
    "options": Sent(("OPTIONS", "/x"), "OPTIONS /api/v1/x"),
    "delete": Sent(("DELETE", "/x"), "DELETE /api/v1/x"),
    "post without a body": Sent(("POST", "/x"), "POST /api/v1/x", ("\r\nContent-Length: 0\r\n",)),
    "post of JSON": Sent(
        ("POST", "/x", "--json", '{"take": 1}'), "POST /api/v1/x", ("\r\nContent-Type: application/json\r\n", '{"take": 1}')
    ),
    "put of a file": Sent(("PUT", "/x", "--data", "@body.bin"), "PUT /api/v1/x", ("\r\n\r\n\x00\xff body",)),
    "patch of standard input": Sent(("PATCH", "/x", "--data", "-"), "PATCH /api/v1/x", ("\r\n\r\nfrom a pipe",), "from a pipe"),
    "a form": Sent(
        ("POST", "/files/upload", "--form", "name=n1", "--form", "file=@body.bin"),
        "POST /api/v1/files/upload",
        (
            "\r\nContent-Type: multipart/form-data; boundary=",
            '\r\nContent-Disposition: form-data; name="name"\r\n\r\nn1\r\n',
            '\r\nContent-Disposition: form-data; name="file"; filename="body.bin"\r\n',
            "\r\n\r\n\x00\xff body\r\n",
        ),
    ),
    "headers": Sent(("GET", "/x", "-H", "X-Mine: a:b", "-H", "Accept: text/csv"), "GET /api/v1/x", ("\r\nX-Mine: a:b\r\n",)),
}  # fmt: skip


def ask(server: Server, ca_file: Path, folder: Path, *argv: str, stdin: str | None = None) -> Run:
    url = f"https://localhost:{server.port}/api/v1"
    (folder / "connections.yaml").write_text(manifest(acme={"base_url": url, "tls": {"ca_file": str(ca_file)}}))
    return run("request", "acme", *argv, cwd=folder, env=KEY, stdin=stdin)


@pytest.mark.parametrize("case", SENT)
def test_what_is_asked_for_arrives(servers: Servers, ca_file: Path, tmp_path: Path, case: str) -> None:
    sent = SENT[case]
    (tmp_path / "body.bin").write_bytes(b"\x00\xff body")
    server = servers.tls(echo)
    ended = ask(server, ca_file, tmp_path, *sent.argv, "--output", "answer", stdin=sent.stdin)
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    (request,) = server.requests
    seen = request.decode("latin-1")
    assert seen.startswith(f"{sent.line} HTTP/1.1\r\n")
    assert all(part.lower() in seen.lower() for part in sent.holds), sent.holds
    assert seen.count(f"\r\napi_key: {API_KEY}\r\n") == 1
    written = (tmp_path / "answer").read_bytes()
    assert written == (b"" if case == "head" else json.dumps({"seen": seen}).encode())
    (tmp_path / "answer").unlink()


def test_the_head_of_the_answer_is_shown_before_its_body(servers: Servers, ca_file: Path, tmp_path: Path) -> None:
    server = servers.tls(answer(b"whole\n", "Content-Type: text/plain", "X-Request-Id: 7", status=201))
    ended = ask(server, ca_file, tmp_path, "GET", "/x", "--include")
    head, _, body = ended.out.partition("\n\n")
    assert (ended.code, body) == (0, "whole\n")
    assert head.splitlines()[0] == "HTTP 201"
    assert {"content-type: text/plain", "x-request-id: 7", "content-length: 6"} <= {
        line.lower() for line in head.splitlines()
    }


def test_an_answer_of_any_size_is_written_to_a_file(servers: Servers, ca_file: Path, tmp_path: Path) -> None:
    content = bytes(65 * 1024 * 1024)
    server = servers.tls(answer(content))
    assert ask(server, ca_file, tmp_path, "GET", "/x").code == 6
    ended = ask(server, ca_file, tmp_path, "GET", "/x", "--output", "answer")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert (tmp_path / "answer").stat().st_size == len(content)
    (tmp_path / "answer").unlink()


@pytest.mark.parametrize(("status", "code"), [(400, 1), (401, 4), (403, 4), (404, 1), (429, 6), (500, 6)])
def test_a_refusal_is_shown_and_told_by_the_exit_code(
    servers: Servers, ca_file: Path, tmp_path: Path, status: int, code: int
) -> None:
    server = servers.tls(answer(b"denied", status=status))
    ended = ask(server, ca_file, tmp_path, "POST", "/packages/add", "--output", "answer")
    assert (ended.code, ended.err) == (code, f"error: the API answered {status}\n")
    assert (tmp_path / "answer").read_bytes() == b"denied"
    assert len(server.requests) == 1
