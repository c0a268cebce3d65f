"""What the tests of the whole program share: an authority, servers that run as long as a module's tests."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.end_to_end.nginx import HOSTS, certificate
from tests.http.servers import Authority, Behaviour, Server, answer

PACKAGES = b'{"items": [], "total": 0, "take": 1, "skip": 0}'
"""An answer that only iinked Sign gives: the empty list of packages."""


class Issuer(Authority):
    """An authority that hands out files for nginx as well."""

    @property
    def ca(self) -> trustme.CA:
        """The authority itself."""
        return self._ca

    def pem_for(self, *hosts: str, **validity: Any) -> bytes:
        """Return key and certificate for `hosts`, PEM; for loopback unless told."""
        return certificate(self._ca, *hosts, **validity)

    def loopback(self) -> ssl.SSLContext:
        """Return the context of a server on loopback."""
        return self.server(*HOSTS)


class Servers:
    """Starts raw servers that live as long as the tests that share them."""

    def __init__(self, authority: Issuer, stack: ExitStack) -> None:
        self.authority = authority
        self._stack = stack

    def tls(self, behaviour: Behaviour, context: ssl.SSLContext | None = None) -> Server:
        """Return a running server behind TLS."""
        return self._stack.enter_context(Server(behaviour, tls=context or self.authority.loopback()))

    def plain(self, behaviour: Behaviour) -> Server:
        """Return a running server that speaks TCP alone."""
        return self._stack.enter_context(Server(behaviour))

    def iinked_sign(self) -> Server:
        """Return a server that answers as iinked Sign does, whatever it is asked."""
        return self.tls(answer(PACKAGES, "Content-Type: application/json"))


@pytest.fixture(scope="session")
def authority() -> Issuer:
    return Issuer()


@pytest.fixture(scope="session")
def ca_file(authority: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    file.write_bytes(authority.pem)
    return file


@pytest.fixture
def servers(authority: Issuer) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(authority, stack)
