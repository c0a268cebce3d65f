"""Evaluation of policies: one diagnostic for each policy and refused value, however many connections inherit it.

Layer 2, no IO. The compiled predicate decides; the `jsonschema` library finds the errors of refused connections only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from connform.diagnostics import Diagnostic, Related
from connform.lazy_property import lazy_property
from connform.manifest.compiled import compile_predicate
from connform.manifest.diagnose import diagnose_file, pointer
from connform.manifest.harmless import shown_name, shown_origin
from connform.manifest.nodes import locate
from connform.policies.expand import cost_of
from connform.policies.facts import declared_path
from connform.policies.pattern import MAX_STEPS, TooManyStepsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from connform.diagnostics import Span
    from connform.manifest.document import Entry
    from connform.manifest.rules import KeyPath
    from connform.manifest.tally import Tally
    from connform.policies.file import Policy
    from connform.policies.violation import PolicyViolation

MAX_LOOKS: Final = 50_000_000
"""How often all schemas of all policies may be compared with all connections; a typical one is done after a tenth."""
MAX_LOOKS_AT_BREACHES: Final = 200_000
"""The same for finding the places of breaches, which takes a hundred times as long; further breaches are counted."""
_PARTS_OF_ONE: Final = 64
"""A connection with fewer values counts once."""


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
    budget = _Budget()
    for connection in connections:
        base = connection.base
        if base not in competent:
            competent[base] = [one for one in judges if not one.policy.bases or base in one.policy.bases]
        if competent[base]:
            known = facts(connection)
            size = 1 + _parts(known) // _PARTS_OF_ONE
            for one in competent[base]:
                try:
                    one.judge(connection, known, size, budget)
                except TooCostlyError as error:
                    tally.note(_too_costly(one.policy, str(error)))
                    return
    for one in judges:
        for diagnostic in one.diagnostics():
            tally.add(diagnostic)


class TooCostlyError(Exception):
    """Judging takes too much; the message says how much it may take."""


class _Budget:
    """What judging may take yet."""

    def __init__(self) -> None:
        self._looks = MAX_LOOKS
        self._looks_at_breaches = MAX_LOOKS_AT_BREACHES

    def look(self, number: int) -> None:
        """Count looks.

        Raises:
            TooCostlyError: there are too many.
        """
        self._looks -= number
        if self._looks < 0:
            message = f"{MAX_LOOKS:,} comparisons of a part of a policy with a connection"
            raise TooCostlyError(message)

    def may_look_at_breach(self, number: int) -> bool:
        """Count looks at what is wrong in one place, and say whether there are some left."""
        self._looks_at_breaches -= number
        return self._looks_at_breaches >= 0


def _too_costly(policy: Policy, limit: str) -> Diagnostic:
    detail = f"to judge by it takes more than {limit}: make the policy smaller, or the connections fewer"
    return diagnose_file("invalid-policy", detail, policy.span)


def _parts(value: Any) -> int:
    """Return how many values a value consists of."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_parts, parts))


class _Breach(NamedTuple):
    """What is wrong at one place."""

    connection: Entry
    """The first connection that shows it."""
    path: KeyPath
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
        self._cost = cost_of(policy.schema)
        self._accepts = compile_predicate(policy.schema)
        self._breaches: dict[Span, _Breach] = {}

    @lazy_property
    def _validator(self) -> Any:
        from connform.manifest.library import Validator  # only breaches need it

        return Validator(self.policy.schema)

    def judge(self, connection: Entry, facts: Mapping[str, Any], size: int, budget: _Budget) -> None:
        """Note what is wrong with a connection.

        Raises:
            TooCostlyError: that takes too much.
        """
        looks = self._cost * size
        budget.look(looks)
        try:
            if self._accepts(facts):
                return
            has_room = self._tally.room(connection.span.file, self.policy.severity) > 0
            if has_room and budget.may_look_at_breach(looks):
                self._refuse(connection, facts)
            else:
                self._tally.count(self.policy.severity, connection.span)
        except TooManyStepsError:
            message = f"{MAX_STEPS:,} steps of patterns that repeat within repeats, or start anywhere"
            raise TooCostlyError(message) from None

    def _refuse(self, connection: Entry, facts: Mapping[str, Any]) -> None:
        """Note where a connection breaks the policy."""
        from connform.policies.violation import refusals  # only breaches need it

        for error in self._validator.iter_errors(facts):
            for refusal in refusals(error):
                self._note(connection, refusal)

    def _note(self, connection: Entry, refusal: PolicyViolation) -> None:
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
                related.insert(
                    0,
                    Related(
                        f"inherited from {shown_origin(origin)} by connection {shown_name(connection.name)}",
                        connection.span,
                    ),
                )
                detail += f" ({len(names)} connections inherit this)" if len(names) > 1 else ""
            yield Diagnostic(
                self.policy.severity,
                self.policy.code,
                self.policy.message,
                detail,
                span,
                pointer=pointer(connection.kind, connection.name, *path),
                connection=shown_name(connection.name),
                related=tuple(related),
            )
