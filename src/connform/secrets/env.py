"""The backend `env`: values of environment variables, `env://NAME`.

Layer 2; reads the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from connform.environment import variable_if_set, variables
from connform.errors import SecretUnresolved
from connform.manifest.shape import Shape
from connform.secret import SecretReference
from connform.secrets.kit.interface import Backend, Fetched, OpenStore, StoreConfig


class Env(Backend):
    """The backend `env`."""

    form = "env://NAME"
    is_plain = True
    names_variables = True
    store_shape = Shape(description="The environment of the process; it has no settings.")

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:  # noqa: ARG002  (the interface's signature)
        """Return what is wrong with a reference to a variable."""
        if not (reference.path.isascii() and reference.path.isidentifier()):  # POSIX.1 §8.1, and lower case
            return f"a variable's name has letters, digits and underscores: {reference.scheme}://NAME"
        if reference.field or reference.version:
            return "an environment variable has no fields and no versions: nothing follows its name"
        return ""

    def open(self, store: StoreConfig) -> OpenStore:  # noqa: ARG002  (there is one environment)
        """Return the environment."""
        from connform.secrets.kit.open_store import DocumentStore  # `validate` reads nothing

        return DocumentStore(_load, _fetched, batch_size=0, answers_at_once=True)


def _load(reference: SecretReference) -> bytes:
    value = variable_if_set(reference.path)
    if value is None:
        from connform.manifest.similar import did_you_mean

        hint = did_you_mean(reference.path, variables()) or f"export {reference.path}=… before connform runs"
        raise SecretUnresolved("secret_not_found", f"environment variable {reference.path} is not set", hint)
    return os.fsencode(value)


def _fetched(data: bytes, reference: SecretReference) -> Fetched:  # noqa: ARG001  (it has no fields)
    from connform.secrets.kit.value import fetched_from_bytes

    return fetched_from_bytes(data)


ENV = Env()
