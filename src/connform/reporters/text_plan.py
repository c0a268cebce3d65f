"""The changes of a plan in the format `text`: what is created, updated, moved and removed. Layer 4, no IO."""

from __future__ import annotations

from connform.grant import describe_grant
from connform.reporters.equal_changes import destination_text, equal_changes
from connform.reporters.terminal import BOLD_YELLOW, DIM, Look, clean
from connform.reporters.text_change import SIGNS, render_changes, value_row
from connform.reporters.view import View
from connform.reporters.wrapping import paragraph


def render_plan(view: View, look: Look) -> list[str]:
    """Return each change once, with the connections that have it; then unverified connections, refusals, the digest."""
    lines: list[str] = []
    if look.verbosity >= 0:
        changes = view["changes"] if "changes" in view else equal_changes(changed_connections(view))
        lines += render_changes(changes, look)
    if unverified := unchanged_with_remarks(view):
        from connform.reporters.text_verdicts import render_verdicts  # only `--refresh` finds some

        lines += render_verdicts({**view, "connections": unverified}, look)
    if view.get("plan") and look.verbosity >= 0:
        for refusal in view["plan"]["refusals"]:
            prefix = look.paint("needs --force: ", BOLD_YELLOW)
            lines += paragraph(refusal, first=prefix, rest="  ", width=look.width)
        lines.append(look.paint(f"digest {view['plan']['digest']}", DIM))
    return lines


def change_counts(view: View) -> list[str]:
    """Return how many changes of each action a plan has, or how many connections `apply` left unchanged."""
    plan = view.get("plan")
    if not plan:
        return []
    if view["command"] == "plan":
        return [f"{plan[action]} to {action}" for action in SIGNS if plan[action]] or ["no changes"]
    return [f"{plan['none']} unchanged"] if plan["none"] else []


def changed_connections(view: View) -> list[View]:
    """Return the connections that a plan changes."""
    return [item for item in view["connections"] if item.get("action") in SIGNS]


def unchanged_with_remarks(view: View) -> list[View]:
    """Return the unchanged connections of a plan that could not be verified, or that a warning is about."""
    return [item for item in view["connections"] if item.get("action") == "none" and _has_remarks(item)]


def _has_remarks(item: View) -> bool:
    return item["verdict"] in {"failed", "unknown"} or bool(item["warnings"])


def describe_change(item: View) -> str:
    """Return the description of a change in one line, for formats without room for more."""
    fields = ["{}: {}".format(*map(str.strip, value_row(field))) for field in item["changes"]]
    moved = [f"{item['moved_from']} → {item['name']}"] if item["moved_from"] else []
    ends = [f"revokes {describe_grant(**item['revokes'])}"] if item["revokes"] else []
    description = "; ".join([*moved, *fields, *item["reasons"], *ends]) or item["base_url"]
    return "; ".join(
        [description, *(f"{clean(send['secret'])} → {clean(destination_text(send))}" for send in item["sends"])]
    )
