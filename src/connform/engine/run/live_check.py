"""Live check of connections: one read-only request on a connection of its own, with a verdict and the time of each stage.

Layer 3; uses the network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from connform.diagnostics import Span
from connform.engine.connection_report import ConnectionReport, Remark
from connform.engine.load.catalog import has_grant, provider_of
from connform.engine.load.scopes import requested_scopes, ungranted
from connform.engine.run.client import client_settings
from connform.engine.run.context import RunContext
from connform.engine.run.describe import describe, with_failure
from connform.engine.run.timeline import Timeline
from connform.errors import ConnectionFailed
from connform.faults import FAULTS, Stage, Verdict
from connform.grant import GrantFacts
from connform.http.net.steps import Steps, run_async
from connform.http.plain_request import plain_request
from connform.http.single_request import SingleAnswer, send_once
from connform.manifest.harmless import mask_generated_text
from connform.manifest.model import Connection
from connform.providers.answers import judge_certificate
from connform.providers.interface import Answer, CheckRequest, Judgement

TIMEOUT_S = 10.0
"""The default limit of a whole check."""
MAX_BODY_BYTES = 1024 * 1024
_REFUSALS = {"auth_rejected", "auth_denied"}
CERTIFICATE_WARNING = timedelta(days=14)


async def check_connection(connection: Connection, context: RunContext, timeout_s: float | None) -> ConnectionReport:
    """Return the verdict on one connection; a `ConnectionFailed` is part of the verdict, and isn't raised."""
    from connform.http.net.asyncio_wait import (
        wait_on_asyncio,
    )  # the verb `check` needs no asyncio, whose import takes 13 ms

    return await run_async(check_steps(connection, context, timeout_s), wait_on_asyncio)


def check_steps(connection: Connection, context: RunContext, timeout_s: float | None) -> Steps[ConnectionReport]:
    """Do the same as steps."""
    timeline = Timeline()
    total_s = timeout_s or min(TIMEOUT_S, connection.timeouts.total_s)
    try:
        judgement = yield from _send_check_request(connection, context, total_s, timeline)
    except ConnectionFailed as failure:
        judgement = Judgement(failure.fault.name, failure.message, failure.hint)
    return _report(connection, judgement, timeline)


def _send_check_request(
    connection: Connection, context: RunContext, total_s: float, timeline: Timeline
) -> Steps[Judgement]:
    api = provider_of(connection)
    request = api.check_request(connection)
    timeline.done(Stage.CONFIG, **_config_facts(connection, request))
    settings = client_settings(connection, context, total_s=total_s)
    timeline.base_url, timeline.credential = settings.base_url, settings.credential
    timeline.done(Stage.SECRET)
    wire = plain_request(settings, request.method, request.path, request.json)
    answer = _answer((yield from send_once(settings, timeline, wire, MAX_BODY_BYTES)))
    body = answer.body
    judgement = judge_certificate(answer.status, body or b"") or api.judge(connection, answer)
    if judgement.fault == "http_not_this_api" and body is None:
        message = f"the answer is larger than {MAX_BODY_BYTES} bytes, and none that this API gives to a check"
        raise ConnectionFailed("http_too_large", message)
    if not judgement.fault or FAULTS[judgement.fault].stage is Stage.AUTH:
        timeline.done(Stage.HTTP, http_status=answer.status)
        if not judgement.fault:
            timeline.remarks += _missing_scopes(connection, timeline.grant)
            timeline.done(Stage.AUTH)
            timeline.stage(Stage.LATENCY, timeline.latency_s, judgement.facts)
    return judgement


def _config_facts(connection: Connection, request: CheckRequest) -> dict[str, object]:
    """Return what the check sends, and the files that decide about TLS, for `-vv`."""
    tls = connection.tls
    files = {"ca_file": tls.ca_file, "client_cert": tls.client_cert, "client_key": tls.client_key}
    return {
        "method": request.method,
        "path": mask_generated_text(request.path),
        **{name: str(file) for name, file in files.items() if file},
    }


def _answer(received: SingleAnswer) -> Answer:
    status, headers, body = received
    data = body or b""
    try:
        content, is_json = _JSON.decode(data.decode(json.detect_encoding(data), "surrogatepass")), True
    except (ValueError, RecursionError):
        content, is_json = None, False
    return Answer(status, headers, content, is_json, received_at=datetime.now(UTC), body=body)


def _refuse(constant: str) -> None:
    """Refuse `NaN` and `Infinity`, which Python writes and JSON lacks (RFC 8259 §6)."""
    raise ValueError(constant)


_JSON = json.JSONDecoder(parse_constant=_refuse)
"""`json.loads` would make a decoder for each answer."""


def _report(connection: Connection, judgement: Judgement, timeline: Timeline) -> ConnectionReport:
    report = describe(connection, timeline.base_url, verdict=Verdict.READY, message=judgement.message)
    if judgement.fault:
        hint = judgement.hint
        if judgement.fault in _REFUSALS and has_grant(connection):
            hint = f"the customer may have withdrawn access, or may not do this: run `connform login {connection.name}`"
        elif judgement.fault in _REFUSALS and (page := provider_of(connection).instance(connection).key_management_url):
            hint = f"{hint or FAULTS[judgement.fault].hint}; keys are made at {page}"
        report = with_failure(report, ConnectionFailed(judgement.fault, judgement.message, hint))
    return report._replace(
        elapsed_s=timeline.elapsed_s,
        stages=timeline.stages(report.stage, judgement.facts),
        warnings=tuple(_warnings(timeline)),
        place=_span_of_failure(connection, judgement) if judgement.message else report.place,
        grant=timeline.grant,
    )


def _missing_scopes(connection: Connection, grant: GrantFacts | None) -> Iterator[Remark]:
    """Yield a remark if a customer granted fewer scopes than the manifest requests (RFC 6749 §3.3)."""
    requested = requested_scopes(connection.settings, connection.definition)
    if grant and (text := ungranted(requested, grant)):
        yield Remark("scopes-not-granted", text)


def _warnings(timeline: Timeline) -> Iterator[Remark]:
    yield from timeline.remarks
    expires_at = timeline.facts(Stage.TLS).get("cert_expires_at")
    if isinstance(expires_at, str):
        remaining = datetime.fromisoformat(expires_at) - datetime.now(UTC)
        if remaining < CERTIFICATE_WARNING:
            text = f"the server's certificate ends in {max(remaining.days, 0)} days, at {expires_at}: have it renewed"
            yield Remark("certificate-ends-soon", text)


def _span_of_failure(connection: Connection, judgement: Judgement) -> Span:
    """Return the span of the secret reference that the failure's message names; else the span of the connection's name."""
    for key, reference in connection.references.items():
        if re.search(rf"`{key}`|{re.escape(str(reference))}(?![^\s),])", judgement.message):
            return connection.place_of_secret(key)
    return connection.span
