"""The check of the provider `http`: its keys, and what is wrong with them.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.manifest.rules import Finding
from connform.manifest.shape import Schema, Shape
from connform.providers.body_schema import BODY_SCHEMA, matches, schema_findings

EXPECTED_BODIES = ("body", "text", "empty")
"""The keys of `expect` that say what the body holds; exactly one of them may stand there."""
_SUCCESSES: Schema = {"type": "integer", "minimum": 200, "maximum": 299}
_REFUSALS: Schema = {"type": "integer", "minimum": 200, "maximum": 499}
_ABOUT_NO_CREDENTIAL = (*range(300, 400), 429)
_ANYTHING_ELSE = {"": 0}
"""An object with none of the keys that a schema names."""

_EXPECT = Shape(
    title="Expected answer",
    description="What shows a valid credential.",
    properties={
        "status": {
            **_SUCCESSES,
            "type": ["integer", "array"],
            "items": _SUCCESSES,
            "minItems": 1,
            "uniqueItems": True,
            "default": 200,
            "description": "The status, or a list of several.",
        },
        "body": {**BODY_SCHEMA, "description": "The JSON Schema of the body."},
        "text": {
            "type": "string",
            "maxLength": 64,
            "pattern": r"^[!-~]([ -~]*[!-~])?(?!\n)$",
            "description": "The whole body, without the white space around it.",
            "examples": ["pong"],
            "errorMessage": "the text is one line of ASCII characters, without blanks around it",
        },
        "empty": {"const": True, "description": "There is no body, as with status 204."},
    },
)
_REJECT = Shape(
    title="Refused credential",
    description="The answer to a credential that is refused, where that isn't status 401. It is looked at before `expect`.",
    properties={
        "status": {
            "type": "array",
            "items": _REFUSALS,
            "minItems": 1,
            "uniqueItems": True,
            "default": [200],
            "description": "The statuses.",
        },
        "body": {**BODY_SCHEMA, "description": "The JSON Schema of the body."},
    },
)
CHECK = Shape(
    properties={
        "method": {
            "enum": ["GET", "HEAD", "POST"],
            "default": "GET",
            "description": "The method of the check request.",
        },
        "path": {
            "type": "string",
            "pattern": r"^/([!$-.0-\[\]-~][!$-\[\]-~]*)?(?!\n)$",
            "description": "A path below base_url that answers only to a valid credential, and changes nothing.",
            "examples": ["/me"],
            "errorMessage": "the path starts with one slash, is relative to base_url, and holds no space, backslash or `#`",
        },
        "json": {
            "type": ["object", "array"],
            "x-compare": "json",
            "description": "The body of a POST, of a request that only reads.",
        },
        "expect_status": {
            **_SUCCESSES,
            "default": 200,
            "x-default-without": "expect",
            "description": "Short for `expect: {status: …}`: the status that shows a valid credential.",
            "errorMessage": "a valid credential shows in a success: 200 to 299",
        },
        "expect": _EXPECT,
        "reject": _REJECT,
    },
    required=("path",),
    title="Check request",
    description="A read-only request that only a valid credential can make.",
)


def check_findings(check: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield findings about a check: what contradicts itself, wrong schemas, and the warning that nothing is expected."""
    if "json" in check and check.get("method") != "POST":
        detail = "only a POST has a body: write `method: POST`, or remove `json`"
        yield Finding("malformed-value", ("check", "json"), detail, at_key=True)
    if "expect" in check and "expect_status" in check:
        detail = "`expect_status` is short for `expect: {status: …}`: keep one of the two"
        related = (("check", "expect"),)
        yield Finding("malformed-value", ("check", "expect_status"), detail, at_key=True, related=related)
    wrong = [finding for key in ("expect", "reject") for finding in _schema_findings(check, key)]
    yield from wrong
    yield from _expect_findings(check)
    yield from _reject_findings(check)
    if not wrong:
        yield from _nothing_expected(check)


def _schema_findings(check: Mapping[str, Any], key: str) -> Iterator[Finding]:
    if "body" in check.get(key, {}):
        yield from schema_findings(check[key]["body"], ("check", key, "body"))


def _expect_findings(check: Mapping[str, Any]) -> Iterator[Finding]:
    expect = check.get("expect", {})
    given = [key for key in EXPECTED_BODIES if key in expect]
    for key in given[1:]:
        detail = f"`{key}` and `{given[0]}` both say what the body is: keep one of them"
        yield Finding(
            "malformed-value", ("check", "expect", key), detail, at_key=True, related=(("check", "expect", given[0]),)
        )
    if check.get("method") == "HEAD":
        for key, part in (("body", "expect"), ("text", "expect"), ("body", "reject")):
            if key in check.get(part, {}):
                detail = "the answer to HEAD has no body: write `method: GET`, or remove it"
                yield Finding("malformed-value", ("check", part, key), detail, at_key=True)


def _reject_findings(check: Mapping[str, Any]) -> Iterator[Finding]:
    reject = check.get("reject")
    if reject is None:
        return
    for index, status in enumerate(reject.get("status", ())):
        if status in _ABOUT_NO_CREDENTIAL:
            detail = "a redirect or a rate limit says nothing about a credential"
            yield Finding("out-of-range", ("check", "reject", "status", index), detail)
    is_told_apart = "status" in reject and not set(reject["status"]) & set(expected_statuses(check))
    if "body" not in reject and not is_told_apart:
        detail = "`reject` needs `body`: valid credentials are answered with the same status"
        yield Finding("missing-key", ("check", "reject"), detail)


def _nothing_expected(check: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a warning if an error in place of what is asked for would count as ready."""
    expect = check.get("expect", {})
    if not any(key in expect for key in EXPECTED_BODIES):
        path = ("check", "expect") if "expect" in check else ("check",)
        detail = "nothing says what a valid credential is answered, so that any JSON counts as ready, an error as well"
        hint = "add `expect` with `body`, `text` or `empty: true`, such as `expect: {body: {required: [id]}}`"
        yield Finding("nothing-expected", path, detail, hint, at_key=True)
    elif "body" in expect and matches(expect["body"], _ANYTHING_ELSE):
        detail = "this schema accepts an object without any of its keys, so that an error counts as ready"
        yield Finding("nothing-expected", ("check", "expect", "body"), detail, "name keys in `required`", at_key=True)


def expected_statuses(check: Mapping[str, Any]) -> list[int]:
    """Return the statuses that show a valid credential."""
    status = check.get("expect", check).get("status" if "expect" in check else "expect_status", 200)
    return status if isinstance(status, list) else [status]
