"""Environment variables of this process, for the few rooms that may read them. Layer 0; reads the environment."""

from __future__ import annotations

import os

ENVIRONMENT_PROXY = "environment"
"""The value of `proxy` in a manifest that stands for the proxy that the environment names for each host."""


def variable(name: str) -> str:
    """Return an environment variable, as `VAULT_ADDR`, by which tools find a secret store; empty where it isn't set."""
    return os.environ.get(name, "")


def variable_if_set(name: str) -> str | None:
    """Return an environment variable; `None` where it isn't set."""
    return os.environ.get(name)


def variables() -> dict[str, str]:
    """Return a copy of the whole environment."""
    return dict(os.environ)
