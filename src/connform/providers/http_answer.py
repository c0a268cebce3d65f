"""The judgement of answers to the check of the provider `http`, by what the manifest expects.

Layer 2, no IO. No message shows a value of a body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connform.providers.answers import judge_status
from connform.providers.bodies import PAGE, has_body, has_text, is_page
from connform.providers.http_check import EXPECTED_BODIES, expected_statuses
from connform.providers.interface import Answer, Judgement

_JSON = re.compile(r"\s*(application/json|text/json|[\w.+-]+/[\w.+-]+\+json)\s*(;.*)?", re.IGNORECASE)
"""`Content-Type` of JSON (RFC 8259 §11, RFC 6839 §3.1)."""
_WRONG_ADDRESS = "correct base_url or the path of `check:`"
_EXPECT_OTHERWISE = f"{_WRONG_ADDRESS}; if a valid credential is answered like this, correct `check.expect`"
_EXPECT_IT = f"{_WRONG_ADDRESS}; if a valid credential is answered like this, write so: `check.expect` takes `body`, `text` or `empty: true`"


def judge_check(check: Mapping[str, Any], answer: Answer) -> Judgement | None:
    """Return the judgement of a refused credential, or of an answer with an expected status; `None` for any other answer."""
    if _is_refusal(check, answer):
        return Judgement("auth_rejected", f"the API answered {answer.status} as `check.reject` says")
    statuses = expected_statuses(check)
    if answer.status not in statuses:
        return None
    expect = check.get("expect", {})
    problem = _problem(expect, answer, is_head=check.get("method") == "HEAD")
    if not problem:
        return Judgement()
    hint = _EXPECT_OTHERWISE if any(key in expect for key in EXPECTED_BODIES) else _EXPECT_IT
    message = f"the server answered {answer.status} {problem}"
    return Judgement("http_not_this_api", message, "" if is_page(answer) else hint)


def unexpected_status(check: Mapping[str, Any], answer: Answer) -> Judgement:
    """Return the judgement of an answer whose status is not expected, and means what it does in every API."""
    expected = " or ".join(map(str, expected_statuses(check)))
    message = f"the server answered {answer.status} where `check:` expects {expected}"
    return judge_status(answer) or Judgement("http_not_this_api", message, _WRONG_ADDRESS)


def _is_refusal(check: Mapping[str, Any], answer: Answer) -> bool:
    reject = check.get("reject")
    if reject is None or answer.status not in reject.get("status", [200]):
        return False
    return "body" not in reject or has_body(answer, reject["body"])


def _problem(expect: Mapping[str, Any], answer: Answer, *, is_head: bool) -> str:
    """Return what the answer lacks, to follow its status in a sentence; empty if it is as expected."""
    if is_page(answer):
        return f"with a page ({PAGE}), which shows no valid credential"
    if "empty" in expect:
        return "" if answer.body == b"" else "with a body where `check.expect` has none"
    if "text" in expect:
        return "" if has_text(answer, expect["text"]) else "with another text than `check.expect` has"
    if is_head:
        is_json = _JSON.fullmatch(answer.headers.get("content-type", ""))
        return "" if is_json else "without a Content-Type that says JSON"
    return _json_problem(expect, answer)


def _json_problem(expect: Mapping[str, Any], answer: Answer) -> str:
    if not answer.is_json:
        return "without JSON"
    if "body" not in expect or has_body(answer, expect["body"]):
        return ""
    return "with JSON of another form than `check.expect` has"


def ready_answer(check: Mapping[str, Any]) -> Answer:
    """Return an answer that shows a valid credential."""
    from connform.providers.body_sample import json_answer, sample, text_answer  # imported here for start-up

    expect = check.get("expect", {})
    status = expected_statuses(check)[0]
    if "empty" in expect or "text" in expect:
        return text_answer(status, expect.get("text", ""))
    return json_answer(status, sample(expect["body"]) if "body" in expect else {"simulated": True})
