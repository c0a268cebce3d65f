"""The table of published JSON Schemas: manifest, policy and plan file. Layer 3, no IO."""

from __future__ import annotations

from collections.abc import Callable

from connform.engine.changes.plan_file import PLAN_SCHEMA
from connform.engine.load.manifest_schemas import manifest_schema
from connform.manifest.portable import portable
from connform.manifest.shape import Schema
from connform.policies.keywords import policy_schema

SCHEMAS: dict[str, Callable[[], Schema]] = {
    "connections": lambda: portable(manifest_schema()),
    "policy": lambda: portable(policy_schema()),
    "plan": lambda: PLAN_SCHEMA,
}
"""The name of a schema → the function that makes it."""
