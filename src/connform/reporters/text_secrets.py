"""The secrets and the backends in the format `text`, for `connform secrets`. Layer 4, no IO."""

from __future__ import annotations

from connform.reporters.terminal import (
    BOLD,
    BOLD_RED,
    DIM,
    GREEN,
    Painter,
    aligned_rows,
    clean,
    format_place,
    paragraph,
)
from connform.reporters.view import View

_INDENT = "    "


def render_secrets(view: View, paint: Painter, *, width: int, verbosity: int) -> list[str]:
    """Return the connections, each with a row for every secret, and below it why it could not be read."""
    lines: list[str] = []
    for connection in view["connections"]:
        secrets = connection.get("secrets", ())  # absent if the connection has none
        shown = [secret for secret in secrets if verbosity >= 0 or secret["class"]]
        if not shown:
            continue
        lines.append(paint(clean(connection["name"]), BOLD))
        for row, secret in zip(aligned_rows([_row(secret, paint) for secret in shown]), shown, strict=True):
            lines.append(row)
            if secret["class"]:
                for label, text in (
                    ("why: ", secret["message"]),
                    ("help:", secret["hint"]),
                    ("at:  ", format_place(secret)),
                ):
                    rest = _INDENT + " " * (len(label) + 1)
                    lines += paragraph(text, first=f"{_INDENT}{paint(label, BOLD)} ", rest=rest, width=width)
    return lines


def _row(secret: View, paint: Painter) -> list[str]:
    glyph = paint("✗", BOLD_RED) if secret["class"] else paint("✓", GREEN)
    version = f"version {secret['version']}" if secret["version"] else ""
    since = f"since {secret['since']}" if secret["since"] and secret["since"] != secret["version"] else ""
    return [
        f"  {glyph} {secret['key']}",
        clean(secret["reference"]),
        secret["backend"],
        paint(secret["class"], BOLD_RED) or clean(version),
        paint(since, DIM),
    ]


def render_backends(view: View, paint: Painter, *, width: int, verbosity: int) -> list[str]:  # noqa: ARG001  (every body of a report takes these)
    """Return a table with one row per backend."""
    header = [paint(title, DIM) for title in ("SCHEME", "FORM", "FROM", "TO INSTALL")]
    rows = [
        [clean(one["scheme"]), clean(one["form"]), clean(one["package"]), clean(one["missing"]) or paint("-", DIM)]
        for one in view["backends"]
    ]
    return aligned_rows([header, *rows])
