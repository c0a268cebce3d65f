"""What `validate` says of an entry of `providers:`: each mistake once, at its place; nothing of a good one."""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connform.auth.kit.granted_token import GRANTED_TOKEN
from connform.diagnostics import CODES, Diagnostic
from connform.engine.load.declared_providers import declared
from connform.engine.load.manifest import examine
from connform.engine.load.vocabulary import vocabulary, with_own_methods
from connform.faults import FAULTS
from connform.manifest.compiled import compile_predicate
from connform.manifest.files import Source
from connform.manifest.shape import selected
from connform.manifest.tree import Tree
from connform.providers import GROUPS, catalog_entry
from connform.providers.described.rules.names import AUTH_KEYS
from tests.providers.connections import answer, connection
from tests.providers.described.mistakes import GOOD, MISTAKES, Mistake

NAME = "acme/crm"


def examined(text: str) -> tuple[Tree, tuple[Diagnostic, ...]]:
    tree, report = examine([Source("m.yaml", text.encode(), "/manifests")])
    return tree, report.diagnostics


def test_a_good_entry_is_valid() -> None:
    tree, found = examined(GOOD)
    assert found == ()
    assert tree.providers[NAME].is_valid


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_reported_once_at_its_place(mistake: Mistake) -> None:
    assert mistake.before in GOOD
    tree, found = examined(GOOD.replace(mistake.before, mistake.after, 1))
    assert [(one.code, f"{one.span.line}:{one.span.column}") for one in found] == [(mistake.code, mistake.place)]
    assert mistake.said in f"{found[0].detail} {found[0].hint}"
    assert tree.providers[NAME].is_valid == (CODES[mistake.code][0] == "warning")


def test_the_source_line_is_shown_without_the_values_of_headers() -> None:
    wrong = GOOD.replace("means: auth_denied", "means: auth_deny").replace('"Token {app_key}"', '"hunter2 {app_keyy}"')
    shown = [one.snippet.text.strip() for one in examined(wrong)[1] if one.snippet]
    assert shown == ["headers: {***: ***, ***: ***}", "- {status: [401, 403], means: auth_deny}"]


@pytest.mark.parametrize("mistake", [one for one in MISTAKES.values() if one.code == "plaintext-secret"])
def test_a_secret_in_plain_is_never_shown(mistake: Mistake) -> None:
    shown = repr(examined(GOOD.replace(mistake.before, mistake.after, 1))[1])
    assert not re.search("Kc66|ghp_|8f14|dXNl|hunter|eyJ", shown)


def test_a_connection_of_an_entry_with_mistakes_is_not_blamed() -> None:
    used = "connections: {a: {provider: acme/crm, tenant: zoo, auth: {method: key, api_key: 'env://A'}}}\n"
    assert [one.code for one in examined(GOOD.replace("auth_denied", "auth_deny") + used)[1]] == ["unknown-value"]


OWN_METHOD = "auth: {method: own, pass_key: 'env://A'}"
OWN = (
    GOOD.replace("      key:\n", "      own:\n")
    .replace("api_key: {}, ", "pass_key: {}, ")
    .replace("{api_key}", "{pass_key}")
)


@pytest.mark.parametrize(
    "used",
    [
        f"defaults: {{provider: acme/crm, {OWN_METHOD}}}\nconnections: {{a: {{environment: sandbox}}}}\n",
        f"defaults: {{{OWN_METHOD}}}\nconnections: {{a: {{provider: acme/crm, environment: sandbox}}}}\n",
        f"templates: {{t: {{{OWN_METHOD}}}}}\nconnections: {{a: {{extends: t, provider: acme/crm, environment: sandbox}}}}\n",
    ],
    ids=["defaults", "defaults without the provider", "a template without the provider"],
)
def test_the_methods_of_an_entry_may_stand_in_other_layers(used: str) -> None:
    assert examined(OWN + used)[1] == ()


@pytest.mark.parametrize(
    ("before", "line", "column"),
    [("host: sandbox.acme.example", 6, 30), ("host: us.acme.example", 10, 16)],
    ids=["of an environment", "of a region"],
)
def test_a_wrong_url_names_the_place_of_the_value_that_it_has(before: str, line: int, column: int) -> None:
    (found,) = examined(GOOD.replace(before, 'host: "https://acme.example"', 1))[1]
    (other,) = found.related
    assert (found.code, found.span.line) == ("malformed-url", 14)
    assert (other.message, other.span.line, other.span.column) == ("`host` stands here", line, column)


def test_a_variable_in_place_of_a_declared_secret_is_replaced() -> None:
    used = "connections: {a: {provider: acme/crm, environment: sandbox, auth: {method: own, pass_key: '${ACME}'}}}\n"
    (found,) = examined(OWN + used)[1]
    assert (found.code, [edit.text for edit in found.fix]) == ("foreign-reference", ["env://ACME"])


def test_a_misspelt_provider_is_one_mistake() -> None:
    used = f"connections: {{a: {{provider: acme/crn, environment: sandbox, tenant: zoo, {OWN_METHOD}}}}}\n"
    (found,) = examined(OWN + used)[1]
    assert (found.code, found.hint) == ("unknown-provider", "did you mean `acme/crm`?")
    (found,) = examined("version: 1\n" + used)[1]
    assert (found.code, found.hint) == (
        "unknown-provider",
        "declare it under `providers:`, or give the file that does with `-f`",
    )


def test_a_plain_secret_of_a_misspelt_provider_is_reported() -> None:
    used = "connections: {a: {provider: acme/crn, auth: {method: own, api_key: hunter}}}\n"
    assert [one.code for one in examined(OWN + used)[1]] == ["unknown-provider", "plaintext-secret"]


def test_the_secret_of_a_method_under_another_name_is_one_mistake() -> None:
    used = "connections: {a: {provider: acme/crm, environment: sandbox, auth: {method: key, key: 'env://A'}}}\n"
    (found,) = examined(GOOD + used)[1]
    assert (found.code, found.detail) == (
        "unknown-key",
        "`key` is not allowed in `auth`: this method's secret is `api_key`",
    )
    own = (
        GOOD.replace("secrets: {api_key: {}, ", "secrets: {access: {}, ")
        .replace("{api_key}", "{access}")
        .replace("app_key", "team")
    )
    (found,) = examined(own + used.replace("key: 'env", "api_key: 'env"))[1]
    assert found.detail == "`api_key` is not allowed in `auth`: this method's secret is `access`"


def test_the_secret_of_an_app_under_another_name_is_one_mistake() -> None:
    app = "method: oauth2, client_id: a, secret: 'env://A', client_auth: body, redirect_uri: 'https://localhost/'"
    (found,) = examined(f"version: 1\nconnections: {{a: {{environment: sandbox, region: us, auth: {{{app}}}}}}}\n")[1]
    assert found.detail == "`secret` is not allowed in `auth`: this method's secret is `client_secret`"


@pytest.mark.parametrize("name", GROUPS)
def test_the_built_in_files_have_no_mistake(name: str) -> None:
    entry = catalog_entry(name)
    assert entry is not None
    known = vocabulary().providers()
    assert compile_predicate(selected(known.shape, entry))(entry)
    assert list(known.rules(entry)) == []


def test_the_names_that_no_secret_may_have_are_those_of_oauth() -> None:
    plain = {
        key
        for key, schema in GRANTED_TOKEN.shape.properties.items()
        if not (isinstance(schema, dict) and "x-secret" in schema)
    }
    assert plain | {"method"} == AUTH_KEYS


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("https://{host}/v1", "http://localhost:8080/{host}"),
        ("{origin}/keys", "https://acme.example/settings?tab=api#keys"),
        ("      private:", "      own: {own_root: only, login: login.acme.example}\n      private:"),
        ('{pattern: "[a-z]+", examples: [zoo]}', "{values: [zoo, park]}"),
        ('{pattern: "[a-z]+", examples: [zoo]}', "{pattern: '[(?=a)]+[a-z]', kind: host}"),
        ('{pattern: "[a-z]+", examples: [zoo]}', "{pattern: '[a-z.]+', kind: host, examples: [crm.zoo]}"),
        ("{method: GET, path: /me}", "{method: POST, path: /search, json: {query: '{ viewer { id } }'}}"),
        ("body: {type: object, required: [id]}", "text: pong"),
        ("      - {status: [401], code: expired", "      - {status: [401], header: {Server: a}, means: auth_denied}\n      - {status: [401], code: expired"),
        ("means: auth_denied}", "means: auth_denied, header: {WWW-Authenticate: '{error}'}}"),
        ('"Token {app_key}"}', '"Token token={app_key}", Accept: application/vnd.pagerduty+json;version=2, X-GitHub-Api-Version: 2022-11-28, User-Agent: "AcmeHTTPClientForPython3/1.0 (Mozilla; x86_64) api@acme.example"}'),
        ("path: /me}", "path: '/me?version=2026-07-01&fields=accountIdentifierV2,ownerDisplayName'}"),
        ("https://{login}/token", "https://{login}/72f988bf-86f1-41af-91ab-2d7cd011db47/oauth2/v2.0/token"),
        ("body: {type: object, required: [id]}", "body: {type: array}"),
        ("body: {type: object, required: [id]}", "body: {const: {status: ok}}"),
        ("body: {type: object, required: [id]}", "body: {enum: [pong]}"),
        ("host: sandbox.acme.example", "host: acmeproduction2026eu.execute-api.us-east-1.acme.example"),
    ],
    ids=["http on this machine", "a page with a fragment", "a root that connections give", "a list", "brackets", "a setting of several labels", "braces of another language", "a text as proof", "a narrower row first", "braces in a header", "versions and media types", "a query", "a UUID in a URL", "a list as proof", "a value as proof", "one of several values as proof", "a long host name"],
)  # fmt: skip
def test_what_looks_alike_is_no_mistake(before: str, after: str) -> None:
    assert before in GOOD
    assert examined(GOOD.replace(before, after, 1))[1] == ()


ROWS = "".join(f"          r{number}: {{host: r{number}.acme.example}}\n" for number in range(60))
HOSTILE = {
    "patterns that backtrack": ('"[a-z_]+"', "'(a|a)*b'", 1),
    "many large patterns": ("code: expired", "code: '(?:.{99}){50}'", 2_000),
    "patterns that are too large": ("code: expired", "code: '(?:.{99}){99}'", 2_000),
    "URLs of many regions": (
        GOOD[GOOD.index("      sandbox:") : GOOD.index("    settings:")],
        f"      p:\n        login: login.acme.example\n        regions:\n{ROWS}      private: {{host: '{{tenant}}.x', login: a.b, own_root: besides}}\n",
        400,
    ),
    "unknown names": ("{origin}/keys", "{origin}" + "".join(f"/{{a{number}}}" for number in range(100)), 1_000),
    "nested bodies": ("{type: object, required: [id]}", "{items: " * 50 + "{type: object}" + "}" * 50, 1_000),
}


@pytest.mark.parametrize(("before", "after", "entries"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_entries_are_judged_in_bounded_time(before: str, after: str, entries: int) -> None:
    assert before in GOOD
    body = GOOD.replace(before, after).removeprefix("version: 1\nproviders:\n")
    text = "version: 1\nproviders:\n" + "".join(body.replace(NAME, f"acme/c{number}") for number in range(entries))
    start = time.process_time()
    examined(text)
    assert time.process_time() - start < 2 + 2 * len(text) / 1e6


def _paths(node: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, part in parts:
        yield (*here, key)
        yield from _paths(part, (*here, key))


ENTRY: Any = json.loads(json.dumps(examined(GOOD)[0].providers[NAME].node))
_TEXTS = st.sampled_from(
    ["", "{host}", "{", "}", "https://{host}/{tenant}", "a", "{origin}", "(", "ready", "auth_denied", "POST", "only", "/search", ".+"]
)  # fmt: skip
_KEYS = st.sampled_from(
    ["type", "pattern", "host", "key", "means", "status", "regions", "own_root", "body", "items", "a"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 600) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=6,
)
_CHANGES = st.lists(st.tuples(st.sampled_from(list(_paths(ENTRY))), _VALUES), min_size=1, max_size=3)


def _changed(entry: Any, path: tuple[Any, ...], value: Any) -> None:
    for key in path[:-1]:
        if not isinstance(entry, dict | list) or (
            isinstance(entry, list) and not (isinstance(key, int) and key < len(entry))
        ):
            return
        entry = entry.get(key) if isinstance(entry, dict) else entry[key]
    if isinstance(entry, dict) or (isinstance(entry, list) and isinstance(path[-1], int) and path[-1] < len(entry)):
        entry[path[-1]] = value


@settings(max_examples=300, deadline=None)
@given(changes=_CHANGES)
def test_no_entry_makes_validate_fail_and_a_valid_one_can_be_used(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    entry = copy.deepcopy(ENTRY)
    for path, value in changes:
        _changed(entry, path, value)
    tree, found = examined(json.dumps({"version": 1, "providers": {NAME: entry}}))
    is_valid = not any(one.severity == "error" for one in found)
    assert tree.providers[NAME].is_valid == is_valid
    if is_valid:
        used = declared(NAME, tree.providers[NAME].node)
        assert with_own_methods(used, vocabulary().connection.properties["auth"]).description  # type: ignore[arg-type]  # a Shape
        for status in (200, 401, 500):
            assert used.judge(connection(NAME), answer(status, {"id": 1})).fault in {"", *FAULTS}
