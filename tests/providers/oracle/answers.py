"""Judgements of answers that mean the same in every API, as the class used them: redirects, rate limits, server errors."""

from __future__ import annotations

from connform.manifest.urls import host_of
from connform.providers.interface import Answer, Judgement
from connform.retry_after import parse_retry_after

_REDIRECTS = range(300, 400)
_TOO_MANY_REQUESTS = 429
_UNAVAILABLE = (502, 503, 504)
_SERVER_ERRORS = range(500, 600)


def judge_status(answer: Answer) -> Judgement | None:
    """Return the judgement that follows from the status alone (RFC 9110, RFC 6585 §4), or `None`."""
    status = answer.status
    if status in _REDIRECTS:
        # The host only: paths and queries of login pages may hold tokens.
        host = host_of(answer.headers.get("location", ""))
        target = f"the host {host}" if host else "another address"
        return Judgement("http_redirect_refused", f"the server answered {status} and points to {target}")
    if status == _TOO_MANY_REQUESTS:
        return _with_wait("rate_limited", answer)
    if status in _UNAVAILABLE:
        return _with_wait("server_unavailable", answer)
    if status in _SERVER_ERRORS:
        return Judgement("server_error", f"the server answered {status}")
    return None


def _with_wait(fault: str, answer: Answer) -> Judgement:
    wait_s = parse_retry_after(answer.headers.get("retry-after", ""), answer.received_at)
    message = f"the server answered {answer.status}"
    if wait_s is None:
        return Judgement(fault, f"{message} without saying how long to wait")
    facts: dict[str, object] = {"retry_after_s": wait_s}
    message += f" and asks to wait {wait_s:.0f} s"
    if answer.received_at is not None:
        from datetime import timedelta  # imported here to keep the start-up fast

        facts["retry_at"] = (answer.received_at + timedelta(seconds=wait_s)).isoformat(timespec="seconds")
        message += f", until {facts['retry_at']}"
    return Judgement(fault, message, facts=facts)
