"""`connform explain`: one page for a code, a list of all without one."""

from __future__ import annotations

import json

import pytest

from connform.diagnostics import CODES
from connform.faults import FAULTS
from tests.canary import API_KEY
from tests.cli.conftest import Connform

UNKNOWN_REGION = """\
error[unknown-region]: unknown region

The environment doesn't have that region.

Why: A key belongs to one region of one environment; at any other host it would
be shown to the wrong party.

What to do: Take a region of this environment, or correct the environment.
Where one of them comes from a template or `defaults`, both places are shown.

Bad:

    version: 1
    connections:
      acme:
        environment: sandbox
        region: ca
        auth: {method: api_key, api_key: env://ACME_KEY}

Good:

    version: 1
    connections:
      acme:
        environment: sandbox
        region: us
        auth: {method: api_key, api_key: env://ACME_KEY}
"""


def test_a_code_has_a_page(connform: Connform) -> None:
    run = connform("explain", "unknown-region")
    assert (run.code, run.out, run.err) == (0, UNKNOWN_REGION, "")


@pytest.mark.parametrize("code", [*CODES, *FAULTS])
def test_every_code_and_class_of_failure_has_one(connform: Connform, code: str) -> None:
    run = connform("explain", code)
    assert run.code == 0
    assert f"[{code}]: " in run.out.splitlines()[0]
    assert "\nWhat to do: " in run.out
    assert "```" not in run.out
    assert "\n\n\n" not in run.out


def test_json_has_the_same_in_fields(connform: Connform) -> None:
    page = json.loads(connform("explain", "unknown-region", "--format", "json").out)
    assert list(page) == ["code", "kind", "summary", "meaning", "reason", "remedy", "bad", "good"]
    assert (page["code"], page["kind"], page["bad"][:7]) == ("unknown-region", "error", "```yaml")
    assert json.loads(connform("explain", "auth_rejected", "--format", "json").out)["bad"] == ""


def test_without_a_code_all_are_listed(connform: Connform) -> None:
    lines = connform("explain").out.splitlines()
    assert [line.split()[0] for line in lines] == [*CODES, *FAULTS]
    listed = json.loads(connform("explain", "--format", "json").out)
    assert [one["code"] for one in listed] == [*CODES, *FAULTS]
    assert listed[0] == {"code": "file-not-found", "kind": "error", "summary": "no such manifest"}


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("unknown-regoin", "did you mean `unknown-region`?"),
        ("auth-rejected", "did you mean `auth_rejected`?"),
        ("owner-missing", "`connform explain` lists every code"),
        (API_KEY, "`connform explain` lists every code"),
    ],
)
def test_an_unknown_code_is_a_usage_error(connform: Connform, code: str, hint: str) -> None:
    run = connform("explain", code)
    assert (run.code, run.out) == (64, "")
    assert run.err.endswith(f"hint: {hint}\n")


def test_output_goes_to_a_file(connform: Connform, tmp_path: object) -> None:
    assert connform("explain", "unknown-region", "--output", f"{tmp_path}/x.txt").out == ""
    with open(f"{tmp_path}/x.txt", encoding="utf-8") as file:
        assert file.read() == UNKNOWN_REGION
