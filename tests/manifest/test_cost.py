"""What a manifest costs grows with its size, and no faster; what is too much to be listed is counted. `tests/long/hostile.py` measures seconds."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from connform.cli.main import main
from connform.engine.fix import fix
from connform.engine.load.manifest import examine, read_manifest
from connform.engine.load.selection import Selection
from connform.manifest.files import Source
from connform.manifest.tally import MOST_LISTED
from connform.manifest.yaml_builder import MAX_DUPLICATES
from tests.hostile import HEAD, SHAPES

SIZE = 16_000
MOST_CALLS = 2_600_000
"""Half more than what the dearest shape takes at this size; each pair of its lines would be more."""
GOOD = '{environment: sandbox, region: us, auth: {method: api_key, api_key: "env://A"}}'


class TooManyCallsError(Exception):
    """The work isn't bounded."""


def calls(work: Callable[[], object]) -> int:
    """Return how many functions are called; of more than are allowed, none after that."""
    number = 0

    def count(_frame: object, _event: object, _argument: object) -> None:  # a `*_` would make a tuple for each call
        nonlocal number
        number += 1
        if number == MOST_CALLS:
            raise TooManyCallsError

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return number


@pytest.mark.parametrize("name", SHAPES)
def test_a_hostile_manifest_is_judged_in_bounded_work(name: str) -> None:
    source = Source("m.yaml", SHAPES[name](SIZE).encode(), "/tmp")
    reports = []
    calls(lambda: reports.append(examine([source])[1]))
    assert len(reports[0].diagnostics) <= 2 * (MOST_LISTED + 1)


@pytest.mark.parametrize("name", ["unknown keys", "tags that are numbers", "trees", "anchors"])
def test_twice_the_size_takes_at_most_twice_the_work(name: str) -> None:
    small, large = (Source("m.yaml", SHAPES[name](size).encode(), "/tmp") for size in (SIZE // 2, SIZE))
    assert calls(lambda: examine([large])) < 2.5 * calls(lambda: examine([small]))


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest with one good connection, 600 errors in others, and 510 warnings."""
    monkeypatch.chdir(tmp_path)
    unused = "".join(f"  t{number}: {{region: us}}\n" for number in range(MOST_LISTED + 10))
    wrong = "".join(f"  c{number}: {GOOD[:-1]}, z: 1}}\n" for number in range(MOST_LISTED + 100))
    (tmp_path / "connections.yaml").write_text(f"version: 1\ntemplates:\n{unused}connections:\n{wrong}  good: {GOOD}\n")


def validated(form: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["validate", "--format", form]) == 1
    return capsys.readouterr().out


REST = "100 more errors of this file are counted, not listed"


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("form", ["text", "concise", "json", "jsonl", "gitlab", "sarif", "junit"])
def test_every_format_says_how_many_more_there_are(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert REST in " ".join(validated(form, capsys).split())


@pytest.mark.usefixtures("many")
def test_sums_count_what_is_not_listed(capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads(validated("json", capsys))
    assert (report["summary"]["errors"], report["summary"]["warnings"]) == (600, 510)
    assert sum(one["count"] for one in report["diagnostics"]) == 1110
    assert {one["code"]: one["count"] for one in report["diagnostics"] if one["count"] > 1} == {
        "more-errors": 100,
        "more-warnings": 10,
    }
    assert "601 connections in 1 file: 600 errors, 510 warnings" in validated("text", capsys)
    assert "590 more errors and 500 more warnings" in validated("github", capsys)
    assert "601 connections, 600 errors, 510 warnings" in validated("markdown", capsys)
    results = json.loads(validated("sarif", capsys))["runs"][0]["results"]
    assert sorted(one["occurrenceCount"] for one in results if "occurrenceCount" in one) == [10, 100]
    failure = ET.fromstring(validated("junit", capsys)).find(".//failure")
    assert failure is not None
    assert failure.get("message") == "600 errors"


@pytest.mark.usefixtures("many")
def test_a_sound_connection_can_be_used_beside_many_that_are_not() -> None:
    manifest, report = read_manifest(selection=Selection(names=("good",)))
    assert manifest is not None
    assert list(manifest) == ["good"]
    assert report.number_of("error") == 0


def test_a_mistake_that_is_inherited_a_thousand_times_is_one() -> None:
    text = "version: 1\ntemplates:\n  t: {tags: [1], environment: sandbox}\nconnections:\n"
    inheriting = "".join(
        f"  c{number}: {{extends: t, region: us, auth: {{method: api_key, api_key: 'env://A'}}}}\n"
        for number in range(1000)
    )
    _, report = examine([Source("m.yaml", (text + inheriting).encode(), "/tmp")])
    assert [one.code for one in report.diagnostics] == ["wrong-type"]


def test_a_warning_that_is_ignored_is_not_counted() -> None:
    ignored = "".join(
        f"  t{number}: {{region: us}} # connform: ignore[unused-template]\n" for number in range(MOST_LISTED + 10)
    )
    text = f"version: 1\ntemplates:\n{ignored}connections:\n  a: {GOOD}\n"
    assert examine([Source("m.yaml", text.encode(), "/tmp")])[1].diagnostics == ()


def test_what_is_too_deep_is_refused_where_an_alias_makes_it_so() -> None:
    nested = "".join(f"  a{number}: &a{number} {{b: *a{number - 1}}}\n" for number in range(1, 100))
    text = f"{HEAD}  a0: &a0 {{b: [1]}}\n{nested}"
    (found,) = examine([Source("m.yaml", text.encode(), "/tmp")])[1].diagnostics
    assert (found.code, found.span.line) == ("yaml-too-deep", 65)


def _inherit(templates: str, connections: str) -> set[str]:
    text = f"version: 1\ntemplates:\n{templates}connections:\n{connections}"
    return {one.code for one in examine([Source("m.yaml", text.encode(), "/tmp")])[1].diagnostics}


@pytest.mark.parametrize(("number", "said"), [(32, set()), (33, {"too-much-inherited"})])
def test_at_most_32_templates_extend_each_other(number: int, said: set[str]) -> None:
    links = "".join(f"  t{each}: {{extends: t{each + 1}}}\n" for each in range(1, number))
    assert _inherit(f"{links}  t{number}: {GOOD}\n", "  c: {extends: t1}\n") == said


def test_large_templates_are_not_inherited_without_end() -> None:
    large = f"{GOOD[:-1]}, tags: [{', '.join(f'a{number}' for number in range(1_000))}]}}"
    few, many = ("".join(f"  c{number}: {{extends: t}}\n" for number in range(count)) for count in (500, 1_100))
    assert _inherit(f"  t: {large}\n", few) == set()
    assert _inherit(f"  t: {large}\n", many) == {"too-much-inherited"}


def test_everything_certain_is_mended_however_much_it_is(tmp_path: Path) -> None:
    wrong = GOOD.replace("api_key: ", "api-key: ")
    file = tmp_path / "connections.yaml"
    file.write_text(HEAD + "".join(f"  c{number}: {wrong}\n" for number in range(2 * MOST_LISTED)))
    (manifest,) = fix([str(file)])
    assert len(manifest.mended) == 2 * MOST_LISTED
    assert b"api-key" not in manifest.after


def test_duplicate_keys_that_are_not_listed_are_counted() -> None:
    again = "".join("  a: {}\n" for _ in range(MAX_DUPLICATES + 10))
    _, report = examine(
        [Source("m.yaml", f"version: 1\ndefaults:\n{again}connections:\n  a: {GOOD}\n".encode(), "/tmp")]
    )
    assert sum(one.number for one in report.diagnostics if one.code == "more-errors") == 10
