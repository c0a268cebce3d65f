"""Turns policies and connections into diagnostics: one for each policy and offending place, whoever inherits it.

Layer 2, no IO. The compiled gate accepts; only what it refuses is shown to the `jsonschema` library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from connform.diagnostics import Diagnostic, Related
from connform.lazy_property import lazy_property
from connform.manifest.gate import build_gate
from connform.manifest.nodes import locate
from connform.manifest.places import pointer
from connform.policies.facts import declared_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from connform.diagnostics import Span
    from connform.manifest.document import Entry
    from connform.manifest.rules import Path
    from connform.manifest.tally import Tally
    from connform.policies.file import Policy
    from connform.policies.refusal import Refusal


def judge(
    policies: Sequence[Policy], connections: Iterable[Entry], facts: Callable[[Entry], Mapping[str, Any]], tally: Tally
) -> None:
    """Add what policies say of connections to a tally.

    Args:
        policies: each judges the connections of its folders.
        connections: valid ones.
        facts: returns what is judged of a connection.
        tally: the mistakes of the run.
    """
    judges = [_Judge(policy, tally) for policy in policies]
    competent: dict[str, list[_Judge]] = {}
    for connection in connections:
        base = connection.base
        if base not in competent:
            competent[base] = [one for one in judges if not one.policy.bases or base in one.policy.bases]
        if competent[base]:
            known = facts(connection)
            for one in competent[base]:
                if not one.accepts(known):
                    one.refuse(connection, known)
    for one in judges:
        for diagnostic in one.diagnostics():
            tally.add(diagnostic)


class _Breach(NamedTuple):
    """What is wrong at one place."""

    connection: Entry
    """The first connection that shows it."""
    path: Path
    """Where it stands in that connection."""
    details: dict[str, None]
    """What is wrong, each once, in order."""
    names: set[str]
    """The connections that show it."""


class _Judge:
    """One policy at work."""

    def __init__(self, policy: Policy, tally: Tally) -> None:
        self.policy = policy
        self._tally = tally
        self.accepts = build_gate(policy.schema)
        self._breaches: dict[Span, _Breach] = {}

    @lazy_property
    def _validator(self) -> Any:
        from jsonschema import Draft202012Validator

        return Draft202012Validator(self.policy.schema)

    def refuse(self, connection: Entry, facts: Mapping[str, Any]) -> None:
        """Note where a connection breaks the policy."""
        from connform.policies.refusal import refusals  # only breaches need it

        for error in self._validator.iter_errors(facts):
            for refusal in refusals(error):
                self._note(connection, refusal)

    def _note(self, connection: Entry, refusal: Refusal) -> None:
        path = declared_path(refusal.path)
        span = locate(connection.effective, path, connection.span, at_key=refusal.at_key)
        breach = self._breaches.get(span)
        if breach is None:
            if not self._tally.wants(self.policy.code, self.policy.severity, span):
                return
            breach = self._breaches[span] = _Breach(connection, path, {}, set())
        breach.details[refusal.detail] = None
        breach.names.add(connection.name)

    def diagnostics(self) -> Iterator[Diagnostic]:
        """Yield what was noted."""
        for span, (connection, path, details, names) in self._breaches.items():
            detail = "; ".join(details)
            related = [Related("the policy stands here", self.policy.span)]
            origin = connection.layer(path).origin
            if origin != "connection":
                related.insert(0, Related(f"inherited from {origin} by connection {connection.name}", connection.span))
                detail += f" ({len(names)} connections inherit this)" if len(names) > 1 else ""
            yield Diagnostic(
                self.policy.severity,
                self.policy.code,
                self.policy.message,
                detail,
                span,
                pointer=pointer(connection.kind, connection.name, *path),
                connection=connection.name,
                related=tuple(related),
            )
