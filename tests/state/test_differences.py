"""What counts as another declaration: never without a line that says so, and nothing that means the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connform.cli.main import main
from connform.diagnostics import Span
from connform.engine.changes.canonical import digest
from connform.engine.changes.specification import differences, specify
from connform.manifest.model import Connection
from tests.state.recording import record, rewrite

Planned = Callable[..., list[tuple[str, Any, Any]] | None]

KEY = "env://ACME_KEY"


def declare(file: Path, key: str = KEY, stores: dict[str, Any] | None = None, **values: Any) -> Path:
    """Write a manifest of one connection."""
    one = {"environment": "private", "instance": "acme", "auth": {"method": "api_key", "api_key": key}, **values}
    file.parent.mkdir(exist_ok=True)
    content = {"version": 1, "connections": {"one": one}} | ({"stores": stores} if stores else {})
    file.write_text(json.dumps(content))
    return file


@pytest.fixture
def planned(capsys: pytest.CaptureFixture[str]) -> Planned:
    """Returns the differences of the only connection, `None` where there is nothing to do."""

    def plan(*argv: str | Path) -> list[tuple[str, Any, Any]] | None:
        arguments = ["plan", *map(str, argv)]
        assert main([*arguments, "--format", "json"]) == 0
        (one,) = json.loads(capsys.readouterr().out)["connections"]
        main(arguments)
        said = capsys.readouterr().out
        if one["action"] == "none":
            assert "no changes" in said
            return None
        rows = said.partition("\n\n")[0].splitlines()[1:-1]
        assert len(rows) >= len(one["changes"] + one["reasons"]) >= 1, "an update says what it is"
        for row in rows:
            before, arrow, after = row.partition(" → ")
            assert not arrow or before.split("  ")[-1].strip() != after.strip() != "", row
        return [(change["pointer"], change["before"], change["after"]) for change in one["changes"]]

    return plan


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({"timeouts": {"total_s": 20}}, {"timeouts": {"total_s": 20.0}}, None),
        ({"timeouts": {"total_s": 20}}, {"timeouts": {"total_s": 20.5}}, [("/timeouts/total_s", 20, 20.5)]),
        ({}, {"timeouts": {}}, None),
        ({"tls": {}, "tags": []}, {}, None),
        ({}, {"tags": ["a"]}, [("/tags", None, ["a"])]),
        ({"owner": "none"}, {}, [("/owner", "none", None)]),
        ({"tls": {"ca_file": "/ca.pem"}}, {"tls": {}}, [("/tls/ca_file", "/ca.pem", None)]),
        ({"key": "v://a", "stores": {"v": {"type": "file", "path": "/run"}}}, {}, [
            ("/auth/api_key", "v://a", KEY),
            ("/stores/v/environment", "", None),
            ("/stores/v/path", "/run", None),
            ("/stores/v/type", "file", None),
        ]),
    ],
)  # fmt: skip
def test_what_is_declared_otherwise(
    before: dict[str, Any], after: dict[str, Any], changes: object, tmp_path: Path, planned: Planned
) -> None:
    file = declare(tmp_path / "connections.yaml", **before)
    record(file)
    assert planned("-f", declare(file, **after)) == changes


@pytest.mark.parametrize("after", [{}, {"owner": "b"}])
def test_a_plan_as_text_is_the_same_whatever_else_is_asked_for(
    after: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Alone it is made of the changes, without the connections that have none."""
    file = declare(tmp_path / "connections.yaml", owner="a")
    content = json.loads(file.read_text())
    content["connections"] |= {"other": {**content["connections"]["one"], "instance": "other"}}
    file.write_text(json.dumps(content))
    record(file)
    content["connections"]["one"] |= after
    file.write_text(json.dumps(content))
    said = []
    for more in ((), ("--format", f"json={tmp_path / 'all.json'}")):
        assert main(["plan", "-f", str(file), "--detailed-exitcode", *more]) == (2 if after else 0)
        said.append(re.sub(r"\([0-9.]+ s\)", "", capsys.readouterr().out))
    assert said[0] == said[1]
    assert len(json.loads((tmp_path / "all.json").read_text())["connections"]) == 2


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({"a": {}}, {}, []),
        ({"a": {}}, {"a": {"b": 1}}, [("/a/b", None, 1)]),
        ({"a": 1}, {"a": {"b": 1}}, [("/a", 1, None), ("/a/b", None, 1)]),
        ({"a": {"~/": 1}}, {"a": {"~/": 2}}, [("/a/~0~1", 1, 2)]),
        ({"a": {"b": [1]}}, {"a": {"b": [1]}}, []),
    ],
)
def test_every_difference_has_a_pointer(before: object, after: object, changes: object) -> None:
    found = differences({"settings": before}, {"settings": after})
    assert [tuple(one)[:3] for one in found] == changes


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ({}, {"timeouts": {"total_s": 20}}, (60, 20, True, False)),
        ({"timeouts": {"total_s": 20}}, {"timeouts": {}}, (20, 60, False, True)),
        ({"timeouts": {"total_s": 60}}, {"timeouts": {"total_s": 20}}, (60, 20, False, False)),
    ],
)
def test_a_default_is_told_from_the_same_value_that_is_declared(before: Any, after: Any, change: object) -> None:
    (found,) = differences({"settings": before}, {"settings": after})
    assert tuple(found)[1:] == change


def _expecting(body: Any = None, **check: Any) -> dict[str, Any]:
    expected = {} if body is None else {"expect": {"body": body}}
    return {"provider": "http", "base_url": "https://api.acme.example", "check": {"path": "/me", **expected, **check}}


@pytest.mark.parametrize(
    ("before", "after", "pointer"),
    [
        (_expecting({"const": 1}), _expecting({"const": True}), "/check/expect/body"),
        (_expecting({"const": None}), _expecting({"type": "null"}), "/check/expect/body"),
        (_expecting({"const": None, "type": "null"}), _expecting({"type": "null"}), "/check/expect/body"),
        (_expecting({"required": ["a"]}), _expecting(None), "/check/expect/body"),
        (_expecting({"properties": {"a": {}}}), _expecting({"properties": {"a": {}, "b": {}}}), "/check/expect/body"),
        (_expecting(json={}), _expecting(), "/check/json"),
        (_expecting(json={"take": 0}), _expecting(json={"take": False}), "/check/json"),
        (_expecting(json={"take": None}), _expecting(json={}), "/check/json"),
        (_expecting(json=[]), _expecting(json={}), "/check/json"),
        (_expecting(expect={"status": 201}), _expecting(expect={"status": [201, 204]}), "/check/expect/status"),
        (_expecting({"const": 1}), _expecting({"const": 1.0}), ""),
        (_expecting({"required": ["a"], "type": "object"}), _expecting({"type": "object", "required": ["a"]}), ""),
        (_expecting(expect={"status": [201, 204]}), _expecting(expect={"status": [204, 201]}), ""),
        (_expecting(expect={"text": "a"}), _expecting(expect={"text": "a", "status": 200}), ""),
        (_expecting(expect={}), _expecting(), ""),
        (
            _expecting(reject={"body": {"type": "null"}}),
            _expecting(reject={"body": {"type": "null"}, "status": [200]}),
            "",
        ),
    ],
    ids=str,
)
def test_json_is_compared_as_a_whole(before: dict[str, Any], after: dict[str, Any], pointer: str) -> None:
    found = differences({"settings": before}, {"settings": after})
    assert [one.pointer for one in found] == [pointer] * bool(pointer)


def test_a_plan_shows_json_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = declare(tmp_path / "connections.yaml")
    content = json.loads(file.read_text())
    content["connections"]["one"] = {
        **_expecting(json={"ok": True}, method="POST"),
        "auth": {"method": "bearer", "token": KEY},
    }
    file.write_text(json.dumps(content))
    record(file)
    file.write_text(json.dumps(content).replace("true", '[null, "a"]'))
    assert main(["plan", "-f", str(file)]) == 0
    assert 'check.json  {"ok": true} → {"ok": [null, "a"]}' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("values", "changes"),
    [
        ({}, []),
        ({"key": "file:///run/secrets/key"}, []),
        ({"key": "file://key"}, [("/folder", "east", "west")]),
        ({"key": "dotenv://.env#KEY"}, [("/folder", "east", "west")]),
        ({"tls": {"ca_file": "ca.pem"}}, [("/folder", "east", "west")]),
        ({"proxy": {"url": "http://proxy", "username": "ci", "password": "file://key"}}, [("/folder", "east", "west")]),
        ({"proxy": {"url": "http://proxy", "username": "ci", "password": "file:///key"}}, []),
        ({"tls": {"ca_file": "/ca.pem"}}, []),
        ({"key": "v://a", "stores": {"v": {"type": "file", "path": "x"}}}, [("/stores/v/folder", "east", "west")]),
        ({"key": "v://a", "stores": {"v": {"type": "file", "path": "/x"}}}, []),
    ],
)
def test_another_folder_is_another_secret_where_a_path_is_relative(
    values: dict[str, Any], changes: list[Any], tmp_path: Path, planned: Planned
) -> None:
    (tmp_path / ".git").mkdir()
    state = f"sqlite:///{tmp_path}/state"
    record(declare(tmp_path / "east" / "connections.yaml", **values), state=state)
    moved = declare(tmp_path / "west" / "connections.yaml", **values)
    file = ("/file", "east/connections.yaml", "west/connections.yaml")
    assert planned("-f", moved, "--state", state) == [file, *changes]


@pytest.mark.parametrize(
    ("declared", "recorded", "changes"),
    [
        ({"key": "file://key"}, {}, [("/folder", None, ".")]),
        ({"timeouts": {"total_s": 20}}, {"timeouts": {"total_s": 20.0}}, None),
        ({}, {"tls": {}}, None),
        ({"key": "file:///key", "timeouts": {"total_s": 20}}, {}, None),
    ],
)
def test_what_an_earlier_version_recorded_is_applied_once_more_at_most(
    declared: dict[str, Any], recorded: dict[str, Any], changes: object, tmp_path: Path, planned: Planned
) -> None:
    """The digest of what has neither relative paths nor other ways to be written is what it was."""
    file = declare(tmp_path / "connections.yaml", **declared)
    record(file)
    settings = json.loads(file.read_text())["connections"]["one"] | recorded
    spec = {"settings": settings, "base_url": "https://acme.syngrafii.com/api/v1", "stores": {}}
    rewrite(file, {"one": (spec, digest(spec))})
    assert planned("-f", file) == changes
    record(file)
    assert planned("-f", file) is None


@pytest.mark.parametrize("argv", [("plan",), ("apply", "--yes"), ("state", "show", "one"), ("state", "export")])
def test_a_record_that_has_lost_its_content_is_named(
    argv: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = declare(tmp_path / "connections.yaml")
    record(file)
    rewrite(file, {"one": ({}, digest({}))})
    assert main(list(argv)) == 5
    assert "error[store_corrupt]: what is recorded of one has lost its content" in capsys.readouterr().err


def test_a_setting_that_is_off_is_one_and_empty_tags_are_none() -> None:
    settings = {"base_url": "https://api.acme.example", "off": False, "tags": [], "tls": {}, "timeouts": {}}
    declared, _ = specify(Connection("one", "http", settings, Path(), Span("", 1, 1, 1, 1)), {}, str)
    assert declared["settings"] == {"base_url": "https://api.acme.example", "off": False}
