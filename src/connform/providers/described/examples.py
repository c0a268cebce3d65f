"""The examples of a definition: answers that a source quotes.

Layer 2, no IO.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connform.providers.interface import Answer


def answer_of(example: Mapping[str, Any]) -> Answer:
    """Return the answer of an example. A body that is a text is sent as it is."""
    body = example.get("body")
    is_json = "body" in example and not isinstance(body, str)
    text = json.dumps(body) if is_json else body or ""
    given = {name.lower(): value for name, value in example.get("headers", {}).items()}
    headers = {"content-type": "application/json" if is_json else "text/plain", **given}
    return Answer(example["status"], headers, body if is_json else None, is_json=is_json, body=text.encode())
