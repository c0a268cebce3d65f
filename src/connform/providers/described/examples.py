"""The examples of a definition: answers that a source quotes, and what the rows of the definition make of them.

Layer 2, no IO.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connform.diagnostics import Span
from connform.manifest.model import Connection
from connform.providers.described.provider import DescribedProvider
from connform.providers.interface import Answer


def replay(provider: DescribedProvider, example: Mapping[str, Any]) -> str:
    """Return what an answer means: `ready`, or a key of `connform.faults.FAULTS`. A body that is a text is sent as it is."""
    here = Connection("example", provider.definition.name, {}, Path(), Span("", 1, 1, 1, 1))
    return provider.judge(here, answer_of(example)).fault or "ready"


def answer_of(example: Mapping[str, Any]) -> Answer:
    """Return the answer of an example."""
    headers = {name.lower(): value for name, value in example.get("headers", {}).items()}
    body = example.get("body")
    is_json = "body" in example and not isinstance(body, str)
    text = json.dumps(body) if is_json else body or ""
    return Answer(example["status"], headers, body if is_json else None, is_json=is_json, body=text.encode())
