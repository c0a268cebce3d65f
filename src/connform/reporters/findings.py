"""`ReportFinding`: a diagnostic, a failed connection or a warning, in one form for formats that list findings. Layer 4, no IO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from connform.reporters.terminal import format_place
from connform.reporters.view import View

_NOWHERE: View = {"file": "", "line": None, "column": None, "end_line": None, "end_column": None}


class ReportFinding(NamedTuple):
    """One error or warning of a run."""

    severity: str
    """`error` or `warning`."""
    code: str
    """Code of a diagnostic or of a policy, or class of a failure."""
    summary: str
    """One line; the same for all findings of the code."""
    text: str
    """What, why, and what to do."""
    connection: str
    """The connection concerned, or empty."""
    place: View
    """`file`, `line`, `column`, `end_line`, `end_column`; without a place, an empty file and `None`."""
    related: list[View]
    """Other places that matter, each with its `message`."""
    fix: list[View]
    """Edits that correct it, or an empty list."""
    fingerprint: str
    """An identifier that stays the same when lines move. It is made of names alone, never of a value."""
    number: int = 1
    """How many mistakes it stands for."""

    @property
    def has_file(self) -> bool:
        """Whether it has a place in a file, which standard input is not."""
        return self.place["file"] not in {"", "<stdin>"}

    @property
    def text_with_related(self) -> str:
        """The text with the other places, for formats that have no field for them."""
        return "; ".join((self.text, *(f"{one['message']}: {format_place(one)}" for one in self.related)))


def findings(view: View) -> list[ReportFinding]:
    """Return the findings of the diagnostics, then those of the connections and of `doctor`, each in the order of the view."""
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for finding, pointer in (*_of_diagnostics(view), *_of_connections(view), *_of_doctor(view)):
        identity = (finding.code, finding.place["file"], finding.connection, pointer)
        seen[identity] += 1
        digest = sha256("\0".join((*identity, str(seen[identity]))).encode("utf-8", "backslashreplace"))
        found.append(finding._replace(fingerprint=digest.hexdigest()[:32]))
    return found


def _of_diagnostics(view: View) -> Iterator[tuple[ReportFinding, str]]:
    for one in view["diagnostics"]:
        text = _with_hint(one["detail"] or one["summary"], one["hint"])
        finding = ReportFinding(
            one["severity"],
            one["code"],
            one["summary"],
            text,
            one["connection"],
            one,
            one["related"],
            one["fix"],
            "",
            one["count"],
        )
        yield finding, one["pointer"]


def _of_connections(view: View) -> Iterator[tuple[ReportFinding, str]]:
    for one in view["connections"]:
        items = [("warning", *item) for item in zip(one["warning_codes"], one["warnings"], strict=True)]
        if one["verdict"] in {"failed", "unknown"}:
            items.append(("error", one["class"], _with_hint(one["message"], one["hint"])))
        for severity, code, text in items:
            summary = code.replace("_", " ").replace("-", " ")
            yield ReportFinding(severity, code, summary, f"{one['name']}: {text}", one["name"], one, [], [], ""), ""


def _of_doctor(view: View) -> Iterator[tuple[ReportFinding, str]]:
    severities = {"note": "warning", "problem": "error"}
    for one in view.get("findings", ()):
        if severity := severities.get(one["status"]):
            section, text = one["section"], _with_hint(one["message"], one["hint"])
            summary = f"what connform needs: {section}"
            yield (
                ReportFinding(
                    severity, f"doctor-{section}", summary, f"{one['name']}: {text}", "", _NOWHERE, [], [], ""
                ),
                one["name"],
            )


def _with_hint(text: str, hint: str) -> str:
    return f"{text} ({hint})" if hint else text


def mistake_count(found: Iterable[ReportFinding]) -> int:
    """Return how many mistakes findings stand for."""
    return sum(one.number for one in found)


def grouped(found: Iterable[ReportFinding], key: Callable[[ReportFinding], str]) -> dict[str, list[ReportFinding]]:
    """Return the findings by key, in their order."""
    groups: dict[str, list[ReportFinding]] = {}
    for one in found:
        groups.setdefault(key(one), []).append(one)
    return groups
