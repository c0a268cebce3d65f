"""The rules for a login call (`token_shapes.LOGIN`), whoever describes it.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.manifest.rules import Finding, KeyPath


def login_findings(path: KeyPath, login: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what a login call says twice, or begins to say."""
    if "json" in login and "form" in login:
        detail = "`json` and `form` both say what the body is: keep one of them"
        yield Finding("unknown-key", (*path, "form"), detail, at_key=True, related=((*path, "json"),))
    lifetime = list(login.get("lifetime", ()))
    if len(lifetime) > 1:
        detail = f"`{lifetime[0]}` and `{lifetime[1]}` both say how long the token is valid: keep one of them"
        yield Finding("unknown-key", (*path, "lifetime", lifetime[1]), detail, at_key=True)
    elif "lifetime" in login and not lifetime:
        detail = "write `seconds`, `seconds_at` or `time_at`, or remove `lifetime`"
        yield Finding("missing-key", (*path, "lifetime"), detail)
