"""The names of `request_errors`, which is imported when one of them is used first: it imports httpx, which a check without a failure needs not.

Layer 1, no IO. Modules that a check uses say `failures.RequestFailed`, and nothing of it before something has failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connform.http.request_errors import *  # noqa: F403  (its names are this module's)


def __getattr__(name: str) -> Any:  # PEP 562
    from connform.http import request_errors

    return getattr(request_errors, name)
