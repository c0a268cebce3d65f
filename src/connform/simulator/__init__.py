"""Turns this process into an iinked Sign: an embedded simulator for rehearsals and tests.

Layer 2; IO: loopback, once started. Real TLS with a CA of its own, the real host names, synthetic credentials and
answers. Needs the extra `connform[simulator]`; importing this module doesn't.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from connform.errors import ConnformError
from connform.simulator.api import Api
from connform.simulator.credentials import Credentials
from connform.simulator.faults import REPLIES
from connform.simulator.messages import Reply, Request, SeenRequest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    from connform.simulator.server import Server

__all__ = ["SeenRequest", "Simulator"]

_REMEMBERED_REQUESTS: Final = 10_000


class Simulator:
    """An iinked Sign on 127.0.0.1, in threads of this process; a context manager.

    Each start makes a new CA; credentials, faults and the record of requests outlive a stop.
    """

    def __init__(self, *, port: int = 0, faults: Mapping[str, str] | None = None) -> None:
        """Prepare a simulator; `faults` are host names with the fault that each shows (see `fail`).

        Args:
            port: where to listen once started; 0 lets the system choose.
            faults: as if `fail` were called with each pair.

        Raises:
            ConnformError: there is no such fault.
        """
        self._port = port
        self._server: Server | None = None
        self._credentials = Credentials()
        self._api = Api(self._credentials)
        self._faults: dict[str, str] = {}
        self._requests: deque[SeenRequest] = deque(maxlen=_REMEMBERED_REQUESTS)
        for host, fault in (faults or {}).items():
            self.fail(host, fault)

    def start(self) -> Self:
        """Listen; nothing happens if it does already.

        Raises:
            ConnformError: an optional library is missing.
            OSError: the port is taken.
        """
        from connform.simulator.server import Server

        if self._server is None:
            self._server = Server(self._port, self._answer, self._requests.append)
        return self

    def stop(self) -> None:
        """End every connection, join every thread and release the port; nothing happens if it did already."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens: IP address and port."""
        return self._started().address

    @property
    def ca_pem(self) -> bytes:
        """The certificate of its CA, PEM."""
        return self._started().certificates.ca_pem

    @property
    def requests(self) -> list[SeenRequest]:
        """The requests seen so far, oldest first, the last 10,000 at most: neither headers nor bodies."""
        return list(self._requests)

    def route(self, host: str, port: int) -> tuple[str, int]:  # noqa: ARG002  (every port leads here)
        """Return what to connect to instead of `host` and `port`; a certificate of that name will be shown there."""
        server = self._started()
        server.certificates.cover(host)
        return server.address

    def issue_api_key(self, host: str = "") -> str:
        """Return a fresh synthetic API key, accepted on `host` only, or on any host if that is empty."""
        return self._credentials.issue_api_key(host)

    def issue_token(self, host: str = "") -> str:
        """Return a fresh synthetic bearer token, accepted on `host` only, or on any host if that is empty."""
        return self._credentials.issue_token(host)

    def fail(self, host: str, fault: str) -> None:
        """From now on answer every request to `host` with a fault, by its name in `connform.faults`; "" ends that.

        Raises:
            ConnformError: the simulator doesn't know the fault.
        """
        if not fault:
            self._faults.pop(host.lower(), None)
        elif fault in REPLIES:
            self._faults[host.lower()] = fault
        else:
            message = f"the simulator has no fault {fault!r}; it has: {', '.join(sorted(REPLIES))}"
            raise ConnformError(message)

    def _answer(self, request: Request) -> Reply:
        fault = self._faults.get(request.host)
        return REPLIES[fault] if fault else self._api.answer(request)

    def _started(self) -> Server:
        if self._server is None:
            message = "the simulator is not started: use it in a `with` statement, or call start()"
            raise ConnformError(message)
        return self._server
