"""Whatever a connection's auth method is, the simulator plays the API and the server that it needs, and refuses anything else."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

import connform
from connform.auth import METHODS
from connform.errors import ConnectionFailed
from connform.faults import ExitCode
from connform.simulator import Simulator
from tests.end_to_end.running import environment, run, run_here
from tests.simulator.client import ask
from tests.simulator.methods import (
    INLINE,
    NAMES,
    OBTAINING,
    TOKEN_PATH,
    WITH_GRANT,
    WITH_LOGIN,
    host_of,
    login_host_of,
    write_manifest,
)

SECRETS_BY_THEMSELVES = [name for name in NAMES if name not in {*OBTAINING, *WITH_GRANT} and "none" not in name]
WITH_SECRET = [name for name in (*OBTAINING, *sorted(WITH_GRANT)) if name != "credentials-tls"]
LIFETIME_S = 0.2
CALLER = """
import os, ssl, sys, urllib.request
prefix = sys.argv[1]
given = {key.removeprefix(prefix): value for key, value in os.environ.items() if key.startswith(prefix)}
url, headers = given["BASE_URL"] + "/me", {}
if "TOKEN" in given: headers["Authorization"] = "Bearer " + given["TOKEN"]
if "AUTHORIZATION" in given: headers["Authorization"] = given["AUTHORIZATION"]
if "API_KEY_HEADER" in given: headers[given["API_KEY_HEADER"]] = given["API_KEY"]
if "API_KEY_PARAMETER" in given: url += "?" + given["API_KEY_PARAMETER"] + "=" + given["API_KEY"]
context = ssl.create_default_context(cafile=given["CA_FILE"])
context.check_hostname = False
with urllib.request.urlopen(urllib.request.Request(url, headers=headers), context=context) as answer:
    print(answer.status, *sorted(set(given) - {"BASE_URL", "CA_FILE"}))
"""


@pytest.fixture
def manifest(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A manifest with the connection `name` of a test's row, or with all of them."""
    row = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    return write_manifest(tmp_path, [row["name"]] if "name" in row else NAMES)


@pytest.fixture
def short_lived() -> Iterator[Simulator]:
    with Simulator(token_lifetime_s=LIFETIME_S) as simulator:
        yield simulator


def token_path(name: str) -> str:
    if name in WITH_LOGIN:
        return TOKEN_PATH
    return "/oauth/refresh" if name == "own-grant" else "/oauth/token"


def wait_for_end_of_grant(name: str) -> None:
    """Wait until the first access token of a grant has ended; other connections have no token yet."""
    if name in WITH_GRANT:
        time.sleep(LIFETIME_S)


def test_each_method_has_a_connection_here() -> None:
    assert {auth["method"] for auth in INLINE.values()} == set(METHODS)


def test_apply_finds_every_connection_ready(manifest: Path) -> None:
    ended = run("apply", "--simulate", "--format", "json", cwd=manifest.parent)
    assert {name: one["verdict"] for name, one in ended.connections.items()} == dict.fromkeys(NAMES, "ready")


@pytest.mark.parametrize("name", NAMES)
def test_a_request_is_answered(manifest: Path, name: str) -> None:
    ended = run_here("request", "--simulate", name, "GET", "/any/path?verbose=1", cwd=manifest.parent)
    assert (ended.code, json.loads(ended.out)) == (0, {"simulated": True}), ended.err


@pytest.mark.parametrize("name", SECRETS_BY_THEMSELVES)
def test_nothing_but_what_the_method_sends_is_accepted(simulator: Simulator, manifest: Path, name: str) -> None:
    with connform.connect(name, manifest, simulator=simulator) as client:
        assert client.get("/me").status_code == 200
    wrong = [{}, {"Authorization": "Basic Ym90Og=="}, {"X-Api-Key": simulator.issue_api_key()}]
    for headers in (*wrong, {"Authorization": f"Bearer {simulator.issue_token()}"}):
        assert ask(simulator, "GET", f"/{name}/me?key=wrong", headers, host=host_of(name)).status == 403


@pytest.mark.parametrize("name", SECRETS_BY_THEMSELVES)
def test_a_secret_that_was_replaced_is_refused(simulator: Simulator, manifest: Path, name: str) -> None:
    with connform.connect(name, manifest, simulator=simulator) as old:
        with connform.connect(name, manifest, simulator=simulator) as other:
            assert (old.get("/me").status_code, other.get("/me").status_code) == (200, 200)
        simulator.secrets.clear()
        with connform.connect(name, manifest, simulator=simulator) as new:
            assert (old.get("/me").status_code, new.get("/me").status_code) == (403, 200)


@pytest.mark.parametrize("name", WITH_SECRET)
def test_a_secret_that_was_replaced_gets_no_token(short_lived: Simulator, manifest: Path, name: str) -> None:
    old = connform.connect(name, manifest, simulator=short_lived)
    short_lived.secrets.clear()
    wait_for_end_of_grant(name)
    with old, connform.connect(name, manifest, simulator=short_lived) as new:
        with pytest.raises(ConnectionFailed) as caught:
            old.get("/me")
        assert new.get("/me").status_code == 200
    assert caught.value.fault.name == "client_credentials_rejected"


@pytest.mark.parametrize("fault", ["token_endpoint_unavailable", "client_credentials_rejected"])
@pytest.mark.parametrize("name", [*OBTAINING, *sorted(WITH_GRANT)])
def test_a_token_endpoint_that_fails_can_be_rehearsed(
    short_lived: Simulator, manifest: Path, name: str, fault: str
) -> None:
    short_lived.fail(login_host_of(name), fault, path=token_path(name))
    with connform.connect(name, manifest, simulator=short_lived) as client:
        wait_for_end_of_grant(name)
        with pytest.raises(ConnectionFailed) as caught:
            client.get("/me")
    assert caught.value.fault.name == fault
    assert [(one.host, one.path) for one in short_lived.requests] == [(login_host_of(name), token_path(name))]


@pytest.mark.parametrize("name", sorted(WITH_GRANT))
def test_a_grant_is_refreshed_where_its_server_wants_it(short_lived: Simulator, manifest: Path, name: str) -> None:
    with connform.connect(name, manifest, simulator=short_lived) as client:
        wait_for_end_of_grant(name)
        assert client.get("/me").status_code == 200
    (renewal, *_) = short_lived.requests
    assert (renewal.host, renewal.path, renewal.grant_type) == (login_host_of(name), token_path(name), "refresh_token")


@pytest.mark.parametrize("name", OBTAINING)
def test_a_token_is_obtained_once_and_nothing_else_is_accepted(simulator: Simulator, manifest: Path, name: str) -> None:
    with connform.connect(name, manifest, simulator=simulator) as client:
        client.get("/me")
        client.get("/me")
        assert [one.host for one in simulator.requests] == [login_host_of(name), host_of(name), host_of(name)]
    for headers in ({}, {"Authorization": "Bearer x"}, {"X-Session": "x"}):
        assert ask(simulator, "GET", f"/{name}/me", headers, host=host_of(name)).status == 403


def test_no_record_of_a_request_holds_a_secret_or_a_query(simulator: Simulator, manifest: Path) -> None:
    connections = connform.load(manifest, simulator=simulator)
    for name in NAMES:
        with connections[name].client() as client:
            client.get("/me", params={"verbose": "1"})
    shown = repr(simulator.requests)
    assert "verbose" not in shown
    values = [secret.reveal() for _, secrets in simulator.secrets.values() for secret in secrets.values()]
    assert len(values) > len(NAMES) - 4
    assert not [value for value in values if value in shown]


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("none", []),
        ("api-key", ["API_KEY", "API_KEY_HEADER"]),
        ("query", ["API_KEY", "API_KEY_PARAMETER"]),
        ("basic", ["AUTHORIZATION"]),
        ("prefix", ["API_KEY", "API_KEY_HEADER"]),
        ("bearer", ["TOKEN"]),
        ("jwt", ["TOKEN"]),
        ("credentials-key", ["TOKEN"]),
        ("login-form", ["API_KEY", "API_KEY_HEADER"]),
        ("own-grant", ["API_KEY", "API_KEY_HEADER"]),
    ],
)
def test_a_command_gets_what_the_simulator_accepts(manifest: Path, name: str, variables: list[str]) -> None:
    prefix = name.upper().replace("-", "_") + "_"
    ended = run("exec", "--simulate", name, "--", sys.executable, "-c", CALLER, prefix, cwd=manifest.parent)
    assert (ended.code, ended.out.split()) == (0, ["200", *variables]), ended.err


@pytest.mark.parametrize("name", ["bearer", "credentials-basic", "jwt-bearer", "jwt", "device", "oauth2", "own-login"])
def test_a_token_is_printed(manifest: Path, name: str) -> None:
    ended = run_here("token", "--simulate", name, cwd=manifest.parent)
    assert (ended.code, len(ended.out.split())) == (0, 1), ended.err


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("none", "nothing"),
        ("own-none", "nothing"),
        ("basic", "the scheme Basic"),
        ("query", "the query parameter key"),
        ("login-form", "the header X-Session"),
    ],
)
def test_what_is_no_token_is_not_printed(manifest: Path, name: str, how: str) -> None:
    ended = run_here("token", "--simulate", name, cwd=manifest.parent)
    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert f"{name} authenticates with {how}, not with a token" in ended.err


def test_keys_alone_load_nothing_that_signs(manifest: Path) -> None:
    program = (
        "import sys, connform\nfrom connform.simulator import Simulator\n"
        "with Simulator() as simulator, connform.connect('api-key', 'connections.yaml', simulator=simulator) as client:\n"
        "    assert client.get('/me').status_code == 200\n"
        "print(*sorted({'jwt', 'connform.simulator.keys'} & sys.modules.keys()))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=manifest.parent,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == ("\n", "")


# The token endpoint itself

FORM = "application/x-www-form-urlencoded"
GRANT = {"grant_type": "client_credentials", "scope": "read"}
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
Known = Callable[[str], dict[str, str]]


@pytest.fixture
def known(simulator: Simulator, manifest: Path) -> Known:
    """Make the simulator know the client of a connection, and return how it shows itself in a body."""

    def client_of(name: str) -> dict[str, str]:
        connform.connect(name, manifest, simulator=simulator).close()
        (secrets,) = [secrets for place, (_, secrets) in simulator.secrets.items() if place.endswith(f"/{name}")]
        secret = secrets.get("client_secret")
        return {"client_id": "acme-app", **({"client_secret": secret.reveal()} if secret else {})}

    return client_of


@pytest.mark.parametrize(
    ("name", "change", "status", "error"),
    [
        ("credentials-body", {}, 200, ""),
        ("credentials-body", {"grant_type": ""}, 400, "invalid_request"),
        ("credentials-body", {"grant_type": "password"}, 400, "unsupported_grant_type"),
        ("credentials-body", {"grant_type": "refresh_token"}, 400, "unauthorized_client"),
        ("credentials-body", {"client_id": "another"}, 401, "invalid_client"),
        ("credentials-body", {"client_id": ""}, 401, "invalid_client"),
        ("credentials-body", {"client_secret": "wrong"}, 401, "invalid_client"),
        ("credentials-basic", {}, 401, "invalid_client"),
        ("credentials-json", {"audience": "https://api.acme.example"}, 400, "invalid_request"),
        ("credentials-tls", {}, 200, ""),
        ("credentials-tls", {"client_id": "another"}, 401, "invalid_client"),
        ("credentials-key", {}, 401, "invalid_client"),
        ("credentials-key", {"client_assertion": "a.b.c"}, 401, "invalid_client"),
        ("jwt-bearer", {"client_id": "", "grant_type": JWT_BEARER}, 400, "invalid_request"),
        ("jwt-bearer", {"client_id": "", "grant_type": JWT_BEARER, "assertion": "a.b.c"}, 400, "invalid_grant"),
        ("device", {"grant_type": "refresh_token"}, 401, "invalid_client"),
        ("oauth2", {"grant_type": "refresh_token"}, 400, "invalid_request"),
        ("oauth2", {"grant_type": "authorization_code", "code": "unknown"}, 400, "invalid_grant"),
    ],
)
def test_a_token_request_is_answered_as_the_rfcs_say(
    simulator: Simulator, known: Known, *, name: str, change: dict[str, str], status: int, error: str
) -> None:
    content = {**GRANT, **known(name), **change}
    if name != "jwt-bearer":
        content["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    body = urlencode({key: value for key, value in content.items() if value}).encode()
    answer = ask(simulator, "POST", "/oauth/token", {"Content-Type": FORM}, body, host=login_host_of(name))
    assert (answer.status, answer.json.get("error", "")) == (status, error)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("change", [{"audience": "another"}, {"audience": None}, {"client_secret": "wrong"}])
def test_a_request_in_json_has_every_parameter(
    simulator: Simulator, known: Known, change: dict[str, str | None]
) -> None:
    right = {**GRANT, **known("credentials-json"), "audience": "https://api.acme.example"}
    wrong = {key: value for key, value in {**right, **change}.items() if value}
    headers, host = {"Content-Type": "application/json"}, login_host_of("credentials-json")
    statuses = [ask(simulator, "POST", "/oauth/token", headers, body, host=host).status for body in (right, wrong)]
    assert statuses == [200, 401 if "client_secret" in change else 400]
