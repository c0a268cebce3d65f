"""The class of a connection's environment, which safety rules and policies go by.

Layer 3, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connform.engine.load.catalog import DEFAULT_PROVIDER, Definition, provider
from connform.errors import ConnectionFailed
from connform.providers.environments import class_of, class_of_label


def environment_class(settings: Mapping[str, Any], definition: Definition = None) -> str:
    """Return `production` or `test`, by the effective or recorded settings of a connection; `definition` as for `provider`.

    Where the provider can't be used, which a record may name, the environment's label decides.
    """
    try:
        return class_of(provider(settings.get("provider", DEFAULT_PROVIDER), definition), settings)
    except (LookupError, ConnectionFailed):
        return class_of_label(settings.get("environment"))
