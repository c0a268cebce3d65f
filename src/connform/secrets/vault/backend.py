"""The backend `vault`: fields of secrets in HashiCorp Vault or OpenBao, KV version 1 or 2, `vault://mount/path#field`.

Layer 2. `kv` reads secrets, `login` logs in; for the bare backend, `environment` reads the variables VAULT_*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connform.manifest.rules import Finding
from connform.manifest.shape import Shape, Snippet
from connform.manifest.url_schemas import ROOT_URL
from connform.manifest.urls import url_findings
from connform.secret import SecretReference
from connform.secrets.kit.interface import Backend, OpenStore, StoreConfig
from connform.secrets.kit.network import NETWORK_KEYS, network_findings, network_settings
from connform.secrets.kit.open_store import DocumentStore
from connform.secrets.vault.auth_keys import AUTH_SHAPE, SERVER_PATH_SCHEMA, login_findings
from connform.secrets.vault.paths import RESERVED, may_be_reserved, path_problem

_KV_1 = 1


class Vault(Backend):
    """The backend `vault`."""

    form = "vault://mount/path#field"
    login_variables = ("VAULT_TOKEN",)
    store_shape = Shape(
        properties={
            "address": {**ROOT_URL, "description": "Where the server is.", "examples": ["https://vault.acme.example"]},
            "namespace": {
                **SERVER_PATH_SCHEMA,
                "description": "The namespace of the login and of the secrets.",
                "examples": ["team-a"],
            },
            "auth": AUTH_SHAPE,
            "mount": {
                **SERVER_PATH_SCHEMA,
                "description": "What stands before the path of every reference: a KV mount, or a folder in it. Default: nothing.",
                "examples": ["secret"],
            },
            "kv_version": {
                "enum": [1, 2],
                "description": "The version of the KV store, where the server does not tell it. Default: it is asked.",
            },
            **NETWORK_KEYS,
        },
        required=("address", "auth"),
        description="HashiCorp Vault or OpenBao, KV version 1 or 2.",
        snippets=(
            Snippet(
                "Vault or OpenBao",
                {
                    "type": "vault",
                    "address": "${2:https://vault.acme.example}",
                    "auth": {"method": "token", "token": "env://${3:VAULT_TOKEN}"},
                },
            ),
        ),
    )

    def rules(self, store: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield what is wrong with the address, the way to it, the login, the mount and the namespace."""
        yield from url_findings(store["address"], ("address",))
        yield from network_findings(store)
        yield from login_findings(store)
        if problem := "mount" in store and path_problem(store["mount"]):
            yield Finding("malformed-value", ("mount",), problem)
        if may_be_reserved(store.get("namespace", "")):
            detail = f"no namespace has a part of the name {', '.join(sorted(RESERVED))}: those are the server's own"
            yield Finding("malformed-value", ("namespace",), detail)

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:
        """Return what is wrong with a reference to a secret."""
        mount = settings.get("mount", "")
        if problem := path_problem(f"{mount}/{reference.path}" if mount else reference.path):
            return problem
        if not mount and "/" not in reference.path:
            return f"the path begins with the mount: {reference.scheme}://mount/path#field"
        if not re.fullmatch(r"(?:[1-9][0-9]*)?", reference.version):
            return "a version is a number from 1 on: ?version=3"
        if reference.version and settings.get("kv_version") == _KV_1:
            return "KV version 1 keeps no earlier versions: `?version=…` needs version 2"
        return ""

    def open(self, store: StoreConfig) -> OpenStore:
        """Return the server of a store; for the bare backend, that of the environment.

        Raises:
            SecretUnresolved: for the bare backend, a variable is not set or not valid.
        """
        # imported here for start-up: `validate` opens no store
        from connform.secrets.vault.environment import from_environment
        from connform.secrets.vault.kv import KvMounts
        from connform.secrets.vault.login import VaultLogin
        from connform.secrets.vault.server import VaultServer

        settings, network = store.settings, network_settings(store)
        if "address" in settings:
            server = VaultServer(settings["address"], settings.get("namespace", ""), store.timeout_s, network)
            login = VaultLogin(settings["auth"], store.secrets)
        else:
            server, login = from_environment(store.timeout_s, network)
        mounts = KvMounts(server, login, settings.get("mount", ""), settings.get("kv_version", 0))
        return DocumentStore(mounts.load, mounts.pick, close=mounts.close, log_in=mounts.log_in)


VAULT = Vault()
