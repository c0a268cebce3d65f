"""What another tool should have replaced is an error with that tool's name, wherever it stands; what may be meant is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from connform.engine.load.selection import Selection
from connform.engine.load.vocabulary import vocabulary
from connform.engine.validate import validate as validate_files
from connform.manifest.files import Source
from connform.manifest.tally import Tally
from connform.manifest.validate import validate

CODE = "unexpanded-placeholder"
MANIFEST = """\
version: 1
stores:
  corp: {{type: file, path: {store_path}}}
templates:
  portal: {{environment: private, instance: {instance}}}
connections:
  acme:
    extends: portal
    owner: {owner}
    description: {description}
    tls: {{ca_file: {ca_file}}}
    auth: {{method: api_key, api_key: {api_key}}}
  {name}:
    environment: sandbox
    region: {region}
    auth:
      method: oauth2
      client_id: {client_id}
      client_secret: corp://secret
      redirect_uri: {redirect_uri}
      scopes: [offline_access, {scope}]
"""
GOOD = {
    "store_path": "/run/secrets",
    "instance": "acme",
    "owner": "a@b.example",
    "description": "x",
    "ca_file": "ca.pem",
    "api_key": "vault://secret/acme#key",
    "name": "customer",
    "region": "us",
    "client_id": "portal",
    "redirect_uri": "https://h.example/cb",
    "scope": "profile",
}
FORMS = {
    "${X}": "envsubst",
    "${X:-default}": "envsubst",
    "$$X": "",
    "${{ env.X }}": "GitHub Actions",
    "$[[ inputs.x ]]": "GitLab CI",
    "$(X)": "Azure Pipelines",
    "{{ x }}": "Helm",
    "{{.Values.x}}": "Helm",
    "{% if x %}": "Jinja",
    "<%= x %>": "ERB",
    "%(x)s": "Python",
    "%{x}": "Puppet",
    "#{x}#": "Octopus",
    "((x))": "Concourse",
    "__X__": "token step",
    "__DB_PASSWORD__": "token step",
    "@X_Y@": "CMake",
    "%APPDATA%": "Windows",
    "$env:HOME_DIR": "PowerShell",
    "$HOME_DIR": "envsubst",
}


def found(**values: str) -> list[str]:
    text = MANIFEST.format_map({key: f'"{value}"' for key, value in {**GOOD, **values}.items()})
    tally = Tally()
    validate([Source("m.yaml", text.encode(), "/")], vocabulary(), tally)
    return [f"{one.code} {one.pointer} {one.detail}" for one in tally.diagnostics()]


def test_a_manifest_without_placeholders_is_right() -> None:
    assert found() == []


@pytest.mark.parametrize("form", FORMS)
def test_a_placeholder_is_named_with_the_tool_that_replaces_it(form: str) -> None:
    said = found(owner=form)
    if not FORMS[form]:
        assert said == []
        return
    assert [one.split()[:2] for one in said] == [[CODE, "/connections/acme/owner"]]
    assert FORMS[form] in said[0]


@pytest.mark.parametrize("key", [key for key in GOOD if key != "description"])
@pytest.mark.parametrize("form", ["${X}", "{{ x }}"])
def test_a_placeholder_is_one_error_wherever_it_stands(key: str, form: str) -> None:
    """Also where a value of the wrong form, a malformed URL or an unknown name would be another."""
    text = {"api_key": f"vault://secret/{form}/acme#key", "redirect_uri": f"https://{form}/cb"}.get(key, form)
    assert [one.split()[0] for one in found(**{key: text})] == [CODE]


@pytest.mark.parametrize(
    "reference",
    [
        *("file://${HOME}/s", "file://$HOME/s", "vault://secret/app-$STAGE#k", "file://%APPDATA%/key", "env://__KEY__"),
        *("env://${KEY}", "dotenv://.env#{{ name }}", "vault://secret/@STAGE@#key", "vault://((stage))/x#key"),
    ],
)
def test_a_placeholder_in_a_reference(reference: str) -> None:
    assert [one.split()[:2] for one in found(api_key=reference)] == [[CODE, "/connections/acme/auth/api_key"]]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("description", "${X} {{ x }} <%= x %> __X__ $HOME"),
        ("api_key", "env://AIRFLOW__CORE__FERNET_KEY"),
        ("api_key", "env://__X"),
        ("api_key", "keyring://svc$/user"),
        ("api_key", "file:///mnt/share$/key"),
        ("api_key", "vault://secret/$web/acme#key"),
        ("api_key", "sops://a.yaml#/$schema/$KEY"),
        ("api_key", "vault://secret/a$b/acme#$ref"),
        ("api_key", "vault://secret/{stage}#key"),
        ("api_key", "file:///run/a%20b%41B%2F"),
        ("api_key", "pass://team/a@b.example"),
        ("client_id", "a$B@c"),
        ("client_id", "{3F2504E0-4F89-11D3-9A0C-0305E82C3301}"),
        ("client_id", "portal__v2__x"),
        ("scope", "https://graph.example/.default"),
        ("owner", "Team <team@acme.example> (a)"),
        ("owner", "$5 a month"),
        ("redirect_uri", "https://h.example/cb?$top=1"),
    ],
)
def test_what_may_be_meant_is_no_placeholder(key: str, text: str) -> None:
    assert [one for one in found(**{key: text}) if one.startswith(CODE)] == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("${ACME_KEY}", "foreign-reference"),
        ("$ACME_KEY", "foreign-reference"),
        ("{{ .Values.key }}", CODE),
        ("${KEY:-hunter2}", "plaintext-secret"),
        ("{{ key | default('hunter2') }}", "plaintext-secret"),
        ("${abcdefgh0123456789abcdefgh}", "plaintext-secret"),
        ("hunter2${x}", "plaintext-secret"),
        ("pa$SWORD", "plaintext-secret"),
    ],
)
def test_in_place_of_a_reference_a_correction_or_a_secret_in_plain_comes_first(text: str, code: str) -> None:
    assert [one.split()[0] for one in found(api_key=text)] == [code]


def test_a_placeholder_concerns_its_own_connection_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = MANIFEST.format_map({key: f'"{value}"' for key, value in {**GOOD, "client_id": "${X}"}.items()})
    (tmp_path / "connections.yaml").write_text(text)
    assert [one.code for one in validate_files((), Selection(("customer",))).diagnostics] == [CODE]
    assert validate_files((), Selection(("acme",))).diagnostics == ()


def test_no_value_is_repeated() -> None:
    assert "sk_live_0123456789abcdef" not in "".join(found(owner="${sk_live_0123456789abcdef}"))
