"""Turns references into secrets of KV mounts: one login a run, one look at each mount and each secret.

Layer 2; uses the network. The server says where a mount ends and which version it is; where it won't, both are tried.
"""

from __future__ import annotations

from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from connform.errors import SecretUnresolved
from connform.process_local import ProcessLocal
from connform.secrets.kit.open_store import OnceValue
from connform.secrets.kit.value import require_not_own
from connform.secrets.vault.documents import (
    VERSIONED,
    Mount,
    field_in,
    metadata_of_reply,
    mount_of_reply,
    not_found,
    not_kv,
    secret_of_reply,
)
from connform.secrets.vault.login import log_in, log_out
from connform.secrets.vault.paths import may_be_reserved, path_problem
from connform.secrets.vault.server import NAME, describe_errors

if TYPE_CHECKING:
    from connform.secret import SecretReference
    from connform.secrets.kit.interface import Fetched
    from connform.secrets.kit.rest import RestReply
    from connform.secrets.vault.documents import KvSecret
    from connform.secrets.vault.login import VaultLogin, VaultSession
    from connform.secrets.vault.server import VaultServer

_DENIED: Final = 403
_NOT_FOUND: Final = 404
_REFUSED_BY_POLICY: Final = "1 error occurred"
"""What a server says before a refusal by policy: the token is known, but may not even look at itself."""
_READ_CAPABILITY: Final = '{ capabilities = ["read"] }'
"""What a policy says of a path that may be read."""


class KvMounts:
    """The KV mounts of one server, opened."""

    def __init__(self, server: VaultServer, login: VaultLogin, prefix: str = "", kv_version: int = 0) -> None:
        """Take where they are.

        Args:
            server: which server.
            login: what to log in with, when something is read.
            prefix: what stands before every path; empty for nothing.
            kv_version: 0 where the server is asked.
        """
        self._method = login.auth["method"]
        self._session = OnceValue(partial(log_in, server, login))
        self._prefix = f"{prefix}/" if prefix else ""
        self._kv_version = kv_version
        self._known_mounts: list[Mount] = []
        self._unknown_mounts: set[str] = set()
        self._token_failure: SecretUnresolved | None = None
        self._lock = ProcessLocal(Lock)

    def close(self) -> None:
        """Log out, if this run logged in."""
        session = self._session.value_if_computed
        if session is not None:
            log_out(session)

    def load(self, reference: SecretReference) -> KvSecret:
        """Return the secret that a reference names, or a field of.

        Raises:
            SecretUnresolved: the login failed, or the secret can't be read.
        """
        path = self._prefix + reference.path
        if problem := path_problem(path):
            raise SecretUnresolved("secret_not_found", problem, "correct the mount in the reference")
        session = self._session.get()
        self._raise_token_failure()
        mount = self._mount(session, path)
        if mount is None:
            return self._read_of_either_version(session, path, reference.version)
        if reference.version and mount.version != VERSIONED:
            message = f"{mount.path} is KV version 1, which keeps no earlier versions"
            raise SecretUnresolved("secret_not_found", message, "leave out `?version=…`")
        return self._secret(session, _get(session, mount, path, reference.version), mount, path, reference.version)

    def pick(self, document: KvSecret, reference: SecretReference) -> Fetched:
        """Return the field that a reference names, or the only one.

        Raises:
            SecretUnresolved: `secret_not_found`, `secret_malformed`; `secret_denied`, it is this run's own token.
        """
        fetched = field_in(document, reference.field)
        require_not_own(fetched.secret, self._session.get().secrets)
        return fetched

    def _mount(self, session: VaultSession, path: str) -> Mount | None:
        """Return the mount of a path, asked for once; `None` where the server won't say, and nobody else does."""
        first = (self._prefix or path).split("/", 1)[0]
        configured = Mount(self._prefix.removesuffix("/") or first, self._kv_version) if self._kv_version else None
        if configured and configured.version == VERSIONED:  # nothing but such a mount answers below `data/`
            return configured
        with self._lock.own:
            self._raise_token_failure()
            for mount in self._known_mounts:
                if path.startswith(f"{mount.path}/"):
                    return mount
            if first not in self._unknown_mounts:
                reply = self._ask_for_mount(session, path, may_fail=configured is not None)
                if reply is not None and reply.is_success:
                    self._known_mounts.append(mount_of_reply(reply, path))
                    return self._known_mounts[-1]
                self._require_valid_token(session)
                self._unknown_mounts.add(first)
        if configured and may_be_reserved(path):
            raise not_kv(path)
        return configured

    def _ask_for_mount(self, session: VaultSession, path: str, *, may_fail: bool) -> RestReply | None:
        """Return what the server says of the mount of a path; `None` where something else answers in its place."""
        try:
            return session.client.call("GET", f"sys/internal/ui/mounts/{quote(path)}")
        except SecretUnresolved:
            if may_fail:
                return None
            raise

    def _read_of_either_version(self, session: VaultSession, path: str, version: str) -> KvSecret:
        """Read a secret from a mount of which the server says nothing: it may be missing, or something in between refused."""
        first = path.split("/", 1)[0]
        replies = []
        for kind in (VERSIONED,) if version or may_be_reserved(path) else (VERSIONED, 1):
            mount = Mount(first, kind)
            reply = _get(session, mount, path, version)
            if metadata_of_reply(reply) or (reply.is_success and kind != VERSIONED):
                with self._lock.own:
                    self._known_mounts.append(mount)
                return self._secret(session, reply, mount, path, version)
            replies.append((reply, mount))
        reply, mount = next((one for one in replies if one[0].status == _NOT_FOUND), replies[0])
        if reply.status == _DENIED:  # the token was looked at when the mount was asked for
            message = f"the token is good, but has no rights in the mount {first}, if there is one"
            hint = f'correct the mount in the reference, or add to a policy: path "{mount.api_path(path)}" {_READ_CAPABILITY}'
            raise SecretUnresolved("secret_denied", message, hint)
        return self._secret(session, reply, mount, path, version)

    def _secret(self, session: VaultSession, reply: RestReply, mount: Mount, path: str, version: str) -> KvSecret:
        if reply.is_success:
            return secret_of_reply(reply, mount)
        if reply.status == _NOT_FOUND:
            raise not_found(reply, mount, path, version)
        if reply.status == _DENIED:
            self._require_valid_token(session)
            api_path = mount.api_path(path)
            message = f"the token is good, but its policies don't let it read {api_path}"
            raise SecretUnresolved("secret_denied", message, f'add to a policy: path "{api_path}" {_READ_CAPABILITY}')
        raise SecretUnresolved("secret_backend_unavailable", f"{NAME} answered {reply.status}")

    def _raise_token_failure(self) -> None:
        """Let nothing more be asked with a token that the server does not know.

        Raises:
            SecretUnresolved: `secret_denied`, as it was found.
        """
        if (failure := self._token_failure) is not None:
            raise SecretUnresolved(failure.fault.name, failure.message, failure.hint)  # it may be raised again

    def _require_valid_token(self, session: VaultSession) -> None:
        """Find out whether the token is why something was refused.

        Raises:
            SecretUnresolved: `secret_denied`, it is.
        """
        reply = session.client.call("GET", "auth/token/lookup-self")
        if reply.status != _DENIED or _REFUSED_BY_POLICY in describe_errors(reply):
            return
        message = (
            f"{NAME} does not know the token: it has expired, was revoked, or belongs to another server or namespace"
        )
        hint = "obtain a new token and put it where `auth: {token}` or VAULT_TOKEN points"
        if session.is_from_login:
            hint = f"the token of this run's login by {self._method} ended early: give its role a longer token_ttl, and enough token_num_uses"
        self._token_failure = SecretUnresolved("secret_denied", message, hint)
        self._raise_token_failure()


def _get(session: VaultSession, mount: Mount, path: str, version: str) -> RestReply:
    query = f"?version={version}" if version else ""
    return session.client.call("GET", quote(mount.api_path(path)) + query)
