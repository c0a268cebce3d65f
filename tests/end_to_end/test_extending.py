"""The examples of docs/guides/extending.md, installed as they stand there, work; what goes wrong in a plug-in is named."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from connform.plugin import OnceValue
from tests.canary import API_KEY
from tests.conftest import Plant
from tests.end_to_end.conftest import Servers
from tests.end_to_end.plugins import install
from tests.end_to_end.running import KEY, Run, run
from tests.http.servers import answer
from tests.inner_pytest import pytest_command

PAGE = (Path(__file__).parents[2] / "docs" / "guides" / "extending.md").read_text("utf-8")
_BLOCKS = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))
TESTS = {name: text for name, text in _BLOCKS.items() if name.startswith("test_")}
MODULES = {name: text for name, text in _BLOCKS.items() if name not in TESTS}
MANIFESTS = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))
(PROJECT,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
POINTS: dict[str, dict[str, str]] = tomllib.loads(PROJECT)["project"]["entry-points"]
MAX_LINES = 60


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    points = {group: "\n".join(f"{name} = {value}" for name, value in named.items()) for group, named in POINTS.items()}
    return install(tmp_path / "plugins", MODULES, points)


class Acme:
    """A folder with a manifest of connections to a server that answers as Acme does."""

    def __init__(self, folder: Path, base_url: str, ca_file: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.env = env
        self.stores: dict[str, Any] = {"logins": {"type": "netrc", "netrc_file": "logins.netrc"}}
        self.common = {"provider": "acme", "base_url": base_url, "tenant": "globex", "tls": {"ca_file": str(ca_file)}}

    def declare(self, **connections: dict[str, Any]) -> None:
        content = {
            "version": 1,
            "stores": self.stores,
            "connections": {name: {**self.common, **settings} for name, settings in connections.items()},
        }
        (self.folder / "connections.yaml").write_text(json.dumps(content))

    def run(self, *argv: str) -> Run:
        return run(*argv, cwd=self.folder, env=self.env)


@pytest.fixture
def acme(tmp_path: Path, servers: Servers, ca_file: Path, installed: dict[str, str]) -> Acme:
    server = servers.tls(answer(b'{"account": 1}', "Content-Type: application/json"))
    return Acme(tmp_path, f"https://localhost:{server.port}/v1", ca_file, installed | KEY)


PASSWORD = {"auth": {"method": "basic", "username": "ada", "password": "logins://acme.example"}}
BY_KEY = {"auth": {"method": "api_key", "api_key": "env://ACME_KEY"}}


@pytest.mark.parametrize("module", MODULES)
def test_an_example_is_short_and_has_its_entry_point(module: str) -> None:
    assert MODULES[module].count("\n") < MAX_LINES
    values = [value for named in POINTS.values() for value in named.values()]
    assert sum(value.startswith(f"{module.removesuffix('.py')}:") for value in values) == 1


def test_the_page_has_one_example_of_each_kind() -> None:
    assert sorted(POINTS) == ["connform.auth", "connform.formats", "connform.providers", "connform.secrets"]
    assert len(MODULES) == sum(map(len, POINTS.values()))


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_manifest_of_an_example_is_valid(name: str, tmp_path: Path, installed: dict[str, str]) -> None:
    (tmp_path / name).write_text(MANIFESTS[name])
    ended = run("validate", name, cwd=tmp_path, env=installed)
    assert (ended.code, ended.err) == (0, ""), ended.out


def test_each_example_but_the_format_has_a_manifest() -> None:
    names = [name for group, named in POINTS.items() if group != "connform.formats" for name in named]
    assert len(MANIFESTS) == len(names)
    assert all(re.search(rf"(provider|type|method): {name}\b", "".join(MANIFESTS.values())) for name in names)


def test_the_backend_passes_the_suite(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, installed: dict[str, str]
) -> None:
    (name,) = TESTS
    (tmp_path / name).write_text(TESTS[name])
    argv = pytest_command(tmp_path_factory, "-q", "--rootdir", tmp_path, name)
    done = subprocess.run(
        argv, env={**os.environ, **installed}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 15, done.stdout


def test_the_provider_validates_and_checks(acme: Acme) -> None:
    acme.declare(
        acme=BY_KEY, demo=BY_KEY | {"tenant": "demo", "tags": ["production"]}, big=BY_KEY | {"tenant": "Globex"}
    )
    refused = acme.run("validate", "--format", "concise")
    assert refused.code == 1
    assert "a tenant is written in small letters" in refused.out
    assert "the tenant `demo` has no production data" in refused.out
    acme.declare(acme=BY_KEY)
    assert acme.run("validate").code == 0
    checked = acme.run("check", "--format", "json")
    assert (checked.code, checked.connection["base_url"].endswith("/v1/globex")) == (0, True)


def test_the_backend_and_the_method_are_used_by_check_and_secrets(acme: Acme, tmp_path: Path, plant: Plant) -> None:
    plant(tmp_path / "logins.netrc", f"machine acme.example login ada password {API_KEY}\n")
    missing = {"auth": PASSWORD["auth"] | {"password": "logins://other.example"}}
    acme.declare(acme=PASSWORD, other=missing)
    assert acme.run("validate").code == 0
    found = acme.run("secrets", "check", "--format", "json")
    assert {name: one["class"] for name, one in found.connections.items()} == {"acme": "", "other": "secret_not_found"}
    checked = acme.run("check", "--format", "json")
    assert {name: one["verdict"] for name, one in checked.connections.items()} == {"acme": "ready", "other": "failed"}
    planned = acme.run("plan", "-c", "acme", "--format", "json")
    assert planned.connection["sends"][0]["secret"] == "logins://acme.example"


def test_the_credential_of_two_headers_is_sent_and_is_not_handed_over(
    tmp_path: Path, servers: Servers, ca_file: Path, installed: dict[str, str]
) -> None:
    server = servers.tls(answer(b'{"account": 1}', "Content-Type: application/json"))
    acme = Acme(tmp_path, f"https://localhost:{server.port}/v1", ca_file, installed | KEY)
    acme.declare(acme={"auth": {"method": "key_pair", "key_id": "K1", "key": "env://ACME_KEY"}})
    assert acme.run("check").code == 0
    (request,) = server.requests
    assert {b"X-Acme-Key-Id: K1", f"X-Acme-Key: {API_KEY}".encode()} <= set(request.split(b"\r\n"))
    for argv in (["exec", "acme", "--", sys.executable, "--version"], ["token", "acme"]):
        refused = acme.run(*argv)
        assert (refused.code, "2 headers" in refused.err) == (7, True)


def test_a_provider_says_what_403_means(
    tmp_path: Path, servers: Servers, ca_file: Path, installed: dict[str, str]
) -> None:
    server = servers.tls(answer(b"{}", "Content-Type: application/json", status=403))
    acme = Acme(tmp_path, f"https://localhost:{server.port}/v1", ca_file, installed | KEY)
    acme.declare(acme=BY_KEY)
    checked = acme.run("check", "--format", "json")
    assert (checked.code, checked.connection["class"]) == (4, "auth_denied")


def test_exec_hands_the_whole_header_over_and_token_says_why_not(acme: Acme, tmp_path: Path, plant: Plant) -> None:
    plant(tmp_path / "logins.netrc", f"machine acme.example login ada password {API_KEY}\n")
    acme.declare(acme=PASSWORD)
    expected = len(f"Basic {b64encode(f'ada:{API_KEY}'.encode()).decode()}")
    script = (
        "import os; print(sorted(name for name in os.environ if name.startswith('ACME_') and name != 'ACME_KEY'), "
        "len(os.environ['ACME_AUTHORIZATION']), os.environ['ACME_AUTHORIZATION'])"
    )
    ended = acme.run("exec", "acme", "--", sys.executable, "-c", script)
    assert (ended.code, ended.out) == (
        0,
        f"['ACME_AUTHORIZATION', 'ACME_BASE_URL', 'ACME_CA_FILE'] {expected} Basic ***\n",
    )
    refused = acme.run("token", "acme")
    assert (refused.code, refused.out) == (64, "")
    assert "acme authenticates with the scheme Basic, not with a token" in refused.err


def test_the_format_renders_a_report(acme: Acme) -> None:
    acme.declare(acme=BY_KEY, lost={"auth": {"method": "api_key", "api_key": "env://LOST"}})
    ended = acme.run("check", "--format", "prometheus", "--format", "json=report.json")
    assert ended.out.splitlines() == [
        "# TYPE connform_ready gauge",
        'connform_ready{connection="acme",class=""} 1',
        'connform_ready{connection="lost",class="secret_not_found"} 0',
    ]
    unknown = acme.run("check", "--format", "prometeus")
    assert (unknown.code, "prometheus" in unknown.err) == (64, True)


# Errors in a plug-in

SECRET_TEXT = "the message of the exception"
RAISING = f"""
from connform.plugin import AuthMethod, Backend, CheckRequest, Instance, Judgement, Shape

def fail():
    raise RuntimeError("{SECRET_TEXT}")

class Provider:
    shape = Shape(properties={{"base_url": {{"type": "string"}}}})
    def rules(self, connection):
        yield from ()
        if "rules" in connection.get("tags", ()):
            fail()
    def instance(self, connection):
        if "instance" in connection.tags:
            fail()
        return Instance(connection.settings["base_url"], "api_key")
    def check_request(self, connection):
        return None if "check_request" in connection.tags else CheckRequest("GET", "/")
    def judge(self, connection, answer):
        if "judge" in connection.tags:
            fail()
        return Judgement("no_such_fault" if "fault" in connection.tags else "")

class Store:
    batch_size = 1
    def read(self, references):
        fail()
    def close(self):
        fail()

class Failing(Backend):
    form = "failing://name"
    store_shape = Shape()
    def lint(self, reference, settings):
        return fail() if reference.path == "lint" else ""
    def open(self, store):
        return Store()

class Method(AuthMethod):
    shape = Shape()
    def judge(self, key, secret):
        fail()
    def credential(self, inputs):
        fail()

class Format:
    def render(self, view, **options):
        fail()

PROVIDER, BACKEND, METHOD, FORMAT = Provider(), Failing(), Method(), Format()
"""
ORIGIN = "acme_plugin:{} of acme-plugin"
FAILING = {
    "connform.providers": "failing = acme_plugin:PROVIDER",
    "connform.secrets": "failing = acme_plugin:BACKEND",
    "connform.auth": "failing = acme_plugin:METHOD",
    "connform.formats": "failing = acme_plugin:FORMAT",
}


@pytest.fixture
def failing(acme: Acme, tmp_path: Path) -> Acme:
    acme.env = install(tmp_path / "failing", RAISING, FAILING) | KEY
    acme.stores = {}
    acme.common["provider"] = "failing"
    del acme.common["tenant"]
    return acme


@pytest.mark.parametrize(
    ("settings", "origin", "what"),
    [
        (BY_KEY | {"tags": ["instance"]}, "PROVIDER", "RuntimeError in `instance` ("),
        (BY_KEY | {"tags": ["check_request"]}, "PROVIDER", "`check_request` returned NoneType, and CheckRequest"),
        (BY_KEY | {"tags": ["judge"]}, "PROVIDER", "RuntimeError in `judge` ("),
        ({"auth": {"method": "api_key", "api_key": "failing://x"}}, "BACKEND", "RuntimeError in `read` ("),
        ({"auth": {"method": "failing"}}, "METHOD", "RuntimeError in `credential` ("),
    ],
    ids=["instance", "check_request", "judge", "read", "credential"],
)
def test_a_bug_fails_its_own_connection_and_is_that_of_the_plug_in(
    failing: Acme, settings: dict[str, Any], origin: str, what: str
) -> None:
    failing.declare(bad=settings, good=BY_KEY)
    ended = failing.run("check", "-vv", "--format", "json")
    assert (ended.code, ended.err) == (70, "")
    assert ended.connections["good"]["verdict"] == "ready"
    bad = ended.connections["bad"]
    assert (bad["verdict"], bad["class"]) == ("failed", "plugin_error")
    assert bad["message"].startswith(f"a bug of the plug-in {ORIGIN.format(origin)}: {what}")
    assert SECRET_TEXT not in ended.out
    debugged = failing.run("check", "--debug-plugins", "--format", "json")
    if what.startswith("RuntimeError"):
        assert "acme_plugin.py:" in bad["message"]
        assert f"RuntimeError: {SECRET_TEXT}" in debugged.err
        assert debugged.err.count("Traceback") == 1
        assert "During handling" not in debugged.err
    assert SECRET_TEXT not in debugged.out


BOX = """
from connform.plugin import Backend, Shape

class Box(Backend):
    form = "box://NAME"
    store_shape = Shape(properties={"url": {"type": "string"}, "token": {"type": "string"}})
    def lint(self, reference, settings):
        return ""

BACKEND = Box()
"""


def test_a_store_may_have_plain_text_where_a_built_in_one_has_a_reference(tmp_path: Path) -> None:
    env = install(tmp_path / "plugins", BOX, {"connform.secrets": "box = acme_plugin:BACKEND"})
    content = {
        "version": 1,
        "stores": {
            "mine": {"type": "box", "url": "https://box.acme.example", "token": "https://box.acme.example/token"}
        },
        "connections": {
            "a": {"environment": "sandbox", "region": "us", "auth": BY_KEY["auth"] | {"api_key": "mine://a"}}
        },
    }
    (tmp_path / "connections.yaml").write_text(json.dumps(content))
    planned = run("plan", cwd=tmp_path, env=env)
    assert planned.code == 0, planned.err
    assert "the login of the store box  → https://box.acme.example (store box)" in planned.out


WRONG = """
from connform.plugin import (
    AuthMethod, Backend, CheckRequest, ConnectionFailed, Credential, DocumentStore, Fetched, Finding, HeaderCredential,
    HeaderLines, Instance, Judgement, Secret, SecretUnresolved, Shape,
)

class Provider:
    shape = Shape(properties={"base_url": {"type": "string"}})
    def rules(self, connection):
        tags = connection.get("tags", ())
        return None if "none" in tags else [Finding("no-such-code", (), "wrong")] if "code" in tags else []
    def environment_class(self, settings):
        tags = settings.get("tags", ())
        return None if "no-class" in tags else "sandbox" if "class" in tags else "test"
    def instance(self, connection):
        base_url = "https://[bad" if "no-url" in connection.tags else connection.settings["base_url"]
        return Instance(None if "url" in connection.tags else base_url, "api_key")
    def check_request(self, connection):
        if "method" in connection.tags:
            return CheckRequest("DELETE", "/")
        return CheckRequest("GET", "/\\n" if "path" in connection.tags else "/")
    def judge(self, connection, answer):
        if "raised" in connection.tags:
            raise ConnectionFailed("no_permission", "no")
        return Judgement("no_permission" if "fault" in connection.tags else "", facts={"a": {1}} if "facts" in connection.tags else {})

class Documents(DocumentStore):
    def document(self, reference):
        return 1 if reference.path == "document" else reference.path

class Store(Backend):
    form = "wrong://name"
    store_shape = Shape()
    def lint(self, reference, settings):
        return ""
    def open(self, store):
        return Documents(lambda reference: reference, self.pick, batch_size=0)
    def pick(self, _, reference):
        if reference.path == "fault":
            raise SecretUnresolved("no_such_secret", "no")
        if reference.path == "raise":
            raise RuntimeError("the message of the exception")
        return Secret("value") if reference.path == "secret" else Fetched(Secret("value-" + reference.path))

class Own(Credential):
    is_renewable = True
    def __init__(self, how):
        self.how = how
    def headers(self):
        if self.how == "raise":
            raise RuntimeError("the message of the exception")
        if self.how == "line":
            return HeaderLines(("X-Key", "value"))
        return "lines" if self.how == "headers" else HeaderLines()
    def renew(self, refused=HeaderLines()):
        if self.how == "renew-raise":
            raise RuntimeError("the message of the exception")
        return None

class Method(AuthMethod):
    shape = Shape(properties={"how": {"type": "string"}})
    def judge(self, key, secret):
        pass
    def credential(self, inputs):
        return "token" if inputs.settings["how"] == "str" else Own(inputs.settings["how"])

PROVIDER, BACKEND, METHOD = Provider(), Store(), Method()
"""


@pytest.fixture
def wrong(acme: Acme, tmp_path: Path) -> Acme:
    points = {group: point.replace("failing", "wrong") for group, point in FAILING.items() if "FORMAT" not in point}
    acme.env = install(tmp_path / "wrong", WRONG, points) | KEY
    acme.stores = {}
    acme.common["provider"] = "wrong"
    del acme.common["tenant"]
    return acme


def by(how: str) -> dict[str, Any]:
    return {"auth": {"method": "wrong", "how": how}}


def from_store(path: str) -> dict[str, Any]:
    return {"auth": {"method": "api_key", "api_key": f"wrong://{path}"}}


@pytest.mark.parametrize(
    ("settings", "origin", "what"),
    [
        (BY_KEY | {"tags": ["fault"]}, "PROVIDER", "`judge` returned the fault `no_permission`, which does not exist"),
        (BY_KEY | {"tags": ["raised"]}, "PROVIDER", "ConnectionFailed has the fault `no_permission`, which does not"),
        (BY_KEY | {"tags": ["facts"]}, "PROVIDER", "`judge` returned Judgement with facts that can't be written"),
        (BY_KEY | {"tags": ["url"]}, "PROVIDER", "`instance` returned Instance whose `base_url` is NoneType"),
        (BY_KEY | {"tags": ["no-url"]}, "PROVIDER", "`instance` returned Instance whose `base_url` is no URL"),
        (BY_KEY | {"tags": ["method"]}, "PROVIDER", "`method` is not one of GET, HEAD, POST"),
        (BY_KEY | {"tags": ["path"]}, "PROVIDER", "`path` holds a control character"),
        (from_store("document"), "BACKEND", "`document` returned int, and str is needed"),
        (from_store("secret"), "BACKEND", "`read` returned the outcome Secret, and Fetched or SecretUnresolved is"),
        (from_store("fault"), "BACKEND", "SecretUnresolved has the fault `no_such_secret`, which does not exist"),
        (by("str"), "METHOD", "`credential` returned str, and Credential is needed: it has no `is_renewable`"),
        (by("raise"), "METHOD", "RuntimeError in `headers` ("),
        (by("headers"), "METHOD", "`headers` returned str, and HeaderLines is needed"),
        (by("line"), "METHOD", "a line of HeaderLines is a tuple of a name and a Secret"),
        (by("renew-raise"), "METHOD", "RuntimeError in `renew` ("),
        (by("renew"), "METHOD", "`renew` returned NoneType, and HeaderLines is needed"),
    ],
)
def test_a_wrong_value_fails_its_own_connection_and_is_a_bug_of_the_plug_in(
    wrong: Acme, settings: dict[str, Any], origin: str, what: str
) -> None:
    wrong.declare(bad=settings, good=BY_KEY)
    ended = wrong.run("check", "--format", "json")
    assert (ended.code, ended.err) == (70, "")
    assert ended.connections["good"]["verdict"] == "ready"
    bad = ended.connections["bad"]
    assert bad["class"] == "plugin_error"
    assert f"a bug of the plug-in {ORIGIN.format(origin)}: " in bad["message"]
    assert what in bad["message"]
    assert "acme_plugin.py:" in bad["message"] or "the outcome" in what or "`credential`" in what


@pytest.mark.parametrize(
    ("tag", "what"),
    [
        ("none", "`rules` returned NoneType, and Iterable is needed"),
        ("code", "the code `no-such-code`, which does not"),
        ("no-class", "`environment_class` returned NoneType, and str is needed"),
        ("class", "`environment_class` returned another text than production or test"),
    ],
)
def test_a_wrong_value_of_rules_is_an_error_of_its_connection(wrong: Acme, tag: str, what: str) -> None:
    wrong.declare(bad=BY_KEY | {"tags": [tag]}, good=BY_KEY)
    ended = wrong.run("validate", "--format", "json")
    (diagnostic,) = ended.report["diagnostics"]
    assert (ended.code, diagnostic["connection"], diagnostic["code"]) == (70, "bad", "plugin-error")
    assert f"a bug of the plug-in {ORIGIN.format('PROVIDER')}: " in diagnostic["detail"]
    assert what in diagnostic["detail"]


def test_a_value_in_place_of_a_method_is_an_error_of_its_connection(wrong: Acme, tmp_path: Path) -> None:
    source = WRONG.replace("PROVIDER, BACKEND", 'Provider.environment_class = "test"\nPROVIDER, BACKEND', 1)
    wrong.env = install(tmp_path / "value", source, {"connform.providers": "wrong = acme_plugin:PROVIDER"}) | KEY
    wrong.declare(bad=BY_KEY)
    (diagnostic,) = wrong.run("validate", "--format", "json").report["diagnostics"]
    assert "`environment_class` is str, and a method is needed" in diagnostic["detail"]


@pytest.mark.parametrize("command", ["exec", "token"])
@pytest.mark.parametrize("how", ["raise", "headers", "renew", "str"])
def test_exec_and_token_name_the_plug_in(wrong: Acme, command: str, how: str) -> None:
    wrong.declare(bad=by(how))
    ended = wrong.run(command, "bad", *(["--", sys.executable, "--version"] if command == "exec" else []))
    assert (ended.code, ended.out) == (70, "")
    assert f"error[plugin_error]: a bug of the plug-in {ORIGIN.format('METHOD')}" in ended.err


@pytest.mark.parametrize("path", ["raise", "secret", "document"])
def test_a_bug_in_reading_one_reference_fails_that_reference_alone(wrong: Acme, path: str) -> None:
    wrong.declare(bad=from_store(path), good=from_store("good"), other=from_store("other"))
    ended = wrong.run("secrets", "check", "--format", "json")
    classes = {name: one["class"] for name, one in ended.connections.items()}
    assert classes == {"bad": "plugin_error", "good": "", "other": ""}


def test_a_bug_in_a_login_does_not_repeat_the_login() -> None:
    logins: list[str] = []

    def login() -> str:
        logins.append("login")
        raise RuntimeError(SECRET_TEXT)

    once = OnceValue(login)
    for _ in range(2):
        with pytest.raises(RuntimeError, match=SECRET_TEXT):
            once.get()
    assert logins == ["login"]


@pytest.mark.parametrize(
    ("settings", "origin"),
    [
        (BY_KEY | {"tags": ["rules"]}, "PROVIDER"),
        ({"auth": {"method": "api_key", "api_key": "failing://lint"}}, "BACKEND"),
    ],
    ids=["rules", "lint"],
)
def test_a_bug_in_validation_is_an_error_of_its_connection(
    failing: Acme, settings: dict[str, Any], origin: str
) -> None:
    failing.declare(bad=settings, good=BY_KEY)
    ended = failing.run("validate", "--format", "json")
    (diagnostic,) = ended.report["diagnostics"]
    assert (ended.code, diagnostic["connection"], diagnostic["code"]) == (70, "bad", "plugin-error")
    assert f"a bug of the plug-in {ORIGIN.format(origin)}" in str(diagnostic)
    assert SECRET_TEXT not in ended.out + ended.err
    assert failing.run("check", "-c", "good").code == 0


def test_secrets_check_reads_the_other_secrets(failing: Acme) -> None:
    failing.declare(bad={"auth": {"method": "api_key", "api_key": "failing://x"}}, none={"auth": {"method": "failing"}})
    ended = failing.run("secrets", "check")
    assert (ended.code, ended.err) == (70, "")
    assert "plugin_error" in ended.out
    listed = failing.run("secrets", "backends")
    assert (listed.code, "acme-plugin" in listed.out) == (0, True)


def test_without_the_addresses_of_a_connection_there_is_no_plan(failing: Acme) -> None:
    failing.declare(bad=BY_KEY | {"tags": ["instance"]}, good=BY_KEY)
    ended = failing.run("plan")
    assert (ended.code, ended.out) == (70, "")
    assert f"error[plugin_error]: a bug of the plug-in {ORIGIN.format('PROVIDER')}" in ended.err
    assert failing.run("plan", "-c", "good").code == 0


def test_a_bug_in_a_format_ends_the_run(failing: Acme) -> None:
    failing.declare(good=BY_KEY)
    ended = failing.run("check", "--format", "failing")
    assert (ended.code, ended.out) == (70, "")
    assert f"error[plugin_error]: a bug of the plug-in {ORIGIN.format('FORMAT')}: RuntimeError in `render`" in ended.err
    assert SECRET_TEXT not in ended.err
