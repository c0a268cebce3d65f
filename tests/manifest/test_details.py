"""The detail of a diagnostic: what it says where the code alone doesn't tell one mistake from another."""

from __future__ import annotations

from typing import Any

import pytest

from connform.diagnostics import MASK, Severity, Span
from connform.engine.load.manifest import examine
from connform.engine.load.vocabulary import vocabulary
from connform.manifest.explain import explain
from connform.manifest.files import Source
from connform.manifest.tally import Tally
from connform.manifest.validate import validate
from connform.manifest.violations import compile_finder

CONNECTION = "  a:\n    environment: sandbox\n    region: us\n    auth: {method: api_key, api_key: env://KEY}\n"
FREE = "{provider: http, base_url: 'https://a.example', check: {path: /me, expect: {text: me}}, auth: {method: bearer, token: live://K}}"
NO_STORE = "no store opens another: name a built-in backend, such as env:// or file://"

A_TAG = "a tag starts with a letter or a digit, and goes on with letters, digits, `.`, `_`, `:`, `/` or `-`"


def details(text: str) -> list[str]:
    return [one.detail for one in examine([Source("x.yaml", text.encode(), "")])[1].diagnostics]


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("tags: a", "a list (`[a, b]`) belongs here"),
        ("tags: '- a'", "a list (`[a, b]`) belongs here; in lines of its own, each item begins with `- `"),
        ("tags: “a", "the quotes around it are typographic ones, which YAML takes for letters: write `\"` or `'`"),
        ("tags: a”", "the quotes around it are typographic ones, which YAML takes for letters: write `\"` or `'`"),
        ("tags: [a b]", A_TAG),
        ("tags:\n      - a - b", f"{A_TAG}; perhaps an item below (`- `) is indented too far"),
        ("owner:", "nothing stands here; `owner` is a text"),
        ("owner: ''", "the text is empty"),
        ("timeouts: {read_s: 0}", "more than 0 is needed"),
        ("timeouts: {read_s: 3601}", "at most 3600 is allowed"),
        ("timeouts: {retry_after_max_s: 86401}", "at most 86400 is allowed"),
        ("total_s: 1", "`total_s` belongs below `timeouts:`: not allowed here"),
        ("total_s: 1\n    read_s: 1", "`total_s`, `read_s` belong below `timeouts:`: not allowed here"),
        ("instance: x", "`instance` belongs to `environment: private` or another `provider`: not allowed here"),
        ("base_url: x", "`base_url` belongs to `environment: private` or another `provider`: not allowed here"),
    ],
)
def test_of_a_key_and_its_value(line: str, detail: str) -> None:
    assert details(f"version: 1\nconnections:\n{CONNECTION}    {line}\n") == [detail]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version: 2\nconnections: {}\n", ["this connform reads version 1: write `version: 1`"]),
        (f"version: 1\nmoved: {{b: 7}}\nconnections:\n{CONNECTION}", ["a text belongs here"]),
        (
            f"version: 1\nconnections:\n  b:\n  region: us\n{CONNECTION}  owner: x\n",
            [
                "`region` belongs below `b:`, not beside it: indent it, and what belongs to it",
                "a mapping (`key: value` lines) belongs here",
            ],
        ),
        (
            f"version: 1\nconnections:\n{CONNECTION}    owner: x  # connform: ignore[unused-template]\n",
            ["nothing on this line is `unused-template`: remove it"],
        ),
        (
            f"version: 1\nmoved: {{b: t}}\ntemplates:\n  t: {{owner: x}}\nconnections:\n{CONNECTION}    extends: t\n",
            ["no connection of this run is named `t`: correct the name, or name its file as well"],
        ),
        (
            f"version: 1\nmoved: {{b: c, c: b}}\nconnections:\n{CONNECTION}",
            ["the renames lead in a circle: `b` → `c` → `b`"],
        ),
        (
            f"version: 1\ntemplates:\n  c: {{extends: a}}\n  a: {{extends: b}}\n  b: {{extends: c}}\nconnections:\n{CONNECTION}    extends: a\n",
            ["the templates extend each other in a circle: c → a → b → c"],
        ),
        (
            f"version:\nfoo: 1\nconnections:\n{CONNECTION}",
            [
                "this connform reads version 1: write `version: 1`",
                "`foo` is not allowed in this entry; allowed: `version`, `providers`, `stores`, `defaults`, `templates`, `connections`, `moved`",
            ],
        ),
        (
            f"version: 1\nstores:\n  live: {{type: file, path: /run/x, environment: production}}\nconnections:\n  a: {FREE}\n",
            ["the store `live` holds secrets of the production environment; this connection has no environment"],
        ),
    ],
    ids=[
        *("the version", "a new name", "two keys on the wrong level, another entry between them", "an ignore"),
        *("a rename to a template", "renames in a circle", "a circle of three templates"),
        *("an unknown key below an empty one", "a store for another environment"),
    ],
)
def test_of_a_document(text: str, said: list[str]) -> None:
    assert details(text) == said


def test_a_missing_key_is_described() -> None:
    connection = "{provider: http, environment: sandbox, base_url: 'https://a.example', auth: {method: api_key, api_key: env://KEY}}"
    assert details(f"version: 1\nconnections:\n  a: {connection}\n") == [
        "this entry needs `check`: a read-only request that only a valid credential can make"
    ]


@pytest.mark.parametrize(
    ("token", "detail"),
    [
        ("two://token", NO_STORE),
        ("nosuch://token", "neither a built-in backend nor a store of this run; known: "),
        ("env://not-a-name", "a variable's name has"),
    ],
)
def test_of_a_reference_in_the_settings_of_a_store(token: str, detail: str) -> None:
    one = f"{{type: vault, address: 'https://vault.example', auth: {{method: token, token: '{token}'}}}}"
    found = details(
        f"version: 1\nstores:\n  one: {one}\n  two: {{type: file, path: /run/x}}\nconnections:\n{CONNECTION}"
    )
    assert [one[: len(detail)] for one in found] == [detail]


@pytest.mark.parametrize(("path", "shown"), [("acme/key", "acme/key"), ("Big-PASS", MASK)])
def test_what_a_backend_says_shows_a_path_only_if_it_is_plain(path: str, shown: str) -> None:
    tally = Tally()
    known = vocabulary()._replace(lint=lambda reference, *_: f"`{reference.path}` is wrong")
    text = f"version: 1\nconnections:\n{CONNECTION.replace('env://KEY', f'env://{path}')}"
    validate([Source("x.yaml", text.encode(), "")], known, tally)
    assert [one.detail for one in tally.diagnostics()] == [f"`{shown}` is wrong"]


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"minLength": 1, "errorMessage": "wrong"}, "", ("malformed-value", "the text is empty")),
        ({"minLength": 2}, "a", ("malformed-value", "at least 2 characters are needed")),
        ({"maxLength": 2}, "abc", ("malformed-value", "at most 2 characters are allowed")),
        ({"pattern": "^a"}, "b", ("malformed-value", "the value has a wrong form")),
        ({"pattern": "^a", "errorMessage": "wrong", "x-code": "bad-name"}, "b", ("bad-name", "wrong")),
        ({"minItems": 1}, [], ("out-of-range", "at least 1 item is needed")),
        ({"minItems": 2}, [1], ("out-of-range", "at least 2 items are needed")),
        ({"maxItems": 2}, [1, 2, 3], ("out-of-range", "at most 2 items are allowed")),
        ({"minProperties": 1}, {}, ("out-of-range", "at least 1 entry is needed")),
        ({"minProperties": 2}, {"a": 1}, ("out-of-range", "at least 2 entries are needed")),
        ({"maxProperties": 1}, {"a": 1, "b": 2}, ("out-of-range", "at most 1 entry is allowed")),
        ({"minimum": 2}, 1, ("out-of-range", "at least 2 is needed")),
        ({"type": ["integer", "null"]}, "1", ("wrong-type", "a whole number belongs here")),
        (
            {"properties": {"a": {"properties": {"b": {"required": ["c"]}}}}},
            {"a": {"b": {}}},
            ("missing-key", "`b` needs `c`"),
        ),
        (
            {"type": "string", "pattern": "^x", "x-secret": True},
            "b",
            ("plaintext-secret", "a reference such as `env://NAME` belongs here"),
        ),
        ({"not": {}}, 1, ("malformed-value", "the value has a wrong form")),
    ],
    ids=str,
)
def test_of_a_keyword_of_the_schema(schema: dict[str, Any], value: object, said: tuple[str, str]) -> None:
    assert [(one.code, one.detail) for one in explain(compile_finder(schema), value, {}, 1)] == [said]


def test_only_so_many_findings_get_a_suggestion() -> None:
    find = compile_finder({"items": {"enum": ["red", "green"]}})
    assert [one.hint for one in explain(find, ["rd", "rad", "gren"], {}, 2)] == ["did you mean `red`?"] * 2 + [""]


@pytest.mark.parametrize(
    ("number", "what"), [(1, "1 more error of this file is"), (2, "2 more errors of this file are")]
)
def test_of_what_is_not_listed(number: int, what: str) -> None:
    tally = Tally()
    tally.count(Severity.ERROR, Span("x.yaml", 1, 1, 1, 2), number)
    (one,) = tally.diagnostics()
    assert one.detail == f"{what} counted, not listed: mend those that are, and run again"
