"""The key `allow`: which requests a rule allows, which texts are rules, and where a wrong one is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from connform.engine.changes.specification import differences, is_harmless
from connform.engine.validate import validate
from connform.manifest.allow import AllowRule, AllowTable, BadRule
from connform.manifest.request_path import BadPath, normalize

RULES = ("GET /packages/*", "POST /packages/list", "GET /files/**", "PUT /a/**/b/*", "GET /caf%c3%a9", "DELETE /")
ALLOWED = (
    *("GET /packages/7", "HEAD /packages/7", "GET /packages/a%20b", "POST /packages/list", "GET /files/a", "GET /files/a/b/"),
    *("PUT /a/x/b/1", "PUT /a/x/y/b/1", "GET /caf%C3%A9", "DELETE /", "GET /files/a%2Fb", "GET /packages/7;v=1"),
)  # fmt: skip
REFUSED = (
    *("GET /packages", "GET /packages/", "GET /packages/7/", "GET /packages/7/8", "GET /Packages/7", "get /packages/7"),
    *("POST /packages/7", "HEAD /packages", "PUT /packages/list", "HEAD /a/x/b/1", "OPTIONS /packages/7", "POST /packages/list/"),
    *("GET /files", "GET /files/", "PUT /a/b/1", "PUT /a/x/b", "GET /packages%2F7", "GET /packages/7%2F8", "GET /files;/x"),
    *("GET /packages;x/7", "GET /packages/%3Fx", "GET /packages/;x", "GET /x/packages/7"),
)  # fmt: skip
NO_RULES = {
    "GET": "a method, a space and a path",
    "GET/packages": "a method, a space and a path",
    "get /packages": "upper case",
    "* /packages": "upper case",
    "TRACE /packages": "upper case",
    "GET packages": "start with `/`",
    "GET  /packages": "start with `/`",
    "GET /a /b": "no other space",
    "GET /packages?take=1": "queries",
    "GET /packages#x": "queries",
    "GET /packages/pkg-*": "one whole segment",
    "GET /packages/***": "one whole segment",
    "GET /a/**/b/**/c/**": "2 times",
    "GET /packages/../x": "segment of dots",
    "GET /packages/%2e%2e/x": "segment of dots",
    "GET /packages//x": "empty segment",
    "GET /packages/%zz": "two hexadecimal digits",
    "GET /packages/a%2fb": "several ways",
    "GET /packages/a;b": "several ways",
    "GET /packages/\\x": "backslash",
}
NORMAL = {
    "/a/%41%2d%7e": "/a/A-~",
    "/a/%c3%a9": "/a/%C3%A9",
    "/a/<b>": "/a/%3Cb%3E",
    "/a/b%2fc": "/a/b%2Fc",
    "/a/100%25": "/a/100%25",
    "/": "/",
    "/a/": "/a/",
}
NO_PATHS = (
    *("/a/..", "/./a", "/a/%2E%2e/b", "/a/..%2fb", "/a/.%20/b", "/a//b", "//a", "/a/..;x/b", "/a\\b", "/a%5cb", "/a%00", "/a%7f"),
    *("/a/%252e%252e", "/a/%c0%ae%c0%ae/b", "/a/%ef%bc%8fb", "/a/%e2%80%a4%e2%80%a4/b", "/a/%", "/a/%1", "/a/\xe9", f"/{'a' * 4096}"),
)  # fmt: skip


@pytest.mark.parametrize("asked", ALLOWED)
def test_what_a_rule_says_is_allowed(asked: str) -> None:
    assert AllowTable(RULES).allows(*asked.split(" ", 1))


@pytest.mark.parametrize("asked", REFUSED)
def test_what_no_rule_says_is_refused(asked: str) -> None:
    assert not AllowTable(RULES).allows(*asked.split(" ", 1))


@pytest.mark.parametrize("text", NO_RULES)
def test_a_text_that_is_no_rule_is_refused_with_its_reason(text: str) -> None:
    with pytest.raises(BadRule, match=NO_RULES[text]):
        AllowRule.parse(text)


@pytest.mark.parametrize("path", NORMAL)
def test_a_path_has_one_normal_form(path: str) -> None:
    assert normalize(path) == NORMAL[path]
    assert normalize(NORMAL[path]) == NORMAL[path]


@pytest.mark.parametrize("path", NO_PATHS)
def test_a_path_that_servers_read_differently_is_refused(path: str) -> None:
    with pytest.raises(BadPath):
        normalize(path)


def test_a_wrong_rule_is_reported_where_it_stands_also_in_a_template(tmp_path: Path) -> None:
    file = tmp_path / "connections.yaml"
    file.write_text("""\
version: 1
templates:
  reader:
    allow:
      - GET /packages/*
      - GET /packages/pkg-*
connections:
  one:
    extends: reader
    environment: sandbox
    region: us
    auth: {method: api_key, api_key: env://KEY}
  two:
    extends: reader
    allow: [post /x]
    environment: sandbox
    region: us
    auth: {method: api_key, api_key: env://KEY}
""")
    report = validate([str(file)])
    found = [(one.span.line, one.span.column, one.code) for one in report.diagnostics]
    assert found == [(6, 9, "malformed-value"), (15, 13, "malformed-value")]


def test_a_wider_allow_is_a_change_that_counts_and_another_order_is_none() -> None:
    settings = {"environment": "sandbox", "region": "us", "auth": {"method": "api_key", "api_key": "env://KEY"}}
    narrow, other, wide = (
        {"settings": {**settings, "allow": rules}, "base_url": "https://api.example.test", "stores": {}}
        for rules in (["GET /a", "GET /b"], ["GET /b", "GET /a"], ["GET /**"])
    )
    everything = {**narrow, "settings": settings}
    assert differences(narrow, other) == ()
    for widened in (wide, everything):
        found = [change.pointer for change in differences(narrow, widened)]
        assert found == ["/allow"]
        assert not is_harmless(found)
