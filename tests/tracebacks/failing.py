"""Fails with what requests, token endpoints and signals raise, under collectors of errors; `test_collectors` runs it by pytest with --showlocals.

Each failure is shown to Sentry as its SDK is by default, and to rich with its locals, into the folder that SHOWN names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import rich.traceback
import sentry_sdk

from connform.auth.oauth import token_call
from connform.http import sync_client
from tests.http.servers import Authority
from tests.tracebacks import grants, requests
from tests.tracebacks.test_interruptions import Interruption, interrupted_by, stalled

FOLDER = Path(os.environ["SHOWN"])
CUT_SHORT = ("handshake", "write, TLS", "read, plain", "read of the body, https proxy")
_WHOLE = 10_000_000
"""No limit of rich's."""
pytest.MonkeyPatch().setattr(token_call, "CALL_S", 1.0)

ENVELOPES: list[Any] = []


class _Kept(sentry_sdk.Transport):
    def capture_envelope(self, envelope: sentry_sdk.envelope.Envelope) -> None:
        ENVELOPES.append(envelope)


sentry_sdk.init(dsn="http://public@127.0.0.1:9/1", transport=_Kept)


def _errors() -> Iterator[tuple[str, BaseException]]:
    authority = Authority()
    with ExitStack() as stack:
        failing = requests.failing(stack, authority, FOLDER)
        short = {name: request for name, request in failing.items() if not re.search("endless|bomb|kB", name)}
        yield from requests.errors_of(short, _methods).items()
        yield from grants.errors_of(stack, authority).items()
    for place in CUT_SHORT:
        with stalled(place, authority, FOLDER) as settings, sync_client(settings) as client:
            try:
                with interrupted_by(Interruption):
                    client.post("/x", content=b"{}")
            except Interruption as error:
                yield place, error


def _methods(number: int, mode: str) -> tuple[str, ...]:
    """Return one method for each request; with trio everything looks as with asyncio."""
    return (list(requests.SECRETS)[number % len(requests.SECRETS)],) if mode != "trio" else ()


def _shape(error: BaseException) -> tuple[object, ...]:
    """Return what two errors have in common that look alike to a collector: their frames."""
    shape: list[object] = [type(error)]
    trace = error.__traceback__
    while trace is not None:
        shape.append((trace.tb_frame.f_code, trace.tb_lineno))
        trace = trace.tb_next
    return tuple(shape)


ERRORS = {_shape(error): (name, error) for name, error in _errors()}


@pytest.mark.parametrize(("name", "error"), ERRORS.values(), ids=[name for name, _ in ERRORS.values()])
def test_that_fails(name: str, error: BaseException) -> None:
    sentry_sdk.capture_exception(error)
    with (FOLDER / "rich").open("a") as file:
        file.write(_locals_in_rich(error))
    raise error


def _locals_in_rich(error: BaseException) -> str:
    """Return the locals that rich shows of each frame; to colour the source around them would take seconds."""
    extracted = rich.traceback.Traceback.extract(
        type(error), error, error.__traceback__, show_locals=True, locals_max_length=_WHOLE, locals_max_string=_WHOLE
    )
    frames = [frame for stack in extracted.stacks for frame in stack.frames]
    return "\n".join(f"{name} = {node}" for frame in frames for name, node in (frame.locals or {}).items())


def teardown_module() -> None:
    sentry_sdk.flush()
    (FOLDER / "sentry").write_bytes(b"\n".join(envelope.serialize() for envelope in ENVELOPES))
