"""`connform state copy` and `state rotate-key`: what they do, in sentences. Layer 5, no IO of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connform.engine.run.state_location import StateLocation

_COUNTED = {
    "connform_connections": ("connection", "connections"),
    "connform_history": ("attempt", "attempts"),
    "connform_meta": ("former specification", "former specifications"),
    "connform_checks": ("recorded check", "recorded checks"),
    "connform_verdicts": ("change of verdict", "changes of verdict"),
    "connform_hours": ("hourly figure", "hourly figures"),
    "connform_grants": ("grant", "grants"),
    "connform_tokens": ("issued token", "issued tokens"),
}
"""What the rows of a table are, one and several."""


def copy(
    files: Sequence[str],
    state: StateLocation,
    lock_timeout_s: float,
    *,
    to_url: str,
    to_key: str | None,
    force: bool,
) -> str:
    """Copy the state, and return what to print; arguments and errors as for `copy_state`."""
    from connform.engine.state_copy import copy_state

    to = StateLocation(to_url, to_key or "", state.repository, state.root)
    copied = copy_state(files, state=state, to=to, lock_timeout_s=lock_timeout_s, force=force)
    if copied.counts is None:
        return f"nothing to do: this state was copied to {copied.target} before, and that copy has been in use since\n"
    sources = " and ".join(copied.sources)
    key = f", and its key with --state-key {to_key} (CONNFORM_STATE_KEY)" if to_key else ""
    return (
        f"copied to {copied.target}: {_describe(copied.counts)}\n"
        f"{sources}: only read from now on, since a grant may be renewed in one place alone\n"
        f"next: name the new state wherever connform runs, with --state (CONNFORM_STATE){key}; then delete the old one\n"
    )


def rotate(files: Sequence[str], state: StateLocation, lock_timeout_s: float, *, new_key: str | None) -> str:
    """Seal grants and tokens with another key, and return what to print; arguments and errors as for `rotate_key`."""
    from connform.engine.state_key import rotate_key

    rotations = rotate_key(files, state=state, new_key=new_key or "", lock_timeout_s=lock_timeout_s)
    lines = []
    for place, key, sealed in rotations:
        if sealed is None:
            lines.append(f"{place}: nothing to do: no grant and no token is sealed with another key than {key}\n")
        else:
            counts = {"connform_grants": sealed.grants, "connform_tokens": sealed.tokens}
            lines.append(f"{place}: {_describe(counts)} sealed anew with {key}\n")
    if new_key and any(rotation.sealed for rotation in rotations):
        lines.append(
            f"next: --state-key {new_key} (CONNFORM_STATE_KEY) wherever connform runs; with the old key it fails with store_key_wrong\n"
        )
    return "".join(lines) or "nothing to do: there is no state yet\n"


def _describe(counts: Mapping[str, int]) -> str:
    """Return how many there are of what: `2 connections, 1 grant`; only of what there is any."""
    found = [f"{count} {_COUNTED[table][count != 1]}" for table, count in counts.items() if count]
    return ", ".join(found) or "nothing"
