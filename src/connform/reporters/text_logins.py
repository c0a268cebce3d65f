"""The logins of OAuth connections in the format `text`: a table, then why those that need one do. Layer 4, no IO."""

from __future__ import annotations

from collections import Counter

from connform.reporters.causes import by_cause
from connform.reporters.table import fitted_rows
from connform.reporters.terminal import BOLD, DIM, Look, clean
from connform.reporters.text_cause import FAILURES, render_cause
from connform.reporters.text_connection import display_name, sign
from connform.reporters.time_ago import time_ago, time_left
from connform.reporters.view import View

NOTHING = "no connection in {} uses OAuth: nothing to log in to"
_COLUMNS = ("login", "connection", "granted", "access token", "refresh", "scopes", "by")
_LEAST_IMPORTANT = (6, 5, 4, 2, 3)
"""Columns, the first to be cut on a narrow terminal first: who granted it, the scopes, …; never the name."""


def render_logins(view: View, look: Look) -> list[str]:
    """Return a table with a row for each OAuth connection; then each cause for which some need a login once."""
    shown = [item for item in view["connections"] if look.verbosity >= 0 or item["verdict"] in FAILURES]
    header = [look.paint(column.upper(), DIM) for column in _COLUMNS]
    rows = [header, *(_row(item, look) for item in shown)] if shown else []
    lines = fitted_rows(rows, look.row_width, _LEAST_IMPORTANT)
    causes = by_cause(item for item in shown if item["verdict"] in FAILURES or item["message"] or item["warnings"])
    for cause in sorted(causes, key=lambda cause: cause.connections[0]["verdict"] in FAILURES):
        lines += ["", *render_cause(cause, look)]
    return lines


def login_counts(view: View) -> list[str]:
    """Return how many connections have a grant, and how many need a login."""
    counts = Counter("granted" if item["login"] == "granted" else "to log in" for item in view["connections"])
    return [f"{counts[word]} {word}" for word in ("granted", "to log in") if counts[word]]


def _row(item: View, look: Look) -> list[str]:
    grant = item["grant"]
    cells = [sign(item["login"], item["verdict"], look), look.paint(display_name(item), BOLD)]
    if not grant:
        return [*cells, *[""] * (len(_COLUMNS) - len(cells))]
    refresh = _until(grant["refresh_token_expires_at"], look) if grant["has_refresh_token"] else "none"
    return [
        *cells,
        time_ago(grant["granted_at"], look.now) if look.now and look.verbosity < 1 else grant["granted_at"],
        _until(grant["access_token_expires_at"], look),
        refresh,
        clean(" ".join(grant["scopes"])),
        clean(grant["account"]),
    ]


def _until(at: str, look: Look) -> str:
    if not at:
        return "unknown"
    return time_left(at, look.now) if look.now and look.verbosity < 1 else f"until {at}"
