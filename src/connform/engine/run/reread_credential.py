"""The credential of a program that runs for long: its secrets are read again when a server refuses them.

Layer 3; calls the secret backends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

from connform.engine.run.secret_resolver import SecretSource
from connform.engine.run.threads import call_with_limit
from connform.errors import ConnectionFailed
from connform.grant import GrantFacts
from connform.http.net import deadline
from connform.http.settings import NO_LINES, Credential, HeaderLines
from connform.manifest.model import Connection
from connform.secret import Secret

_WRONG_APP = "client_credentials_rejected"


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
        self._read()

    @property
    def scheme(self) -> str:
        """The authentication scheme of the auth method's credential."""
        return self._credential.scheme

    @property
    def facts(self) -> GrantFacts | None:
        """The facts of its grant, if it has one."""
        return self._credential.facts

    def headers(self) -> HeaderLines:
        """Return the header lines; nothing where the secrets are to be read first."""
        return self._credential.headers() if self._generation == self._source.generation else NO_LINES

    def renew(self, refused: HeaderLines = NO_LINES) -> HeaderLines:
        """Return the lines of a credential that may be good: of a renewed token, or of secrets that were read again.

        Raises:
            ConnectionFailed: as the auth method's own credential.
        """
        if self._generation != self._source.generation:
            with suppress(ConnectionFailed):  # the old secrets may still be good; the next request reads again
                self._read()
        credential = self._credential
        lines = credential.headers()
        if lines and lines != refused:
            return lines
        if not credential.is_renewable:
            self._read_again()
            return self._credential.headers()
        try:
            return credential.renew(refused)
        except ConnectionFailed as failure:
            if failure.fault.name != _WRONG_APP or not (self._read_again() or self._credential is not credential):
                raise
        return self._credential.renew(refused)

    def _read(self) -> None:
        generation = self._source.generation
        self._set(self._source.secrets(self._connection))
        self._generation = generation

    def _set(self, secrets: Mapping[str, Secret]) -> None:
        self._credential = self._make(secrets)
        self._lines = HeaderLines(*secrets.items())

    def _read_again(self) -> bool:
        """Make the credential anew if the secrets are others now, and return whether they are.

        If they can't be read, or not in time, the refusal is what the caller should see. A thread reads them: it goes on where
        the caller can't wait, so that the next request finds them.
        """
        try:
            secrets = call_with_limit(partial(self._source.secrets_again, self._connection), deadline.allow(None))
            if HeaderLines(*secrets.items()) == self._lines:
                return False
            self._set(secrets)
        except (ConnectionFailed, TimeoutError):
            return False
        return True
