"""What a page says of a connection: its verdict, its times, its ends, from a check, from recorded checks or from a record. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from connform.faults import FAULTS, Stage
from connform.reporters.view import View

WORDS = {"failed": "failed", "unknown": "unknown", "ready": "ready", "skipped": "not looked at", "": "declared"}
"""Verdict → its word, the most urgent first; without a verdict, a connection is only declared."""
SIGNS = {"failed": "✗", "unknown": "?", "ready": "✓", "skipped": "-", "": "·", "error": "✗", "warning": "!"}
"""Verdict, or severity → its sign."""


class End(NamedTuple):
    """A certificate or a grant that ends."""

    at: str
    """When, ISO 8601."""
    what: str
    """What ends, with the host or the account."""
    connection: View
    """The connection that depends on it."""


def settled(item: View) -> View:
    """Return a connection with an outcome: its own, else that of its latest recorded check or attempt, if there is one."""
    if item["verdict"]:
        return item
    recorded = item.get("recorded") or {}
    known = [one for one in (item.get("checks"), recorded.get("latest")) if one]
    if not known:
        return item
    latest = max(known, key=lambda one: str(one["at"]))
    fault = FAULTS.get(latest.get("class", ""))
    outcome = {key: latest.get(key, "") for key in ("verdict", "class", "stage", "message", "hint")}
    outcome["hint"] = outcome["hint"] or (fault.hint_for(item["name"]) if fault else "")
    outcome["stage"] = outcome["stage"] or (str(fault.stage) if fault else "")
    return {**item, **outcome, "stages": latest.get("stages", [])}


def checked(item: View) -> View:
    """Return the latest record of a check or an attempt, with `at` and perhaps `by`; empty where nothing is recorded."""
    known = [one for one in (item.get("checks"), (item.get("recorded") or {}).get("latest")) if one]
    return max(known, key=lambda one: str(one["at"]), default={})


def since(item: View) -> str:
    """Return since when a connection has its verdict, ISO 8601; empty where no checks are recorded."""
    checks = item.get("checks") or {}
    return str(checks.get("since", "")) if checks.get("verdict") == item["verdict"] else ""


def latency_ms(item: View) -> float | None:
    """Return the time from the check request to the end of its answer; `None` where nobody answered."""
    stages = {stage["name"]: stage for stage in item["stages"] if stage["status"] == "ok"}
    if Stage.LATENCY in stages and stages[Stage.LATENCY]["elapsed_ms"]:
        return float(stages[Stage.LATENCY]["elapsed_ms"])
    known = checked(item).get("latency_ms")
    return None if known is None else float(known)


def certificate_end(item: View) -> str:
    """Return when the server's certificate ends, ISO 8601; or an empty text."""
    of_stages = (str(stage.get("cert_expires_at", "")) for stage in item["stages"])
    return next(filter(None, of_stages), "") or str(checked(item).get("certificate_expires_at", ""))


def ends(items: Iterable[View]) -> Iterator[End]:
    """Yield the certificates and grants that connections depend on."""
    for item in items:
        if at := certificate_end(item):
            yield End(at, f"certificate of {host(item)}", item)
        grant = item.get("grant") or {}
        if at := str(grant.get("refresh_token_expires_at") or checked(item).get("grant_ends_at", "")):
            yield End(at, " ".join(("grant", *(["of", grant["account"]] if grant.get("account") else []))), item)
        elif grant and not grant["has_refresh_token"] and grant["access_token_expires_at"]:
            yield End(grant["access_token_expires_at"], "access token, which can't be renewed", item)


def host(item: View) -> str:
    """Return the host of a connection's API root, with the port if one is named; the whole address where there is none."""
    address = str(item["base_url"])
    return address.partition("://")[2].partition("/")[0] or address


def where(item: View) -> str:
    """Return the environment and the region, or an empty text."""
    return " / ".join(filter(None, (item["environment"], item["region"])))
