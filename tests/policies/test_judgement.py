"""What policies are given to judge, and what is said of what they refuse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connform.cli.main import main
from connform.diagnostics import Diagnostic
from connform.engine.load.catalog import DEFAULT_PROVIDER, references_of
from connform.engine.load.environment_class import environment_class
from connform.engine.load.manifest import examine, read_manifest
from connform.engine.load.scopes import requested_scopes
from connform.engine.load.selection import EVERYTHING, Selection
from connform.engine.load.vocabulary import vocabulary
from connform.engine.validate import validate
from connform.manifest.files import Source
from connform.policies.facts import FactFinder, declared_path
from tests.canary import API_KEY
from tests.conftest import Plant

EXAMPLES = Path(__file__).parents[2] / "examples" / "policies"
MANIFEST = """\
version: 1
stores:
  mounted: {type: file, path: /run/secrets}
defaults:
  owner: platform@acme.example
templates:
  portal:
    environment: production
    auth:
      method: oauth2
      client_id: acme
      client_secret: mounted://iinked#secret
      redirect_uri: https://localhost/
connections:
  customer:
    extends: portal
    region: eu
    tags: [ci, eu]
    timeouts: {total_s: 20}
  other:
    provider: http
    class: test
    base_url: https://api.acme.example
    check: {path: /me, expect: {body: {required: [id]}}}
    auth: {method: api_key, api_key: "ref+env://ACME_KEY"}
"""


def facts(name: str, text: str = MANIFEST) -> dict[str, Any]:
    tree, report = examine([Source("m.yaml", text.encode(), "/base")])
    assert report.diagnostics == ()
    of_run = (references_of, requested_scopes, environment_class)
    finder = FactFinder(vocabulary().connection, DEFAULT_PROVIDER, *of_run, tree.stores)
    return finder.facts(tree.connections[name])


def test_the_facts_are_the_effective_values_and_what_connform_adds() -> None:
    assert facts("customer") == {
        "name": "customer",
        "class": "production",
        "provider": "iinked-sign",
        "environment": "production",
        "region": "eu",
        "owner": "platform@acme.example",
        "tags": ["ci", "eu"],
        "timeouts": {"connect_s": 5.0, "read_s": 30.0, "total_s": 20, "retry_after_max_s": 60.0},
        "auth": {
            "method": "oauth2",
            "client_id": "acme",
            "client_secret": "mounted://iinked#secret",
            "redirect_uri": "https://localhost/",
            "scopes": ["profile", "offline_access", "organization"],
            "client_auth": "basic",
        },
        "secrets": {
            "client_secret": {
                "backend": "file",
                "store": "mounted",
                "path": "iinked",
                "field": "secret",
            }
        },
    }


def test_where_the_password_of_a_proxy_lies_is_a_fact() -> None:
    proxy = "{url: 'http://proxy:3128', username: ci, password: env://PROXY_PASSWORD}"
    manifest = MANIFEST.replace("    region: eu\n", f"    region: eu\n    proxy: {proxy}\n")
    assert facts("customer", manifest)["secrets"]["proxy.password"] == {"backend": "env", "path": "PROXY_PASSWORD"}
    path = ("secrets", "proxy.password", "backend")
    assert declared_path(path, {}) == ("proxy", "password")


def test_defaults_are_those_of_the_provider() -> None:
    other = facts("other")
    expect = {"status": 200, "body": {"required": ["id"]}}
    assert other["check"] == {"path": "/me", "method": "GET", "expect": expect}
    assert other["api_key_header"] == "X-Api-Key"
    assert other["secrets"] == {"api_key": {"backend": "env", "path": "ACME_KEY"}}
    assert other["tags"] == []
    unexpected = "{path: /me} # connform: ignore[nothing-expected]"
    other = facts("other", MANIFEST.replace("{path: /me, expect: {body: {required: [id]}}}", unexpected))
    assert other["check"] == {"path": "/me", "method": "GET", "expect_status": 200}


SAYS = {
    "const": ({"properties": {"region": {"const": "us"}}}, "17:13 `region` must be `us`"),
    "enum": ({"properties": {"region": {"enum": ["us", "ca"]}}}, "17:13 `region` must be `us` or `ca`"),
    "not-const": ({"properties": {"region": {"not": {"const": "eu"}}}}, "17:13 `region` must not be `eu`"),
    "not-enum": ({"properties": {"region": {"not": {"enum": ["eu", 1]}}}}, "17:13 `region` must not be `eu` or `1`"),
    "not": ({"not": {"required": ["region"]}}, "15:3 the connection is what the policy forbids"),
    "pattern": ({"properties": {"name": {"pattern": "^x"}}}, "15:3 `name` does not satisfy `pattern: ^x`"),
    "maximum": (
        {"properties": {"timeouts": {"properties": {"total_s": {"maximum": 10}}}}},
        "19:25 `timeouts.total_s` does not satisfy `maximum: 10`",
    ),
    "default-refused": (
        {"properties": {"timeouts": {"properties": {"read_s": {"maximum": 10}}}}},
        "19:5 `timeouts.read_s` does not satisfy `maximum: 10`",
    ),
    "class": ({"properties": {"class": {"const": "test"}}}, "8:18 `class` must be `test`"),
    "default-of-what-is-not-there": ({"properties": {"provider": {"const": "http"}}}, "15:3 `provider` must be `http`"),
    "required": ({"required": ["owner", "tls", "proxy"]}, "15:3 `tls` is missing; `proxy` is missing"),
    "required-of-a-secret": (
        {"properties": {"secrets": {"additionalProperties": {"required": ["tenant"]}}}},
        "12:22 `secrets.client_secret.tenant` is missing",
    ),
    "required-secret": ({"properties": {"secrets": {"required": ["token"]}}}, "9:5 `secrets.token` is missing"),
    "item": ({"properties": {"tags": {"items": {"maxLength": 2}}}}, ""),
    "second-item": (
        {"properties": {"tags": {"items": {"const": "ci"}}}},
        "18:16 `tags.1` must be `ci`",
    ),
    "contains-const": ({"properties": {"tags": {"contains": {"const": "x"}}}}, "18:5 `tags` must contain `x`"),
    "contains": (
        {"properties": {"tags": {"contains": {"pattern": "x"}}}},
        "18:5 `tags` lacks an item that the policy demands",
    ),
    "key-forbidden": ({"properties": {"region": False}}, "17:5 `region` is not allowed"),
    "further-keys": (
        {
            "properties": {
                "timeouts": {
                    "properties": {"read_s": {}, "connect_s": {}, "retry_after_max_s": {}},
                    "additionalProperties": False,
                }
            }
        },
        "19:16 `timeouts.total_s` is not allowed",
    ),
    "keys-named-otherwise": (
        {"properties": {"auth": {"propertyNames": {"maxLength": 12}}}},
        "12:7 `auth.client_secret` is no allowed key",
    ),
    "unevaluated": (
        {"properties": {"timeouts": {"allOf": [{"properties": {"read_s": {}}}], "unevaluatedProperties": False}}},
        "19:5 `timeouts` has a key that is not allowed",
    ),
    "alternatives-at-one-place": (
        {"properties": {"region": {"anyOf": [{"const": "us"}, {"pattern": "^c"}]}}},
        "17:13 `region` must be `us`, or `region` does not satisfy `pattern: ^c`",
    ),
    "alternatives-at-several": (
        {"anyOf": [{"properties": {"region": {"const": "us"}}, "required": ["tls"]}, {"required": ["proxy"]}]},
        "15:3 `region` must be `us` and `tls` is missing, or `proxy` is missing",
    ),
    "alternatives-that-all-hold": (
        {"oneOf": [{"required": ["name"]}, {"required": ["region"]}]},
        "15:3 the connection satisfies more than one of the alternatives",
    ),
    "two-places": (
        {"properties": {"environment": {"const": "sandbox"}, "region": {"const": "us"}}},
        "8:18 `environment` must be `sandbox` | 17:13 `region` must be `us`",
    ),
    "nothing-is-allowed": (False, "15:3 the connection is not allowed"),
    "dependent": (
        {"dependentRequired": {"region": ["tls"]}},
        "15:3 the connection does not satisfy `dependentRequired`",
    ),
    "library-only": (
        {"properties": {"timeouts": {"properties": {"total_s": {"multipleOf": 7}}}}},
        "19:25 `timeouts.total_s` does not satisfy `multipleOf: 7`",
    ),
}


@pytest.mark.parametrize("name", SAYS)
def test_a_refusal_names_key_and_demand_at_the_place_of_the_value(name: str, tmp_path: Path) -> None:
    schema, expected = SAYS[name]
    found = judged(tmp_path, MANIFEST, {"a": {"message": "m", "schema": schema}}, Selection(("customer",)))
    assert " | ".join(f"{one.span.line}:{one.span.column} {one.detail}" for one in found) == expected
    assert {(one.code, one.summary, one.severity, one.connection) for one in found} <= {("a", "m", "error", "customer")}


def judged(
    folder: Path, manifest: str, policies: dict[str, Any], selection: Selection = EVERYTHING
) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of a manifest under policies."""
    (folder / "m.yaml").write_text(manifest)
    (folder / "p.yaml").write_text(json.dumps({"version": 1, "policies": policies}))
    return validate([str(folder / "m.yaml")], selection, [str(folder / "p.yaml")]).diagnostics


DECLARED = """\
version: 1
providers:
  acme/desk:
    title: Acme Desk
    environments: {trial: {class: test, host: trial.acme.example}, dev: {host: acme.example}}
    root: https://{host}
    auth: {key: {use: a service, secrets: {key: {}}, headers: {X-Key: "{key}"}}}
    check: {method: GET, path: /me}
    answers: [{status: [200], means: ready, body: {type: object, required: [id]}}]
    sources: [{url: https://docs.acme.example, read: "2026-11-29"}]
connections:
  trial: {provider: acme/desk, environment: trial, auth: {method: key, key: "env://A"}}
  live: {provider: acme/desk, environment: dev, auth: {method: key, key: "env://A"}}
"""


def test_a_declared_provider_says_the_class(tmp_path: Path) -> None:
    (one,) = judged(tmp_path, DECLARED, {"a": {"message": "m", "schema": {"properties": {"class": {"const": "test"}}}}})
    assert (one.connection, one.span.line, one.span.column) == ("live", 13, 44)


def test_pointer_and_second_places(tmp_path: Path) -> None:
    schema = {"properties": {"secrets": {"additionalProperties": {"properties": {"backend": {"const": "vault"}}}}}}
    (one,) = judged(tmp_path, MANIFEST, {"a": {"message": "m", "schema": schema}}, Selection(("customer",)))
    assert one.pointer == "/connections/customer/auth/client_secret"
    assert [(other.message, other.span.line) for other in one.related] == [
        ("inherited from template portal by connection customer", 15),
        ("the policy stands here", 1),
    ]


def test_a_warning_changes_no_exit_code_and_can_be_ignored(tmp_path: Path) -> None:
    policy = {"a": {"message": "m", "severity": "warning", "schema": {"properties": {"region": {"const": "us"}}}}}
    (one,) = judged(tmp_path, MANIFEST, policy)
    assert one.severity == "warning"
    assert validate([str(tmp_path / "m.yaml")], policies=[str(tmp_path / "p.yaml")]).exit_code == 0
    ignoring = MANIFEST.replace("    region: eu\n", "    region: eu # connform: ignore[a]\n")
    assert judged(tmp_path, ignoring, policy) == ()
    policy["a"]["severity"] = "error"
    assert [one.code for one in judged(tmp_path, ignoring, policy)] == ["a", "unused-ignore"]


def test_a_connection_with_errors_is_not_judged_its_neighbours_are(tmp_path: Path) -> None:
    manifest = MANIFEST + '  wrong: {environment: sandbox, region: mars, auth: {method: api_key, api_key: "env://K"}}\n'
    found = judged(tmp_path, manifest, {"a": {"message": "m", "schema": {"required": ["tls"]}}})
    assert [(one.code, one.connection) for one in found] == [
        ("a", "customer"),
        ("a", "other"),
        ("unknown-region", "wrong"),
    ]


@pytest.mark.parametrize(
    ("reference", "codes"),
    [("env://1", ["malformed-reference"]), ("file://../../key", ["a", "outside-repository"])],
    ids=["an error that no schema finds", "a warning"],
)
def test_only_an_error_keeps_a_connection_from_being_judged(tmp_path: Path, reference: str, codes: list[str]) -> None:
    (tmp_path / ".git").mkdir()
    manifest = f"version: 1\nconnections:\n  one: {{environment: sandbox, region: us, auth: {{method: api_key, api_key: '{reference}'}}}}\n"
    found = judged(tmp_path, manifest, {"a": {"message": "m", "schema": {"required": ["tls"]}}})
    assert [one.code for one in found] == codes


def test_what_a_connection_inherits_is_found_whichever_connection_is_selected(tmp_path: Path) -> None:
    manifest = (
        MANIFEST + "  last: {extends: portal, region: us}\n  own: {extends: portal, environment: sandbox, region: us}\n"
    )
    policies = {"a": {"message": "m", "schema": {"properties": {"environment": {"not": {"const": "production"}}}}}}
    found = {
        name: [one.code for one in judged(tmp_path, manifest, policies, Selection((name,)))]
        for name in ("customer", "last", "own", "other")
    }
    assert found == {"customer": ["a"], "last": ["a"], "own": [], "other": []}


def test_a_value_that_ten_thousand_inherit_is_one_diagnostic(tmp_path: Path) -> None:
    manifest = MANIFEST + "".join(f"  c-{number}: {{extends: portal, region: eu}}\n" for number in range(9_999))
    policies = {"a": {"message": "m", "schema": {"properties": {"environment": {"enum": ["sandbox", "private"]}}}}}
    (one,) = judged(tmp_path, manifest, policies)
    assert (one.span.line, one.connection) == (8, "customer")
    assert one.detail == "`environment` must be `sandbox` or `private` (10000 connections inherit this)"


@pytest.mark.parametrize("verb", ["validate", "list", "check", "apply"])
def test_every_verb_that_validates_refuses(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is resolved: the variable that the reference names is unset, which would be 5."""
    (tmp_path / "connections.yaml").write_text(MANIFEST)
    monkeypatch.chdir(tmp_path)
    policy = str(EXAMPLES / "production-reads-from-a-vault.yaml")
    assert main([verb, "--policy", policy, "-c", "customer"]) == 1
    assert "connections.yaml:12:22: error[production-reads-from-a-vault]" in capsys.readouterr().out
    assert main(["request", "--policy", policy, "other", "GET", "/me"]) == 1
    assert "error[production-reads-from-a-vault]" in capsys.readouterr().err


def test_a_selection_is_refused_for_its_own_breaches_only(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(MANIFEST)
    policies = [str(EXAMPLES / "production-reads-from-a-vault.yaml")]
    manifest, report = read_manifest([str(tmp_path / "m.yaml")], Selection(("other",)), policies)
    assert manifest is not None
    assert (list(manifest), report.diagnostics, report.connection_count) == (["other"], (), 1)


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_output_shows_a_value(form: str, plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    """Each keyword refuses the value itself; whoever pastes a key where it doesn't belong isn't quoted."""
    manifest = plant("m.yaml", MANIFEST.replace("region: eu", f"region: eu\n    description: {API_KEY}"))
    schemas = [{"const": 1}, {"enum": [1]}, {"not": {}}, {"pattern": "^x"}, {"maxLength": 1}, {"type": "number"}, False]
    schemas += [{"anyOf": [{"const": 1}, {"const": 2}]}]
    policies = {
        f"p{number}": {"message": "m", "schema": {"properties": {"description": schema}}}
        for number, schema in enumerate(schemas)
    }
    policy = plant("p.yaml", json.dumps({"version": 1, "policies": policies}))
    assert main(["validate", "-v", "-f", str(manifest), "--policy", str(policy), "--format", form]) == 1
    out = capsys.readouterr().out
    assert all(f"p{number}" in out for number in range(len(schemas)))


def test_a_run_without_policies_imports_none_of_it(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(MANIFEST)
    command = [sys.executable, "-X", "importtime", "-m", "connform", "validate"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    plain, ruled = (
        subprocess.run(
            [*command, *more], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        ).stderr
        for more in ([], ["--policy", str(EXAMPLES / "every-connection-has-an-owner.yaml")])
    )
    assert "connform.policies" not in plain
    assert "connform.policies" in ruled
    assert "subprocess" not in plain
