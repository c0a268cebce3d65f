"""Interrupts a request at every line of Python below httpx, one after the other, and fails where the credential is shown.

Run as a program: it needs a trace function of its own. `tests.tracebacks.test_interruptions` does.
"""

from __future__ import annotations

import contextvars
import faulthandler
import gc
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, TypeAlias

from connform.http import sync_client
from connform.http.credential import Credential, HeaderLines
from connform.secret import Secret
from tests.canary import API_KEY
from tests.http.exchanging import HASTY, settings_for
from tests.http.servers import Authority, Server, answer
from tests.tracebacks.walk import assert_hidden

BELOW = ("/connform/", "/httpcore/", "/h11/", "/ssl.py")

Place: TypeAlias = "tuple[CodeType, int]"


class InHeaderAndQuery(Credential):
    """A credential that goes through all the code there is for credentials."""

    lines = HeaderLines(("X-Api-Key", Secret(API_KEY)), parameters=[("api_key", Secret(API_KEY))])

    def headers(self) -> HeaderLines:
        return self.lines


class Interruption(BaseException):
    """As a signal handler raises it."""


def lines_of(work: Callable[[], object]) -> list[Place]:
    """Return every line that is run, once."""
    seen: dict[Place, None] = {}

    def local(frame: FrameType, event: str, _argument: object) -> Any:
        if event == "line":
            seen[frame.f_code, frame.f_lineno] = None
        return local

    def called(frame: FrameType, _event: str, _argument: object) -> Any:
        return local if any(part in frame.f_code.co_filename for part in BELOW) else None

    _traced(work, called)
    return list(seen)


def interrupted(work: Callable[[], object], place: Place) -> BaseException | None:
    """Return what comes out of `work` when it is interrupted at a line."""

    def local(frame: FrameType, event: str, _argument: object) -> Any:
        if event == "line" and (frame.f_code, frame.f_lineno) == place:
            raise Interruption
        return local

    def called(frame: FrameType, _event: str, _argument: object) -> Any:
        return local if frame.f_code is place[0] else None

    try:
        _traced(work, called)
    except BaseException as error:  # noqa: BLE001  (looked at by the caller)
        return error
    return None


def _traced(work: Callable[[], object], trace: Any) -> None:
    sys.settrace(trace)
    try:
        contextvars.copy_context().run(work)  # a deadline that is left behind there is nobody's
    finally:
        sys.settrace(None)


def main() -> None:
    faulthandler.dump_traceback_later(100, exit=True)
    authority = Authority()
    echo = f"Location: /x?api_key={API_KEY}"
    with Server(answer(b"{}", echo), tls=authority.server(), ca_pem=authority.pem) as server:
        settings = settings_for(server, **{**HASTY, "total_s": 20}, credential=InHeaderAndQuery())

        def work() -> None:
            with sync_client(settings) as client:
                client.post("/x", content=b"{}")

        work()
        places = lines_of(work)
        interruptions = 0
        for code, line in places:
            error = interrupted(work, (code, line))
            if error is not None:
                assert_hidden(error, f"{code.co_qualname}, line {line}")
            interruptions += isinstance(error, Interruption)
            del error
        gc.collect()  # a client whose end was interrupted keeps a socket open, for which the server would wait
    assert interruptions > len(places) * 0.9
    print(len(places))


if __name__ == "__main__":
    main()
