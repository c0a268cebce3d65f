"""What the log `connform.http` says of the steps of an exchange: answers, failures, renewals, and waits before another attempt.

Layer 1, no IO, reads the clock.
"""

from __future__ import annotations

from typing import Any, TypeVar

from connform.errors import ConnectionFailed
from connform.http import retry
from connform.http.exchange import ExchangeSteps, Renew, SendRequest, Wait
from connform.http.request_log import RequestLog

T = TypeVar("T")


def logged(steps: ExchangeSteps[T], log: RequestLog) -> ExchangeSteps[T]:
    """Yield the same steps and return the same, and write what is done to the log."""
    try:
        step = next(steps)
        while True:
            _write_before(step, log)
            try:
                outcome = yield step
            except BaseException as error:  # noqa: BLE001  (the steps raise it again)
                step = steps.throw(error)
            else:
                if isinstance(step, SendRequest):
                    _write_outcome(outcome, log)
                step = steps.send(outcome)
    except StopIteration as stop:
        result: T = stop.value
        return result


def _write_before(step: object, log: RequestLog) -> None:
    match step:
        case SendRequest():
            log.sends()
        case Wait(seconds):
            log.write("waits %.1f s, then is sent", seconds)
        case Renew(_, refused):
            log.write(
                "asks for another credential: %s", "this one was refused" if refused else "there is none to send yet"
            )


def _write_outcome(outcome: Any, log: RequestLog) -> None:
    if isinstance(outcome, ConnectionFailed):
        log.failed(outcome)
        return
    log.answered(outcome)
    headers = {name.lower(): value.decode("latin-1") for name, value in outcome.headers}
    asked_s = retry.asked_s(outcome.status, headers.get(b"retry-after", ""), headers.get(b"date", ""))
    if asked_s is not None:
        log.write("the server asks to wait for %.1f s (Retry-After)", asked_s)
    if b"location" in headers:
        log.redirects(headers[b"location"])
