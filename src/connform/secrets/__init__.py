"""The table of built-in secret backends, by the scheme of their references, which is the type of their stores as well.

Layer 2, no IO: a backend is imported when it is first looked up. Third parties add theirs by the entry-point group
`connform.secrets`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from connform.registry import LazyTable

if TYPE_CHECKING:
    from connform.secrets.kit.interface import Backend

_IMPORT_PATHS = {
    "env": "env:ENV",
    "dotenv": "dotenv:DOTENV",
    "file": "file:FILE",
    "vault": "vault.backend:VAULT",
    "awssecrets": "aws.secrets_manager:AWSSECRETS",
    "awsssm": "aws.parameter_store:AWSSSM",
    "sops": "sops.backend:SOPS",
    "keyring": "keyring:KEYRING",
    "pass": "passwordstore:PASS",
    "exec": "exec.backend:EXEC",
    "azurekv": "azure.backend:AZUREKV",
    "gcpsecrets": "google.backend:GCPSECRETS",
    "op": "onepassword.backend:OP",
    "k8s": "k8s:K8S",
}


def _load(name: str) -> Backend:
    module, _, attribute = _IMPORT_PATHS[name].partition(":")
    backend: Backend = getattr(import_module(f"{__name__}.{module}"), attribute)
    return backend


BACKENDS: Mapping[str, Backend] = LazyTable(_IMPORT_PATHS, _load)
"""By name, in the order of the documentation. Only the backends that a manifest names are imported."""
