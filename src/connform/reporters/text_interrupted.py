"""An interrupted run in the format `text`: what was looked at, and the names of the others. Layer 4, no IO."""

from __future__ import annotations

from connform.reporters.terminal import clean
from connform.reporters.view import View

_DONE = {"apply": "applied", "check": "checked", "secrets check": "checked"}


def looked_at(view: View) -> View:
    """Return the view without the connections that the run did not get to."""
    return {**view, "connections": [one for one in view["connections"] if not _is_missing(one)]}


def interruption_line(view: View, width: int) -> str:
    """Return `interrupted: 3 of 6 checked; not looked at: crm-eu, mail and 1 more`, with as many names as fit into `width` columns."""
    missing = [clean(one["name"]) for one in view["connections"] if _is_missing(one)]
    planned = len([one for one in view["connections"] if view["command"] != "apply" or one["action"] != "none"])
    counts = f"{planned - len(missing)} of {planned} {_DONE[view['command']]}" if view["command"] in _DONE else ""
    head = "interrupted" + (f": {counts}" if counts else "")
    for number in range(len(missing), 0, -1):
        more = f" and {len(missing) - number} more" if number < len(missing) else ""
        line = f"{head}; not looked at: {', '.join(missing[:number])}{more}"
        if len(line) <= width or number == 1:
            return line
    return head


def _is_missing(connection: View) -> bool:
    return connection["verdict"] == "skipped" and bool(connection["message"])
