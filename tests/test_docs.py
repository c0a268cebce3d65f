"""The tables of docs/ are those of the code; a failing test prints the table as it should be."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from connform.auth import METHODS
from connform.cli import VERBS
from connform.engine.manual import PARTS
from connform.faults import FAULTS, ExitCode
from connform.providers import GROUPS, PROVIDERS
from connform.secrets import BACKENDS

ROOT = Path(__file__).parent.parent


def _verdicts() -> list[str]:
    return [
        f"| `{fault.name}` | {fault.stage} | {fault.verdict} | {int(fault.exit_code)} | {fault.hint} |"
        for fault in FAULTS.values()
    ]


def test_table_of_verdicts_is_the_table_of_the_code() -> None:
    rows = _verdicts()
    text = (ROOT / "docs" / "reference" / "verdicts.md").read_text(encoding="utf-8")
    stated = [line for line in text.splitlines() if line.startswith("| `")]
    assert stated == rows, "\n".join(["expected:", *rows])


@pytest.mark.parametrize("code", [code for code in ExitCode if code not in (ExitCode.CHANGES, ExitCode.WOULD_REFORMAT)])
def test_readme_names_exit_code(code: ExitCode) -> None:
    assert f"| {int(code)} |" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md"])
def test_the_number_of_providers_is_right_on_a_page(page: str) -> None:
    stated = re.search(r"knows (\d+) APIs|catalogue\]\([^)]*\) has (\d+)", (ROOT / page).read_text(encoding="utf-8"))
    assert stated is not None
    assert int(stated[1] or stated[2]) == len(GROUPS)


def test_the_wheel_holds_every_part_of_the_manual() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packed = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    parts = [path for part in PARTS for path in (f"{part}.md", part) if (ROOT / "docs" / path).exists()]
    assert packed == {f"docs/{path}": f"connform/manual/{path}" for path in parts}


@pytest.mark.parametrize("code", ExitCode)
def test_the_page_on_exit_codes_has_every_code(code: ExitCode) -> None:
    assert f"\n| {int(code)} |" in (ROOT / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")


def test_the_page_on_environment_variables_has_every_variable_of_connform() -> None:
    sources = (ROOT / "src" / "connform").rglob("*.py")
    used = {name for source in sources for name in re.findall(r'"(CONNFORM_\w+)"', source.read_text(encoding="utf-8"))}
    text = (ROOT / "docs" / "reference" / "environment.md").read_text(encoding="utf-8")
    assert used == set(re.findall(r"`(CONNFORM_\w+)`", text))


@pytest.mark.parametrize("name", list(dict.fromkeys([*VERBS, *(PROVIDERS.keys() - GROUPS.keys()), *METHODS])))
def test_manifest_page_names_everything_built_in(name: str) -> None:
    assert name in (ROOT / "docs" / "reference" / "manifest.md").read_text(encoding="utf-8")


def test_manifest_page_has_the_keys_of_each_method() -> None:
    text = (ROOT / "docs" / "reference" / "manifest.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[`(\w+)`\]\(auth\.md#[\w-]+\) \|(.*)\|$", text, re.MULTILINE)
    stated = {name: set(re.findall(r"`(\w+)`", keys)) for name, keys in rows}
    assert stated == {name: set(method.shape.properties) for name, method in METHODS.items()}


def _backends() -> list[str]:
    return [
        f"| `{scheme}` | `{kind.form}` | {', '.join(f'`{key}`' for key in kind.store_shape.properties) or '–'} |"
        for scheme, kind in BACKENDS.items()
    ]


def test_table_of_backends_is_the_table_of_the_code() -> None:
    rows = _backends()
    text = (ROOT / "docs" / "reference" / "secrets.md").read_text(encoding="utf-8")
    stated = [line for line in text.splitlines() if re.match(r"\| `([a-z0-9]+)` \| `\1://", line)]
    assert stated == rows, "\n".join(["expected:", *rows])


@pytest.mark.parametrize("scheme", BACKENDS)
def test_every_backend_has_its_section(scheme: str) -> None:
    assert f"\n### `{scheme}://`\n" in (ROOT / "docs" / "reference" / "secrets.md").read_text(encoding="utf-8")
