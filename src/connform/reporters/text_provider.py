"""The definition of a provider in the format `text`, for `connform providers show`. Layer 4, no IO."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from connform.reporters.table import aligned_rows
from connform.reporters.terminal import clean
from connform.reporters.wrapping import fold_rows

_INDENT = "  "


def render_provider(name: str, title: str, origin: str, entry: Mapping[str, Any] | None, width: int) -> list[str]:
    """Return the lines that say what a definition says; of a provider that is code, one line. Wider rows are wrapped."""
    lines = [f"{clean(name)}: {clean(title)} ({clean(origin)})"]
    for heading, rows in _sections(entry or {}):
        if rows:
            lines += ["", heading, *fold_rows((_INDENT + clean(line) for line in aligned_rows(rows)), width)]
    return lines


def _sections(entry: Mapping[str, Any]) -> Iterator[tuple[str, list[list[str]]]]:
    yield "root", [[text] for key in ("root", "key_page") if (text := entry.get(key))]
    yield "environments", [row for key, one in entry.get("environments", {}).items() for row in _environment(key, one)]
    yield "settings", [_setting(key, one) for key, one in entry.get("settings", {}).items()]
    yield "auth", [_method(key, one) for key, one in entry.get("auth", {}).items()]
    yield "check", [_check(entry["check"])] if "check" in entry else []
    yield "answers", [_answer(row) for row in entry.get("answers", ())]
    yield "sources", [[one["url"], f"read {one['read']}", one.get("says", "")] for one in entry.get("sources", ())]
    yield "assumed", [[key, text] for key, text in entry.get("assumed", {}).items()]


def _environment(name: str, one: Mapping[str, Any]) -> Iterator[list[str]]:
    kind = one.get("class", "production")
    own_root = {"besides": "or base_url", "only": "base_url"}.get(one.get("own_root", ""), "")
    regions = one.get("regions", {})
    for region, values in regions.items():
        yield [name, kind, region, _values(values)]
    if not regions:
        values = {key: one[key] for key in one if key not in {"class", "own_root", "description", "error"}}
        yield [name, kind, "", " ".join(filter(None, (_values(values), own_root)))]


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in values.items())


def _setting(name: str, one: Mapping[str, Any]) -> list[str]:
    return [name, one.get("pattern") or ", ".join(one.get("values", ())), one.get("description", "")]


def _method(name: str, one: Mapping[str, Any]) -> list[str]:
    parts = [one.get("flow", ""), one.get("token_url", ""), one.get("login", {}).get("url", ""), one.get("root", "")]
    parts += [_values(one.get("headers", {})), _values({f"?{key}": text for key, text in one.get("query", {}).items()})]
    parts += [f"Basic {_values(one['basic'])}" if "basic" in one else "", "nothing" if "none" in one else ""]
    return [name, ", ".join(filter(None, parts)), one.get("use", "")]


def _check(check: Mapping[str, Any]) -> list[str]:
    body = json.dumps(check["json"]) if "json" in check else ""
    return [check["method"], check["path"], body, check.get("description", "")]


def _answer(row: Mapping[str, Any]) -> list[str]:
    conditions = [f"code {row['code']}"] if "code" in row else []
    conditions += [f"{name} contains {text}" for name, text in row.get("header", {}).items()]
    conditions += [key for key in ("body", "empty", "own_root") if row.get(key)]
    conditions += [f"text {row['text']}"] if "text" in row else []
    return [" ".join(map(str, row["status"])), ", ".join(conditions), row["means"]]
