"""The style sheet of the format `html`, and its hash for the content security policy. Layer 4, no IO."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; }
"""
"""The whole sheet. Nothing in it loads anything."""

_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; base-uri 'none'; form-action 'none'"
)
"""What a page of the format may load: its own style sheet, and the icon that is part of it. A server adds `frame-ancestors 'none'`."""
