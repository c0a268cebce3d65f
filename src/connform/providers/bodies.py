"""What the body of an answer is: a page, a short text, JSON that a schema accepts.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connform.providers.body_schema import matches
from connform.providers.interface import Answer

PAGE = "text/html"
"""The content type of a page."""


def is_page(answer: Answer) -> bool:
    """Whether an answer says that it is a page for people, whatever its body: that never shows a valid credential."""
    return PAGE in answer.headers.get("content-type", "").lower()


def has_text(answer: Answer, text: str) -> bool:
    """Whether a text is the whole body, without the white space around it."""
    try:
        return answer.body is not None and answer.body.decode().strip() == text
    except UnicodeDecodeError:
        return False


def has_body(answer: Answer, schema: Mapping[str, Any]) -> bool:
    """Whether the body is JSON that a schema without findings accepts."""
    return answer.is_json and matches(schema, answer.json)
