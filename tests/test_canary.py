from __future__ import annotations

import base64
import html
import json
import os
import pickle
import re
import subprocess
import sys
import urllib.parse
from collections.abc import Callable

import pytest

from tests.canary import API_KEY, AWKWARD, CANARIES, VARIABLE, assert_no_canary, assert_without
from tests.conftest import Plant
from tests.inner_pytest import pytest_command

ENCODINGS: dict[str, Callable[[str], str | bytes]] = {
    "raw": str,
    "bytes": str.encode,
    "repr": repr,
    "json": json.dumps,
    "json, every character": lambda text: "".join(f"\\u{ord(character):04x}" for character in text),
    "html": html.escape,
    "url": lambda text: urllib.parse.quote(text, safe=""),
    "form": lambda text: urllib.parse.urlencode({"api_key": text}),
    "url, every character": lambda text: "".join(f"%{ord(character):02X}" for character in text),
    "hex": lambda text: text.encode().hex(),
    "hex, upper case": lambda text: text.encode().hex().upper(),
    "hex, separated": lambda text: text.encode().hex(":"),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64, one byte on": lambda text: base64.b64encode(b"u" + text.encode() + b":p"),
    "base64, two bytes on": lambda text: base64.b64encode(b"u:" + text.encode() + b"\n"),
    "base64, for URLs": lambda text: base64.urlsafe_b64encode(text.encode()),
    "basic credentials": lambda text: b"Basic " + base64.b64encode(f"acme-portal:{text}".encode()),
    "utf-16": lambda text: text.encode("utf-16"),
    "pickle": pickle.dumps,
    "first half": lambda text: text[: len(text) // 2 + 8] + "…",
    "second half": lambda text: "…" + text[-25:],
    "reversed": lambda text: text[::-1],
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("canary", CANARIES, ids=["api key", "awkward"])
def test_found_in_every_form(canary: str, encode: Callable[[str], str | bytes]) -> None:
    leak = encode(canary)
    around = f"before {leak} after" if isinstance(leak, str) else b"\x00before " + leak + b" after\xff"

    with pytest.raises(AssertionError, match="holds the canary"):
        assert_no_canary("harmless", around)


def test_what_a_server_has_issued_is_found_as_well() -> None:
    issued = ["tok-e_n-" + os.urandom(16).hex()]
    assert_without(issued, "harmless", API_KEY)
    for leak in (issued[0][20:], base64.b64encode(f"user:{issued[0]}".encode())):
        with pytest.raises(AssertionError, match=r"^the log holds an issued secret"):
            assert_without(issued, leak, where="the log")


def test_the_failure_does_not_repeat_it() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_no_canary(f"key: {API_KEY}", where="a page")

    assert "a page" in str(caught.value)
    assert_no_canary(str(caught.value))


def test_harmless_output_passes() -> None:
    assert_no_canary("", b"", "cnry-<secret>", base64.b64encode(os.urandom(4096)), "\udc80")


def test_subprocesses_get_it_by_environment() -> None:
    code = f"import os; assert os.environ[{VARIABLE!r}] in {API_KEY!r}"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_awkward_changes_in_every_escape() -> None:
    assert json.dumps(AWKWARD)[1:-1] != AWKWARD
    assert html.escape(AWKWARD) != AWKWARD
    assert urllib.parse.quote(AWKWARD) != AWKWARD


LEAKS = {
    "stdout": "(): print(KEY)",
    "stderr": "(): print(KEY, file=sys.stderr)",
    "descriptor": "(): os.write(1, KEY.encode())",
    "capsys": "(capsys): print(KEY), capsys.readouterr()",
    "capfd": "(capfd): os.write(2, KEY.encode()), capfd.readouterr()",
    "log": "(): logging.getLogger('httpx').info('GET %s', KEY)",
    "debug_log": "(): logging.getLogger('httpcore').debug('header %r', KEY.encode())",
    "file": "(tmp_path): (tmp_path / 'state.json').write_text(KEY)",
    "folder_name": "(tmp_path): (tmp_path / KEY).mkdir()",
    "home": "(): (pathlib.Path.home() / 'cache').write_text(KEY)",
    "subprocess": "(): subprocess.run(['echo', KEY], capture_output=True)",
    "fixture": "(late): pass",
    "click": "(): CliRunner().invoke(click.Command('x', callback=lambda: click.echo(KEY)))",
    "connect": "(): socket.socket().connect_ex(('192.0.2.1', 443))",
}
HARMLESS = {
    "planted": "(plant): plant('inner/key.txt', KEY)",
    "loopback": "(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))",
    "home_was_emptied": "(): list(pathlib.Path.home().iterdir()) == [] or pytest.fail('not empty')",
    "environment": "(): set(os.environ) & {'HTTPS_PROXY', 'CONNFORM_STATE'} and pytest.fail('not clean')",
}
HEAD = f"""
import click, logging, os, pathlib, pytest, socket, subprocess, sys
from click.testing import CliRunner

pytestmark = pytest.mark.filterwarnings("ignore")
KEY = {API_KEY!r}

@pytest.fixture
def late():
    yield
    print(KEY)

"""


def test_every_leak_fails_its_test(
    plant: Plant,
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    tests = {f"test_{name}": code for name, code in (LEAKS | HARMLESS).items()}
    inner = plant("test_inner.py", HEAD + "\n".join(f"def {name}{code}" for name, code in tests.items()))
    for variable in ("HTTPS_PROXY", "CONNFORM_STATE"):
        monkeypatch.setenv(variable, "https://proxy.example")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    place = ["-c", str(pytestconfig.inipath), "--rootdir", str(inner.parent), str(inner)]
    command = pytest_command(tmp_path_factory, "-q", "-rA", "-p", "tests.conftest", *place)

    with subprocess.Popen(command, cwd=pytestconfig.rootpath, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()  # not communicate(), which would find the canary here

    stopped = set(re.findall(r"^(?:FAILED|ERROR) .*::test_(\w+)", output, re.MULTILINE))
    assert stopped == set(LEAKS), output
    assert output.count("holds the canary") >= len(LEAKS) - 1
    assert "the test tried to reach ('192.0.2.1', 443)" in output
