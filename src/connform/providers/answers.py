"""Judgements of answers that mean the same in every API: redirects, rate limits, server errors.

Layer 2, no IO, no clock. Statuses with a meaning in one API only are judged by its provider.
"""

from __future__ import annotations

from connform.manifest.urls import host_of
from connform.providers.interface import Answer, Judgement
from connform.retry_after import parse_retry_after

_NO_CLIENT_CERTIFICATE = (b"No required SSL certificate was sent", b"The SSL certificate error")
"""Texts of nginx with status 400 where the client sends no certificate, or one that it does not accept.

Source: the error pages of nginx 1.22.1 (its statuses 496 and 495), read from the program on 2026-11-28.
"""
_BAD_REQUEST = 400
_REDIRECTS = range(300, 400)
_TOO_MANY_REQUESTS = 429
_UNAVAILABLE = (502, 503, 504)
_SERVER_ERRORS = range(500, 600)


def judge_certificate(status: int, body: bytes) -> Judgement | None:
    """Return a judgement if an HTTP answer says that the server requires a client certificate; else `None`."""
    if status != _BAD_REQUEST or not any(words in body for words in _NO_CLIENT_CERTIFICATE):
        return None
    message = "the server demands a client certificate, and got none that it accepts"
    return Judgement(
        "tls_protocol", message, "name one that the server's operators issued: `tls: {client_cert, client_key}`"
    )


def judge_status(answer: Answer) -> Judgement | None:
    """Return the judgement that follows from the status alone (RFC 9110, RFC 6585 §4), or `None`."""
    status = answer.status
    if status in _REDIRECTS:
        # The host only: paths and queries of login pages may hold tokens.
        host = host_of(answer.headers.get("location", ""))
        target = f"the host {host}" if host else "another address"
        return Judgement("http_redirect_refused", f"the server answered {status} and points to {target}")
    if status == _TOO_MANY_REQUESTS:
        return with_wait("rate_limited", answer)
    if status in _UNAVAILABLE:
        return with_wait("server_unavailable", answer)
    if status in _SERVER_ERRORS:
        return Judgement("server_error", f"the server answered {status}")
    return None


def with_wait(fault: str, answer: Answer) -> Judgement:
    """Return the judgement of an answer that asks to wait (RFC 9110 §10.2.3), with how long."""
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
