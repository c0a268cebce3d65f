"""Connections as a text that another process reads: their effective values, without their places in a manifest.

Layer 3, no IO.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from connform.diagnostics import Span
from connform.engine.load.catalog import auth_reference_keys
from connform.manifest.model import Connection

_NOWHERE = Span("", 1, 1, 1, 1)


def sent(connections: Iterable[Connection]) -> str:
    """Return the text of some connections of one run."""
    definitions, texts = {}, []
    for one in connections:
        texts.append((one.name, one.provider, str(one.base), one.settings))
        if one.definition is not None:
            definitions[one.provider] = one.definition
    return json.dumps((definitions, texts))


def read(text: str) -> list[Connection]:
    """Return the connections of a text."""
    definitions, texts = json.loads(text)
    return [
        Connection(name, provider, settings, Path(base), _NOWHERE, auth_reference_keys, None, definitions.get(provider))
        for name, provider, base, settings in texts
    ]
