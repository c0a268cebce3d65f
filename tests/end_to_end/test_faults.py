"""Every way in which a connection can fail, through the real command line: its class, stage, verdict, exit code, and its end in time."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from tests.conftest import require_peer
from tests.end_to_end.conftest import PACKAGES, Issuer, Servers
from tests.end_to_end.nginx import certificate, nginx
from tests.end_to_end.running import KEY, Run, complete, manifest, offline, run, run_here
from tests.http import servers as raw_servers
from tests.http.servers import Behaviour, Connection, answer, drip, endless, gzip_of_zeros, head, only_tls_1_1, raw
from tests.ports import free_ports, silent_port

# What docs and scripts rely on: class → stage, verdict, exit code of a run with this failure alone.
CLASSES = {
    "": ("", "ready", 0),
    "dns_no_such_host": ("dns", "failed", 6),
    "dns_timeout": ("dns", "unknown", 6),
    "tcp_refused": ("tcp", "unknown", 6),
    "tcp_timeout": ("tcp", "unknown", 6),
    "tcp_unreachable": ("tcp", "unknown", 6),
    "tls_cert_expired": ("tls", "failed", 6),
    "tls_cert_not_yet_valid": ("tls", "failed", 6),
    "tls_wrong_host": ("tls", "failed", 6),
    "tls_untrusted_issuer": ("tls", "failed", 6),
    "tls_not_tls": ("tls", "failed", 6),
    "tls_protocol": ("tls", "failed", 6),
    "tls_timeout": ("tls", "unknown", 6),
    "tls_reset": ("tls", "unknown", 6),
    "http_redirect_refused": ("http", "failed", 6),
    "http_not_this_api": ("http", "failed", 6),
    "http_deadline": ("http", "unknown", 6),
    "http_timeout": ("http", "unknown", 6),
    "http_bad_reply": ("http", "unknown", 6),
    "http_too_large": ("http", "failed", 6),
    "rate_limited": ("http", "unknown", 6),
    "server_error": ("http", "unknown", 6),
    "server_unavailable": ("http", "unknown", 6),
    "auth_denied": ("auth", "failed", 4),
    "auth_rejected": ("auth", "failed", 4),
    "feature_missing": ("auth", "failed", 4),
    "denied_by_intermediary": ("auth", "unknown", 6),
    "config_file_unreadable": ("config", "failed", 1),
    "secret_not_found": ("secret", "failed", 5),
}
STAGES = ("config", "secret", "dns", "tcp", "tls", "http", "auth", "latency")

TOTAL_S = 2.0
TIMEOUTS = {"connect_s": 0.8, "read_s": 1.0, "total_s": TOTAL_S}
READ_ALONE = {"timeouts": {"read_s": 1.0}}
"""Nothing but silence ends it, however busy the machine is."""
GRACE_S = 1.0
"""How much later than its deadline a check may end."""
PATIENCE_S = 40
"""The same, of many that compete for a processor, and what they may take where no time is to end them."""
ENDED_BY_TIME = {"tcp_timeout", "tls_timeout", "http_timeout", "http_deadline"}
MEMORY_KB = 50 * 1024

ISSUER = "Intercepting Proxies Ltd"
DENIED = '{"error": "user_not_authorized", "message": "no"}'
LACKING = '{"error": "package_feature_bulk", "message": "not in this plan"}'
ABSENT = '{"error": "path_not_found", "message": "no"}'
HTML = "<html><body>Welcome</body></html>"
IN_A_MINUTE = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)

# Real nginx: a location per answer, below a location per redirect.
REDIRECTS = (301, 302, 303, 307, 308)
ANSWERS: dict[str, str] = {
    "packages": f"return 200 '{PACKAGES.decode()}';",
    "html": f"default_type text/html; return 200 '{HTML}';",
    "nothing": "return 200 '';",
    "broken-json": "return 200 '{\"items\": [';",
    "other-json": 'return 200 \'{"status": "UP"}\';',
    "json-list": "return 200 '[]';",
    "no-content": "return 204;",
    "identity": "return 200 '{\"id\": 7}';",
    "too-many-seconds": "add_header Retry-After 7 always; return 429;",
    "too-many-date": f"add_header Retry-After '{IN_A_MINUTE}' always; return 429;",
    "too-many-junk": "add_header Retry-After 'a while' always; return 429;",
    "too-many-2099": "add_header Retry-After 'Thu, 01 Jan 2099 00:00:00 GMT' always; return 429;",
    "too-many": "return 429;",
    "500": "return 500;",
    "502": "proxy_pass http://127.0.0.1:1;",
    "503": "add_header Retry-After 30 always; return 503;",
    "504": "return 504;",
    "400-api": f"return 400 '{ABSENT}';",
    "401": "return 401;",
    "403-api": f"return 403 '{DENIED}';",
    "403-feature": f"return 403 '{LACKING}';",
    "403-html": "default_type text/html; return 403;",
    "404-api": f"return 404 '{ABSENT}';",
    "404-html": "default_type text/html; return 404;",
    "418": "return 418;",
    **{f"redirect-{status}": f"return {status} https://localhost:SINK/stolen?token=1;" for status in REDIRECTS},
    "redirect-to-http": "return 307 http://localhost:PLAIN_SINK/stolen;",
    "redirect-within": "return 302 /packages/packages/list;",
}


@dataclass
class World:
    """What the cases' servers are reached by."""

    servers: Servers
    ca_file: Path
    sinks: tuple[raw_servers.Server, raw_servers.Server]
    """TLS and plain: where redirects lead, and where nobody must come."""
    full_port: int
    """A listener whose backlog is full: the kernel drops what comes."""
    ports: dict[str, int] = field(default_factory=dict)
    """Of nginx, by the name of the server; empty where it is not installed."""


Place = dict[str, Any]
"""The settings of a connection."""


@dataclass(frozen=True)
class Case:
    """One row: how to get there, and what must be said."""

    where: Callable[[World], Place]
    fault: str
    says: str = ""
    """What the message, the hint or a warning must hold; a regular expression."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    resolver: str = ""
    """Run in a network of its own, with this name server: `nxdomain`, `silent`, or `none`."""


def over_tls(behaviour: Behaviour) -> Callable[[World], Place]:
    return lambda world: at(world.servers.tls(behaviour).port)


def over_tcp(behaviour: Behaviour) -> Callable[[World], Place]:
    return lambda world: at(world.servers.plain(behaviour).port)


def by_nginx(server: str, location: str = "packages", host: str = "127.0.0.1") -> Callable[[World], Place]:
    def where(world: World) -> Place:
        if not world.ports:
            require_peer("nginx")
        return {"base_url": f"https://{host}:{world.ports[server]}/{location}"}

    return where


def literally(url: str) -> Callable[[World], Place]:
    return lambda _: {"base_url": url}


def at(port: int) -> Place:
    return {"base_url": f"https://localhost:{port}/api/v1"}


def refused(world: World) -> Place:
    (port,) = free_ports(1)
    return at(port)


def dropped(world: World) -> Place:
    return at(world.full_port)


def tls_1_1(world: World) -> Place:
    return at(world.servers.tls(answer(), only_tls_1_1(world.servers.authority.loopback())).port)


def answered(location: str, fault: str, says: str = "") -> Case:
    return Case(by_nginx("good", location), fault, says)


def http_answered(location: str, fault: str, says: str = "", **settings: Any) -> Case:
    """The same through the provider `http`."""
    return Case(by_nginx("good", location), fault, says, {"provider": "http", **settings})


CASES: dict[str, Case] = {
    # dns, tcp
    "no such host": Case(literally("https://nowhere.invalid/api/v1"), "dns_no_such_host", "nowhere.invalid", resolver="nxdomain"),
    "silent resolver": Case(literally("https://somewhere.invalid/api/v1"), "dns_timeout", "somewhere.invalid", resolver="silent"),
    "no route": Case(literally("https://192.0.2.1/api/v1"), "tcp_unreachable", "192.0.2.1", resolver="none"),
    "port closed": Case(refused, "tcp_refused", r"127\.0\.0\.1:\d+"),
    "packets dropped": Case(dropped, "tcp_timeout"),
    # tls
    "certificate expired": Case(by_nginx("expired"), "tls_cert_expired"),
    "certificate not yet valid": Case(by_nginx("early"), "tls_cert_not_yet_valid", "clock"),
    "certificate of another host": Case(by_nginx("other", host="localhost"), "tls_wrong_host", r"other\.example\.test"),
    "certificate of another address": Case(by_nginx("other"), "tls_wrong_host", r"other\.example\.test"),
    "unknown issuer": Case(by_nginx("stranger"), "tls_untrusted_issuer", ISSUER),
    "http on the port": Case(over_tcp(raw_servers.plain_http), "tls_not_tls"),
    "ssh on the port": Case(over_tcp(raw_servers.banner(b"SSH-2.0-OpenSSH_9.9\r\n")), "tls_not_tls"),
    "tls 1.1": Case(tls_1_1, "tls_protocol"),
    "handshake hangs": Case(over_tcp(raw_servers.silent), "tls_timeout"),
    "handshake reset": Case(over_tcp(raw_servers.reset_in_handshake), "tls_reset"),
    "handshake closed": Case(over_tcp(raw_servers.close_in_handshake), "tls_reset"),
    "no client certificate, says nginx": Case(by_nginx("mutual"), "tls_protocol", "client_cert"),
    "certificate ends soon": Case(by_nginx("ending"), "", r"ends in 10 days"),
    # time and framing
    "slow-loris in the headers": Case(over_tls(drip(b"HTTP/1.1 200 OK\r\nX-Slow: ")), "http_deadline", "total_s"),
    "slow-loris in the body": Case(over_tls(drip(head(200, ["Content-Length: 1000"]))), "http_deadline", "total_s"),
    "silence": Case(over_tls(raw_servers.silent), "http_timeout", "read_s", READ_ALONE),
    "silence in the body": Case(
        over_tls(raw(head(200, ["Content-Length: 9"]), then=raw_servers.silent)), "http_timeout", "", READ_ALONE
    ),
    "reset": Case(over_tls(raw(then=raw_servers.reset)), "http_bad_reply"),
    "closed": Case(over_tls(raw()), "http_bad_reply"),
    "truncated body": Case(over_tls(raw(head(200, ["Content-Length: 99"]), PACKAGES)), "http_bad_reply"),
    "truncated chunks": Case(over_tls(raw(head(200, ["Transfer-Encoding: chunked"]), b"9\r\nfour")), "http_bad_reply"),
    "not http": Case(over_tls(raw(b"* OK IMAP4rev1 ready\r\n")), "http_bad_reply"),
    "200 kB header": Case(over_tls(raw(head(200, ["X-Large: " + "a" * 200_000]))), "http_bad_reply"),
    "gzip bomb": Case(over_tls(answer(gzip_of_zeros(200), "Content-Encoding: gzip")), "http_too_large"),
    "endless body": Case(over_tls(endless(head(200), bytes(65536))), "http_too_large"),
    "declared too large": Case(over_tls(raw(head(200, ["Content-Length: 99999999999"]))), "http_too_large"),
    # answers of a real nginx
    "ready": answered("packages", ""),
    **{f"redirect {status}": answered(f"redirect-{status}", "http_redirect_refused", rf"{status} and points to the host localhost") for status in REDIRECTS},
    "redirect to plain http": answered("redirect-to-http", "http_redirect_refused"),
    "redirect within the origin": answered("redirect-within", "http_redirect_refused"),
    "200 with html": answered("html", "http_not_this_api", "captive portal"),
    "200 with nothing": answered("nothing", "http_not_this_api"),
    "200 with broken json": answered("broken-json", "http_not_this_api"),
    "200 with other json": answered("other-json", "http_not_this_api"),
    "200 with a json list": answered("json-list", "http_not_this_api"),
    "204": answered("no-content", "http_not_this_api"),
    "429 with seconds": answered("too-many-seconds", "rate_limited", r"wait 7 s, until 20\d\d-"),
    "429 with a date": answered("too-many-date", "rate_limited", r"wait \d+ s, until 20\d\d-"),
    "429 with junk": answered("too-many-junk", "rate_limited", "without saying how long"),
    "429 until 2099": answered("too-many-2099", "rate_limited", "until 2099-01-01T00:00:00"),
    "429": answered("too-many", "rate_limited", "without saying how long"),
    "500": answered("500", "server_error", "500"),
    "502": answered("502", "server_unavailable", "502"),
    "503": answered("503", "server_unavailable", "wait 30 s"),
    "504": answered("504", "server_unavailable", "504"),
    "400 of the api": answered("400-api", "http_not_this_api", "path_not_found"),
    "404 of the api": answered("404-api", "http_not_this_api", "path_not_found"),
    "404 of nginx": answered("404-html", "http_not_this_api", "404"),
    "418": answered("418", "http_not_this_api", "418"),
    # auth
    "403 of the api": answered("403-api", "auth_denied", "user_not_authorized"),
    "403 for want of a feature": answered("403-feature", "feature_missing", "package_feature_bulk"),
    "403 of nginx": answered("403-html", "denied_by_intermediary", "underscores_in_headers on"),
    "nginx drops the header": Case(by_nginx("dropping", "api/v1"), "auth_denied", "underscores_in_headers on"),
    "nginx keeps the header": Case(by_nginx("keeping", "api/v1"), ""),
    "401": answered("401", "auth_rejected"),
    # the provider `http`, where an answer means something else
    "http: ready": http_answered("identity", ""),
    "http: a portal's page": http_answered("html", "http_not_this_api", "captive portal"),
    "http: 204": http_answered("no-content", "", check={"path": "/me", "expect": {"status": 204, "empty": True}}),
    "http: HEAD": http_answered("identity", "", check={"path": "/me", "method": "HEAD"}),
    "http: large": Case(over_tls(answer(bytes(2_000_000))), "http_too_large", settings={"provider": "http"}),
    "http: endless": Case(over_tls(endless(head(200), bytes(65536))), "http_too_large", settings={"provider": "http"}),
    "http: 403": http_answered("403-html", "auth_denied"),
    "http: 403 with an underscore": http_answered("403-html", "auth_denied", "underscores_in_headers", api_key_header="api_key"),
    "http: 401": http_answered("401", "auth_rejected"),
    "http: 404": http_answered("404-html", "http_not_this_api", "path of `check:`"),
    "http: 429": http_answered("too-many-seconds", "rate_limited", "wait 7 s"),
    "http: 503": http_answered("503", "server_unavailable"),
    "http: redirect": http_answered("redirect-307", "http_redirect_refused"),
    "http: no client certificate, says nginx": Case(by_nginx("mutual"), "tls_protocol", "client_cert", {"provider": "http"}),
    "http: certificate expired": Case(by_nginx("expired"), "tls_cert_expired", settings={"provider": "http"}),
    "http: port closed": Case(refused, "tcp_refused", settings={"provider": "http"}),
    # before the network
    "ca_file missing": Case(refused, "config_file_unreadable", "nothing.pem", {"tls": {"ca_file": "nothing.pem"}}),
    "secret missing": Case(refused, "secret_not_found", "NO_SUCH_KEY", {"auth": {"method": "api_key", "api_key": "env://NO_SUCH_KEY"}}),
}  # fmt: skip


def checks_the_key(connection: Connection) -> None:
    """Answer as an API behind nginx does: 403 without the header."""
    while request := connection.read_request():
        known = b"\r\napi_key: " in request
        status, body = (200, PACKAGES) if known else (403, DENIED.encode())
        connection.send(head(status, [f"Content-Length: {len(body)}", "Content-Type: application/json"]) + body)


@pytest.fixture(scope="module")
def world(authority: Issuer, ca_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ExitStack() as stack:
        servers = Servers(authority, stack)
        sinks = servers.iinked_sign(), servers.plain(answer(PACKAGES))
        world = World(servers, ca_file, sinks, stack.enter_context(silent_port()))
        try:
            require_peer("nginx")
        except pytest.skip.Exception:
            yield world
            return
        blocks = nginx_servers(authority, ca_file, servers.plain(checks_the_key).port, sinks[0].port, sinks[1].port)
        world.ports = stack.enter_context(nginx(tmp_path_factory.mktemp("nginx"), blocks))
        yield world


def nginx_servers(
    authority: Issuer, ca_file: Path, backend: int, sink: int, plain_sink: int
) -> dict[str, tuple[bytes, str]]:
    locations = "".join(f"location /{name}/ {{ {text} }}\n" for name, text in ANSWERS.items())
    locations = locations.replace("PLAIN_SINK", str(plain_sink)).replace("SINK", str(sink))
    proxied = f"location / {{ proxy_pass http://127.0.0.1:{backend}; }}"
    day, pem = timedelta(days=1), authority.pem_for()
    return {
        "good": (pem, locations),
        "expired": (authority.pem_for(starts_in=-9 * day, ends_in=-day), locations),
        "early": (authority.pem_for(starts_in=day, ends_in=9 * day), locations),
        "other": (authority.pem_for("other.example.test"), locations),
        "ending": (authority.pem_for(ends_in=10 * day + timedelta(hours=1)), locations),
        "stranger": (certificate(trustme.CA(organization_name=ISSUER)), locations),
        "dropping": (pem, proxied),
        "keeping": (pem, f"underscores_in_headers on; {proxied}"),
        "mutual": (pem, f"ssl_client_certificate {ca_file}; ssl_verify_client on; {locations}"),
    }


def settings_of(case: Case, world: World) -> dict[str, Any]:
    return complete(
        {"tls": {"ca_file": str(world.ca_file)}, "timeouts": TIMEOUTS, **case.where(world), **case.settings}
    )


def check_alone(name: str, world: World, folder: Path) -> Run:
    case = CASES[name]
    file = folder / "connections.yaml"
    file.write_text(manifest(case=settings_of(case, world)))
    command = ("check", "-f", file, "--format", "json")
    if not case.resolver:
        return run_here(*command, cwd=folder, env=KEY)
    before: list[str | Path] = [*offline()]
    if case.resolver != "none":
        before += [sys.executable, Path(__file__).with_name("name_server.py"), case.resolver, folder]
    return run(*command, cwd=folder, env=KEY, before=before)


def assert_told(case: Case, connection: dict[str, Any], grace_s: float = GRACE_S) -> None:
    stage, verdict, _ = CLASSES[case.fault]
    assert (connection["class"], connection["stage"], connection["verdict"]) == (case.fault, stage, verdict), connection
    told = "\n".join([connection["message"], connection["hint"], *connection["warnings"]])
    assert re.search(case.says, told), told
    assert bool(connection["message"] and connection["hint"]) == bool(case.fault)
    assert connection["elapsed_ms"] < (TOTAL_S + grace_s) * 1000


def assert_stages(connection: dict[str, Any]) -> None:
    """What came before the failure is ok, what comes after never began; this machine needs no look-up."""
    assert [stage["name"] for stage in connection["stages"]] == list(STAGES)
    statuses = [stage["status"] for stage in connection["stages"]]
    host = urlsplit(connection["base_url"]).hostname or ""
    looked_up = host != "localhost" and not host.replace(".", "").isdigit()
    if not looked_up:
        assert statuses.pop(STAGES.index("dns")) == "skipped"
        statuses.insert(STAGES.index("dns"), "ok" if "failed" not in statuses[:2] else "skipped")
    if not connection["stage"]:
        assert statuses == ["ok"] * len(STAGES)
        return
    failed = STAGES.index(connection["stage"])
    skipped = len(STAGES) - failed - 1
    if connection["stage"] == "config":  # a file is read when the client is built, after the secrets
        assert statuses[failed] == "failed"
        assert set(statuses[2:]) == {"skipped"}
        return
    assert statuses == ["ok"] * failed + ["failed"] + ["skipped"] * skipped


@pytest.mark.parametrize("name", CASES)
def test_a_failure_alone(name: str, world: World, tmp_path: Path) -> None:
    ended = check_alone(name, world, tmp_path)
    case = CASES[name]
    assert_told(case, ended.connection)
    assert_stages(ended.connection)
    code = CLASSES[case.fault][2]
    assert (ended.code, ended.report["exit_code"]) == (code, code)
    assert ended.err == ""
    assert [sink.connections for sink in world.sinks] == [0, 0], "a redirect was followed"


def test_all_failures_at_once(world: World, tmp_path: Path) -> None:
    """One bad connection hides no other and holds up no other."""
    require_peer("nginx")
    together = {name: case for name, case in CASES.items() if not case.resolver}
    names = {name: re.sub(r"[^a-z0-9]+", "-", name) for name in together}
    file = tmp_path / "connections.yaml"
    patient = {
        name: {} if case.fault in ENDED_BY_TIME else {"timeouts": {"total_s": PATIENCE_S}}
        for name, case in together.items()
    }
    settings = {names[name]: settings_of(case, world) | patient[name] for name, case in together.items()}
    file.write_text(manifest(**settings))

    ended = run("check", "-f", file, "--format", "json", cwd=tmp_path, env=KEY)

    assert ended.code == 1, "failures of several kinds"
    assert list(ended.connections) == list(names.values())
    for name, case in together.items():
        assert_told(case, ended.connections[names[name]], PATIENCE_S)
        assert_stages(ended.connections[names[name]])
    one_after_another_ms = sum(connection["elapsed_ms"] for connection in ended.connections.values())
    assert ended.report["elapsed_ms"] < one_after_another_ms / 3
    assert [sink.connections for sink in world.sinks] == [0, 0]
    summary = ended.report["summary"]
    assert summary["ready"] + summary["failed"] + summary["unknown"] == summary["connections"] == len(together)


KINDS = {
    "rejected only": ({"a": "403 of the api", "b": "401"}, 4),
    "rejected, and the rest is fine": ({"a": "403 of the api", "b": "ready"}, 4),
    "could not verify, for two reasons": ({"a": "503", "b": "port closed"}, 6),
    "rejected and not verified": ({"a": "401", "b": "503"}, 1),
    "no secret and not verified": ({"a": "secret missing", "b": "port closed"}, 1),
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_has_its_code_and_several_have_1(kind: str, world: World, tmp_path: Path) -> None:
    cases, code = KINDS[kind]
    file = tmp_path / "connections.yaml"
    file.write_text(manifest(**{name: settings_of(CASES[case], world) for name, case in cases.items()}))
    assert run("check", "-f", file, cwd=tmp_path, env=KEY).code == code


MEASURING = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""


def memory_kb(name: str, world: World, folder: Path) -> int:
    file, figure = folder / "connections.yaml", folder / "maxrss"
    file.write_text(manifest(case=settings_of(CASES[name], world)))
    before: list[str | Path] = [sys.executable, "-c", MEASURING, figure]
    ended = run("check", "-f", file, "--format", "json", cwd=folder, env=KEY, before=before)
    assert ended.connection["class"] == CASES[name].fault
    return int(figure.read_text())


@pytest.fixture(scope="module")
def ordinary_kb(world: World, tmp_path_factory: pytest.TempPathFactory) -> int:
    """What a check takes that ends before the first byte of an answer."""
    return memory_kb("port closed", world, tmp_path_factory.mktemp("ordinary"))


@pytest.mark.parametrize("name", ["gzip bomb", "endless body", "200 kB header"])
def test_a_hostile_answer_does_not_fill_the_memory(name: str, ordinary_kb: int, world: World, tmp_path: Path) -> None:
    assert memory_kb(name, world, tmp_path) < ordinary_kb + MEMORY_KB


def test_how_long_to_wait_is_a_fact_of_the_report(world: World, tmp_path: Path) -> None:
    file = tmp_path / "connections.yaml"
    file.write_text(manifest(limited=settings_of(CASES["429 with seconds"], world)))
    (stage,) = (
        stage
        for stage in run("check", "-f", file, "--format", "json", cwd=tmp_path, env=KEY).connection["stages"]
        if stage["status"] == "failed"
    )
    assert stage["retry_after_s"] == 7
    assert datetime.fromisoformat(stage["retry_at"]).tzinfo


def test_the_text_report_says_why_and_what_to_do(world: World, tmp_path: Path) -> None:
    """The same facts reach a person."""
    file = tmp_path / "connections.yaml"
    file.write_text(manifest(denied=settings_of(CASES["403 of the api"], world)))
    ended = run("check", "-f", file, cwd=tmp_path, env=KEY)
    assert ended.code == 4
    told = " ".join(ended.out.split())
    assert "✗ failed denied" in told
    assert "auth_denied" in told
    assert "user_not_authorized" in told
    assert f"{file}:1:" in told


def test_classes_are_those_of_the_program() -> None:
    from connform.faults import FAULTS

    told = {
        name: (str(FAULTS[name].stage), str(FAULTS[name].verdict), int(FAULTS[name].exit_code))
        for name in CLASSES
        if name
    }
    assert told == {name: expected for name, expected in CLASSES.items() if name}
    assert {case.fault for case in CASES.values()} == set(CLASSES), json.dumps(sorted(CLASSES))
