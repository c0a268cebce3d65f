"""A reader of secrets in the KV mounts of one Vault server: it logs in once a run, and looks up each mount once.

Layer 2; uses the network. The server is asked for the mount of a path and its version. If it doesn't say, both versions are
tried, with the first part of the path as the mount.
"""

from __future__ import annotations

from functools import partial
from threading import Lock
from urllib.parse import quote

from connform.errors import RateLimited, SecretUnresolved
from connform.process_local import ProcessLocal
from connform.secret import SecretReference
from connform.secrets.kit.interface import Fetched
from connform.secrets.kit.open_store import OnceValue
from connform.secrets.kit.rest import RestReply
from connform.secrets.kit.value import require_not_own
from connform.secrets.vault.documents import (
    VERSIONED,
    KvSecret,
    Mount,
    field_in,
    metadata_of_reply,
    mount_of_reply,
    not_found,
    not_kv,
    secret_of_reply,
)
from connform.secrets.vault.login import VaultLogin, VaultSession, log_in, log_out
from connform.secrets.vault.paths import may_be_reserved, path_problem
from connform.secrets.vault.server import NAME, VaultServer, describe_errors

_DENIED = 403
_NOT_FOUND = 404
_REFUSALS = {_DENIED, _NOT_FOUND}
"""The statuses of a server that does not tell the mount of a path. Any other failure may pass."""
_REFUSED_BY_POLICY = "1 error occurred"
"""In the errors of a server that knows the token, but whose policy refuses the call."""
_READ_CAPABILITY = '{ capabilities = ["read"] }'
"""The rule of a policy for a path that may be read."""


_WRAPPING_HINT = "; if it is a wrapping token, unwrap a new one first: this run has used it up"
"""For a token that may not look itself up: a wrapping token, which its first use ends, or one without the default policy."""


class KvMounts:
    """The KV mounts of one server, in use. Threads may share it."""

    def __init__(self, server: VaultServer, login: VaultLogin, prefix: str = "", kv_version: int = 0) -> None:
        """Take the settings. The first read logs in.

        Args:
            server: the server.
            login: the method and the credentials.
            prefix: is put before every path; empty for nothing.
            kv_version: the version of the KV engine; 0 to ask the server.
        """
        self._method = login.auth["method"]
        self._session = OnceValue(partial(log_in, server, login))
        self._prefix = f"{prefix}/" if prefix else ""
        self._kv_version = kv_version
        self._known_mounts: list[Mount] = []
        self._unknown_mounts: set[str] = set()
        self._token_failure: SecretUnresolved | None = None
        self._token_hint = ""
        self._lock = ProcessLocal(Lock)

    def log_in(self) -> None:
        """Log in; of a token that was given, ask the server whether it is valid.

        Raises:
            SecretUnresolved: the server can't be reached, or refuses the login or the token.
        """
        session = self._session.get()
        if not session.is_from_login:
            self._require_valid_token(session)

    def close(self) -> None:
        """Revoke the token if this run logged in, and close connections."""
        session = self._session.value_if_computed
        if session is not None:
            log_out(session)

    def load(self, reference: SecretReference) -> KvSecret:
        """Return the secret that a reference names, with all its fields.

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
        """Return the field that a reference names; the only field if it names none.

        Raises:
            SecretUnresolved: `secret_not_found`, `secret_malformed`; `secret_denied`, it is the store's token or credential.
        """
        fetched = field_in(document, reference.field)
        require_not_own(fetched.secret, self._session.get().secrets)
        return fetched

    def _mount(self, session: VaultSession, path: str) -> Mount | None:
        """Return the mount of a path; `None` if neither the server nor the store's settings tell it.

        The server is asked once for each mount.
        """
        first = (self._prefix or path).split("/", 1)[0]
        configured = Mount(self._prefix.removesuffix("/") or first, self._kv_version) if self._kv_version else None
        if configured and configured.version == VERSIONED:  # no other engine answers below `data/`
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
                if reply is not None and reply.status not in _REFUSALS:
                    raise SecretUnresolved("secret_backend_unavailable", f"{NAME} answered {reply.status}")
                self._require_valid_token(session)
                self._unknown_mounts.add(first)
        if configured and may_be_reserved(path):
            raise not_kv(path)
        return configured

    def _ask_for_mount(self, session: VaultSession, path: str, *, may_fail: bool) -> RestReply | None:
        """Return the server's reply about the mount of a path; `None` if the call failed and may fail."""
        try:
            return session.client.call("GET", f"sys/internal/ui/mounts/{quote(path)}", repeats=not may_fail)
        except RateLimited:
            raise
        except SecretUnresolved:
            if may_fail:
                return None
            raise

    def _read_of_either_version(self, session: VaultSession, path: str, version: str) -> KvSecret:
        """Return a secret from a mount that the server doesn't tell: it may be missing, or a proxy refused the question."""
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
        if reply.status == _DENIED:  # `_mount` has checked the token
            message = f"the token is good, but has no rights in the mount {first}, if there is one"
            hint = f'correct the mount in the reference, or add to a policy: path "{mount.api_path(path)}" {_READ_CAPABILITY}'
            raise SecretUnresolved("secret_denied", message, hint + self._token_hint)
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
            hint = f'add to a policy: path "{api_path}" {_READ_CAPABILITY}{self._token_hint}'
            raise SecretUnresolved("secret_denied", message, hint)
        raise SecretUnresolved("secret_backend_unavailable", f"{NAME} answered {reply.status}")

    def _raise_token_failure(self) -> None:
        """Raise the failure of the token again, if it was found to be invalid: it is not sent any more.

        Raises:
            SecretUnresolved: `secret_denied`, the token is not valid.
        """
        if (failure := self._token_failure) is not None:
            raise SecretUnresolved(failure.fault.name, failure.message, failure.hint)  # a new exception for each raise

    def _require_valid_token(self, session: VaultSession) -> None:
        """Ask the server whether the token is valid, after a call was refused.

        Raises:
            SecretUnresolved: `secret_denied`, the token is not valid.
        """
        reply = session.client.call("GET", "auth/token/lookup-self")
        if reply.status != _DENIED:
            return
        if _REFUSED_BY_POLICY in describe_errors(reply):
            self._token_hint = "" if session.is_from_login else _WRAPPING_HINT
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
