"""A plug-in that can't be loaded, beside a healthy one of the same kind and a built-in one, fails only what names it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.plugins import install
from tests.end_to_end.running import run

HEALTHY = """
from connform.plugin import AuthMethod, Backend, Instance, Shape

class Provider:
    shape = Shape(properties={"base_url": {"type": "string"}})
    def rules(self, connection):
        return []
    def instance(self, connection):
        return Instance(connection.settings["base_url"], "X-Key")
    def check_request(self, connection):
        pass
    def judge(self, connection, answer):
        pass

class Method(AuthMethod):
    shape = Shape()
    def judge(self, key, secret):
        pass
    def credential(self, inputs):
        pass

class Store(Backend):
    form = "healthy://name"
    store_shape = Shape()
    def lint(self, reference, settings):
        return ""
    def open(self, store):
        pass

class Format:
    def render(self, view, **options):
        return "rendered\\n"

PROVIDER, METHOD, BACKEND, FORMAT = Provider(), Method(), Store(), Format()
"""
KINDS = {"providers": "PROVIDER", "auth": "METHOD", "secrets": "BACKEND", "formats": "FORMAT"}
WAYS = {
    "import": ("raise RuntimeError('no licence')\n", "RuntimeError: no licence"),
    "exit": ("raise SystemExit('no licence')\n", "SystemExit: no licence"),
    "protocol": ("PROVIDER = METHOD = BACKEND = FORMAT = object()\n", "can't be used: it has no `"),
}
BUILT_IN = {
    "environment": "sandbox",
    "region": "us",
    "auth": {"method": "api_key", "api_key": "env://ACME_KEY"},
}


def connection(kind: str, name: str) -> dict[str, Any]:
    if kind == "providers":
        return {"provider": name, "base_url": "https://acme.example", "auth": BUILT_IN["auth"]}
    if kind == "auth":
        return {**BUILT_IN, "auth": {"method": name}}
    return {**BUILT_IN, "auth": {"method": "api_key", "api_key": f"{name}://key"}}


def installed(folder: Path, broken: str) -> dict[str, str]:
    points = {
        f"connform.{kind}": f"healthy = healthy:{value}\nbroken = broken:{value}" for kind, value in KINDS.items()
    }
    return install(folder, {"healthy.py": HEALTHY, "broken.py": broken}, points)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["providers", "auth", "secrets"])
def test_only_the_connections_that_name_it_fail(tmp_path: Path, kind: str, way: str) -> None:
    source, what = WAYS[way]
    environment = installed(tmp_path / "plugins", source)
    named = {"bad": connection(kind, "broken"), "good": connection(kind, "healthy"), "built-in": BUILT_IN}
    (tmp_path / "connections.yaml").write_text(json.dumps({"version": 1, "connections": named}))
    ended = run("validate", "--format", "json", cwd=tmp_path, env=environment)
    (diagnostic,) = ended.report["diagnostics"]
    assert (ended.code, ended.err, diagnostic["code"], diagnostic["connection"]) == (70, "", "plugin-error", "bad")
    assert f"broken:{KINDS[kind]} of acme-plugin" in diagnostic["detail"]
    assert what in diagnostic["detail"]
    assert run("plan", "-c", "good", "-c", "built-in", cwd=tmp_path, env=environment).code == 0
    assert run("plan", cwd=tmp_path, env=environment).code == 70
    debugged = run("validate", "--debug-plugins", cwd=tmp_path, env=environment)
    assert debugged.err.count("Traceback") == (way != "protocol")


def test_a_mistake_of_the_manifest_besides_gives_its_exit_code(tmp_path: Path) -> None:
    environment = installed(tmp_path / "plugins", WAYS["import"][0])
    named = {"bad": connection("providers", "broken"), "wrong": {**BUILT_IN, "region": "mars"}}
    (tmp_path / "connections.yaml").write_text(json.dumps({"version": 1, "connections": named}))
    ended = run("validate", "--format", "json", cwd=tmp_path, env=environment)
    assert (ended.code, len(ended.report["diagnostics"])) == (1, 2)


def test_a_plug_in_that_no_manifest_names_is_not_imported(tmp_path: Path) -> None:
    mark = tmp_path / "imported"
    environment = installed(tmp_path / "plugins", f"open({str(mark)!r}, 'w').close()\nraise RuntimeError\n")
    for kind in ("providers", "auth", "secrets"):
        named = {"connections": {"good": {"extends": "base"}}, "templates": {"base": connection(kind, "healthy")}}
        (tmp_path / "connections.yaml").write_text(json.dumps({"version": 1, **named}))
        assert run("validate", cwd=tmp_path, env=environment).code == 0
    named_wrong = {"good": connection("providers", "healty")}
    (tmp_path / "connections.yaml").write_text(json.dumps({"version": 1, "connections": named_wrong}))
    assert "did you mean `healthy`" in run("validate", cwd=tmp_path, env=environment).out
    assert not mark.exists()


@pytest.mark.parametrize("name", ["broken", "not-installed"])
def test_a_record_may_name_it(tmp_path: Path, name: str) -> None:
    environment = installed(tmp_path / "plugins", WAYS["import"][0])
    catalog = "from connform.engine.load.catalog import depends_on_folder, reads_files, uses_grant"
    code = f"{catalog}; print(uses_grant({{'auth': {{'method': {name!r}}}}}), reads_files({name!r}), depends_on_folder({name!r}))"
    ended = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert (ended.stdout, ended.stderr) == ("False False False\n", "")


@pytest.mark.parametrize("way", WAYS)
def test_a_format_and_the_list_of_backends(tmp_path: Path, way: str) -> None:
    source, what = WAYS[way]
    environment = installed(tmp_path / "plugins", source)
    (tmp_path / "connections.yaml").write_text(json.dumps({"version": 1, "connections": {"good": BUILT_IN}}))
    assert run("validate", "--format", "healthy", cwd=tmp_path, env=environment).out == "rendered\n"
    refused = run("validate", "--format", "broken", cwd=tmp_path, env=environment)
    assert refused.code == 70
    assert "error[plugin_error]: the plug-in broken:FORMAT of acme-plugin" in refused.err
    assert what in refused.err
    listed = run("secrets", "backends", cwd=tmp_path, env=environment)
    assert listed.code == 0
    assert {"healthy", "broken", "env"} <= {line.split()[0] for line in listed.out.splitlines()}
    assert listed.out.count("the plug-in broken:BACKEND of acme-plugin can't be ") == 1
