"""The backend `exec`: outputs of commands, `exec://alias`. The user's policy file lists the commands.

Layer 2; reads the policy file and runs the command when a secret is read. `validate` does neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from connform.errors import SecretUnresolved
from connform.manifest.shape import Shape
from connform.manifest.similar import did_you_mean
from connform.secret import SecretReference
from connform.secrets.kit.interface import Backend, Fetched, OpenStore, StoreConfig
from connform.secrets.kit.open_store import DocumentStore, OnceValue
from connform.secrets.kit.value import fetched_from_bytes, text_from_bytes, whole_or_field

if TYPE_CHECKING:
    from connform.secrets.exec.policy import Command

_ALIAS = r"[A-Za-z0-9][A-Za-z0-9._-]*"


class Exec(Backend):
    """The backend `exec`."""

    form = "exec://alias"
    depends_on_folder = True  # the policy depends on the repository
    store_shape = Shape(description="The commands of the user's policy file; it has no settings of its own.")

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:  # noqa: ARG002  (the interface's signature)
        """Return what is wrong with a reference to a command."""
        if not re.fullmatch(_ALIAS, reference.path):
            return (
                f"a command stands in the policy file, and only its alias in the manifest: {reference.scheme}://alias"
            )
        if reference.version:
            return "a command has no versions: nothing follows its alias but `#field`"
        return ""

    def open(self, store: StoreConfig) -> OpenStore:
        """Return the commands of the policy file."""
        policy = OnceValue(partial(_policy, store))
        return DocumentStore(partial(_load, store, policy), _fetched)


class _CommandOutput(NamedTuple):
    stdout: bytes
    is_json: bool


def _policy(store: StoreConfig) -> Mapping[str, Command]:
    from connform.secrets.exec.policy import load_commands  # start-up: it needs json

    return load_commands(store.base)


def _load(store: StoreConfig, policy: OnceValue[Mapping[str, Command]], reference: SecretReference) -> _CommandOutput:
    from connform.secrets.kit.command import ordinary_variables, run  # start-up: it needs subprocess

    commands = policy.get()
    command = commands.get(reference.path)
    if command is None:
        hint = did_you_mean(reference.path, commands) or "whoever runs connform adds it there, if they want it run"
        raise SecretUnresolved("secret_denied", "the policy file has no command of that alias", hint)
    result = run(command.argv, ordinary_variables(command.variables), min(command.timeout_s, store.timeout_s))
    if not result.succeeded:
        raise SecretUnresolved("exec_failed", f"the command {result.summary}")
    return _CommandOutput(result.stdout, command.is_json)


def _fetched(output: _CommandOutput, reference: SecretReference) -> Fetched:
    if output.is_json != bool(reference.field):
        message = "its format is json: a field is missing" if output.is_json else "its format is raw: it has no fields"
        hint = "exec://alias#field goes with a command whose format in the policy file is json"
        raise SecretUnresolved("secret_malformed", message, hint)
    if output.is_json:
        return Fetched(whole_or_field(text_from_bytes(output.stdout), reference.field))
    return fetched_from_bytes(output.stdout)


EXEC = Exec()
