"""`connform init --from-env`: connections from the names of variables, and no value anywhere."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
import yaml

from tests.canary import API_KEY, assert_without
from tests.end_to_end.running import COMMAND, run_here, run_program

OF_VENDORS = {
    "anthropic": ["ANTHROPIC_API_KEY"],
    "auth0": ["AUTH0_CLIENT_SECRET", "AUTH0_DOMAIN"],
    "datadog": ["DD_API_KEY", "DD_APP_KEY"],
    "github": ["GH_TOKEN", "GITHUB_TOKEN"],
    "honeycomb": ["HONEYCOMB_API_KEY"],
    "jira": ["JIRA_API_TOKEN", "JIRA_USER_EMAIL"],
    "mailgun": ["MAILGUN_API_KEY"],
    "notion": ["NOTION_TOKEN"],
    "okta": ["OKTA_CLIENT_TOKEN"],
    "openai": ["OPENAI_API_KEY"],
    "pagerduty": ["PAGERDUTY_TOKEN"],
    "slack": ["SLACK_BOT_TOKEN"],
    "stripe": ["STRIPE_API_KEY"],
    "twilio": ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"],
}
"""Provider → the variables of its own tools."""
OF_STAGES = {"stripe-test": ["STRIPE_API_KEY_TEST"], "openai-staging": ["STAGING_OPENAI_API_KEY"]}
OF_NOBODY = [
    "APP_COLOR",
    "DATABASE_URL",
    "DEBUG",
    "GITHUB_TOKEN_HINT",
    "LOG_LEVEL",
    "PORT",
    "REDIS_URL",
    "SMTP_HOST",
    "TZ_NAME",
]
VALUES = {
    name: secrets.token_hex(20)
    for names in (*OF_VENDORS.values(), *OF_STAGES.values(), OF_NOBODY)
    for name in names
}  # fmt: skip


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    file = tmp_path / ".env"
    file.write_text("".join(f"{name}={value}\n" for name, value in VALUES.items()))
    return tmp_path


def test_thirty_keys_become_connections_whose_values_appear_nowhere(dotenv: Path) -> None:
    assert len(VALUES) >= 30
    ended = run_here("init", "--from-env", ".env", cwd=dotenv)
    assert (ended.code, ended.err) == (0, "")
    made = yaml.safe_load((dotenv / "connections.yaml").read_text())
    assert made["stores"] == {"local": {"type": "dotenv", "path": ".env"}}
    assert set(made["connections"]) == {*OF_VENDORS, *OF_STAGES}
    for name, variables in OF_VENDORS.items():
        auth = made["connections"][name]["auth"]
        used = {text.removeprefix("local://") for text in auth.values() if str(text).startswith("local://")}
        assert used
        assert used <= {*variables}
    written = {file: file.read_text() for file in dotenv.rglob("*") if file.is_file() and file.name != ".env"}
    assert_without(VALUES.values(), ended.out, ended.err, *written.values())
    assert f"not known: {', '.join(sorted(['GITHUB_TOKEN', *OF_NOBODY]))}\n" in ended.out


def test_what_only_a_person_knows_is_asked_for_and_refused_until_it_is_there(dotenv: Path) -> None:
    ended = run_here("init", "--from-env", ".env", cwd=dotenv)
    assert "next: fill in, of datadog: region\n" in ended.out
    assert "next: fill in, of auth0: domain (AUTH0_DOMAIN has it)\n" in ended.out
    validated = run_here("validate", "--format", "json", cwd=dotenv)
    text = (dotenv / "connections.yaml").read_text().splitlines()
    places = [text[one["line"] - 1].split()[0] for one in validated.report["diagnostics"] if one["severity"] == "error"]
    assert validated.code == 1
    assert {"region:", "domain:", "site:"} <= {*places}
    assert_without(VALUES.values(), validated.out, validated.err)


def test_what_needs_nothing_more_works_with_the_keys_of_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"GH_TOKEN={secrets.token_hex()}\nANTHROPIC_API_KEY={secrets.token_hex()}\n")
    assert run_here("init", "--from-env", ".env", cwd=tmp_path).code == 0
    text = (tmp_path / "connections.yaml").read_text().replace("environment: #", "environment: github-com #")
    (tmp_path / "connections.yaml").write_text(text)
    assert run_here("validate", cwd=tmp_path).code == 0
    assert run_here("fmt", "--check", cwd=tmp_path).code == 0
    assert run_here("secrets", "check", cwd=tmp_path).code == 0
    assert run_here("check", "--simulate", cwd=tmp_path).code == 0


def test_the_environment_gives_references_to_its_variables(tmp_path: Path) -> None:
    ended = run_program(
        COMMAND, "init", "--from-env", cwd=tmp_path, env={"STRIPE_API_KEY": API_KEY, "HOME": str(tmp_path)}
    )
    assert (ended.code, ended.err) == (0, "")
    assert "stripe: STRIPE_API_KEY\n" in ended.out
    assert "not known" not in ended.out
    assert "env://STRIPE_API_KEY" in (tmp_path / "connections.yaml").read_text()


def test_the_method_is_the_one_whose_secrets_are_there(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TWILIO_API_KEY=a\nTWILIO_API_SECRET=b\nTWILIO_ACCOUNT_SID=c\n")
    run_here("init", "--from-env", ".env", cwd=tmp_path)
    made = yaml.safe_load((tmp_path / "connections.yaml").read_text())["connections"]["twilio"]
    assert made["auth"] == {"method": "api_key", "key_secret": "local://TWILIO_API_SECRET"}


def test_a_secret_that_is_not_there_is_to_be_filled_in(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DD_API_KEY=a\n")
    ended = run_here("init", "--from-env", ".env", cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert "datadog: DD_API_KEY\nnext: fill in, of datadog: region, application_key\n" in ended.out
    assert run_here("validate", cwd=tmp_path).code == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("A=1\nSTRIPE_API_KEY: canary\n", "line 2 of .env is not NAME=value"),
        ("PORT=8080\n", "no variable in .env has a name that a provider lists"),
        (None, "can't read .env: No such file or directory"),
    ],
    ids=["a line that is none", "no known name", "no file"],
)
def test_a_file_that_gives_nothing_is_told_and_writes_nothing(tmp_path: Path, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / ".env").write_text(content)
    ended = run_here("init", "--from-env", ".env", cwd=tmp_path)
    assert (ended.code, ended.out) == (64, "")
    assert words in ended.err
    assert "canary" not in ended.err
    assert not (tmp_path / "connections.yaml").exists()


def test_a_flag_about_one_connection_is_refused(tmp_path: Path) -> None:
    ended = run_here("init", "--from-env", ".env", "--provider", "github", cwd=tmp_path)
    assert ended.code == 64
    assert "leave out --provider" in ended.err
