"""The auth method `none`: nothing is sent, for public APIs, and where a client certificate is enough (`tls:`).

Layer 2, no IO.
"""

from __future__ import annotations

from connform.auth.kit.inline import InlineMethod
from connform.auth.kit.sent_secrets import SENT_SECRETS
from connform.manifest.shape import Shape

METHOD = InlineMethod(SENT_SECRETS, Shape(description="Nothing: a public API, or a client certificate alone."))
