"""The secrets and the backends in the format `text`, for `connform secrets`. Layer 4, no IO."""

from __future__ import annotations

from connform.reporters.causes import Cause, by_cause
from connform.reporters.table import fitted_rows
from connform.reporters.terminal import BOLD, BOLD_RED, DIM, GREEN, Look, clean, format_count
from connform.reporters.text_cause import LISTED, member_names, render_remarks
from connform.reporters.view import View

_LEAST_IMPORTANT = (5, 3, 2, 4)
"""Columns of a secret, the first to be cut on a narrow terminal first: since when, the backend, the reference, the version."""
_LEAST_IMPORTANT_OF_BACKENDS = (2, 3, 1)


def render_secrets(view: View, look: Look) -> list[str]:
    """Return the secrets that were read in a line each or counted; then each cause why others were not once."""
    secrets = [
        {**connection, **secret} for connection in view["connections"] for secret in connection.get("secrets", ())
    ]
    read = [one for one in secrets if not one["class"]] if look.verbosity >= 0 else []
    if look.now and look.verbosity == 0 and len(read) > LISTED:
        lines = [
            f"{look.paint('✓ read', GREEN)}  {format_count(len(read), 'secret')}  {look.paint('-v lists them', DIM)}"
        ]
    else:
        lines = _rows(read, look)
    for cause in by_cause(one for one in secrets if one["class"]):
        lines += ["", *_cause(cause, look)] if lines else _cause(cause, look)
    return lines


def _cause(cause: Cause, look: Look) -> list[str]:
    members = cause.connections
    if len(members) == 1 or look.verbosity > 0:
        return [*_rows(members, look), *render_remarks(cause, look)]
    title = f"✗ {members[0]['class']}"
    lines = [f"{look.paint(title, BOLD_RED)}  {look.paint(format_count(len(members), 'secret'), BOLD)}"]
    return [*lines, *member_names(cause, look), *render_remarks(cause, look)]


def _rows(secrets: list[View], look: Look) -> list[str]:
    return fitted_rows([_row(one, look) for one in secrets], look.row_width, _LEAST_IMPORTANT) if secrets else []


def _row(secret: View, look: Look) -> list[str]:
    glyph = look.paint("✗", BOLD_RED) if secret["class"] else look.paint("✓", GREEN)
    version = f"version {secret['version']}" if secret["version"] else ""
    since = f"since {secret['since']}" if secret["since"] and secret["since"] != secret["version"] else ""
    return [
        f"{glyph} {look.paint(clean(secret['name']), BOLD)}",
        secret["key"],
        clean(secret["reference"]),
        secret["backend"],
        look.paint(secret["class"], BOLD_RED) or clean(version),
        look.paint(since, DIM),
    ]


def render_backends(view: View, look: Look) -> list[str]:
    """Return a table with one row per backend."""
    header = [look.paint(title, DIM) for title in ("SCHEME", "FORM", "FROM", "TO INSTALL")]
    rows = [
        [clean(one["scheme"]), clean(one["form"]), clean(one["package"]), clean(one["missing"]) or look.paint("-", DIM)]
        for one in view["backends"]
    ]
    return fitted_rows([header, *rows], look.row_width, _LEAST_IMPORTANT_OF_BACKENDS)
