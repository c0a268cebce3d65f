"""The auth method `headers`: one or two secrets in headers with texts of their own, such as `Token token=…`.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.auth.kit.inline import InlineMethod, text_findings
from connform.auth.kit.sent_secrets import SENT_SECRETS
from connform.auth.kit.shapes import SECRET_HEADERS
from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape

_SHAPE = Shape(
    properties={
        "headers": SECRET_HEADERS,
        "api_key": REFERENCE,
        "second_key": {
            **REFERENCE,
            "description": "A second secret, for APIs that want two; `{second_key}` in a header's text.",
        },
    },
    required=("headers", "api_key"),
    description="Secrets in headers with texts of their own.",
)


def _rules(auth: Mapping[str, Any]) -> Iterator[Finding]:
    yield from text_findings(auth, _SHAPE, ("headers",))


METHOD = InlineMethod(SENT_SECRETS, _SHAPE, rules=_rules)
