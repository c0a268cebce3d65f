"""The credential of a program that runs for long: its secrets are read again when a server refuses them.

Layer 3; calls the secret backends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from threading import TIMEOUT_MAX

from connform.engine.run.secret_resolver import SecretSource, are_same
from connform.engine.run.threads import at_most, call_each
from connform.errors import ConnectionFailed
from connform.grant import GrantFacts
from connform.http.credential import NO_LINES, Credential, HeaderLines
from connform.http.net import deadline
from connform.issued_token import TokenFacts
from connform.manifest.model import Connection
from connform.secret import Secret

_WRONG_APP = "client_credentials_rejected"
_MAX_REREADS = 2
"""In one renewal: a client secret may be replaced again just when it was read."""


class RereadCredential(Credential):
    """A credential that is made anew from secrets that were read again. Threads and tasks may share it."""

    is_renewable = True

    def __init__(
        self, connection: Connection, source: SecretSource, make: Callable[[Mapping[str, Secret]], Credential]
    ) -> None:
        """Read the secrets, and make the credential of an auth method from them.

        Args:
            connection: whose secrets.
            source: where they are read.
            make: `AuthMethod.credential`, of the secrets alone.

        Raises:
            ConnectionFailed: a secret can't be read, or is malformed.
        """
        self._connection = connection
        self._source = source
        self._make = make
        self._generation = source.generation
        secrets = source.secrets(connection)
        self._current = make(secrets), secrets

    @property
    def expires(self) -> bool:
        """Whether the auth method's own credential is renewed."""
        return self._current[0].is_renewable

    @property
    def scheme(self) -> str:
        """The authentication scheme of the auth method's credential."""
        return self._current[0].scheme

    @property
    def facts(self) -> GrantFacts | TokenFacts | None:
        """The facts of its grant or issued token, if it has one."""
        return self._current[0].facts

    def headers(self) -> HeaderLines:
        """Return the header lines; nothing where others may have to be made first."""
        return self._current[0].headers() if self._generation == self._source.generation else NO_LINES

    def renew(self, refused: HeaderLines = NO_LINES) -> HeaderLines:
        """Return the lines of a credential that may be good: of a renewed token, or of secrets that were read again.

        Raises:
            ConnectionFailed: as the auth method's own credential.
        """
        if self._generation != self._source.generation:
            with suppress(ConnectionFailed):  # the old secrets may still be good; the next request reads again
                self._read()
        credential, secrets = self._current
        lines = credential.headers()
        if lines and lines != refused:
            return lines
        if not credential.is_renewable:
            self._read_again(secrets)
            return self._current[0].headers()
        for _ in range(_MAX_REREADS):
            credential, secrets = self._current
            try:
                return credential.renew(refused)
            except ConnectionFailed as failure:
                if failure.fault.name != _WRONG_APP or not self._read_again(secrets):
                    raise
        return self._current[0].renew(refused)

    def _read(self) -> None:
        """Take the secrets that were read last; they are read unless they are known."""
        generation = self._source.generation
        secrets = self._source.secrets(self._connection)
        if secrets != self._current[1]:  # other objects: they were read since, perhaps because somebody asked for it
            self._current = self._make(secrets), secrets
        self._generation = generation

    def _read_again(self, refused: Mapping[str, Secret]) -> bool:
        """Make the credential anew if the secrets are others now, and return whether they are others than those refused.

        If they can't be read, or not in time, the refusal is what the caller should see. A thread reads them: it goes on where
        the caller can't wait, so that the next request finds them.
        """
        read = partial(self._source.secrets_again, self._connection)
        try:
            [(_, future)] = call_each(read, deque([refused]), at_most(1), deadline.allow(None) or TIMEOUT_MAX)
            secrets = future.result(0)
            credential, known = self._current
            self._current = credential if are_same(secrets, known) else self._make(secrets), secrets
        except (ConnectionFailed, TimeoutError):
            return False
        return not are_same(secrets, refused)
