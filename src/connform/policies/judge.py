"""Evaluation of policies: one diagnostic for each policy and refused value, however many connections inherit it.

Layer 2, no IO. The compiled predicate decides; the `jsonschema` library finds the errors of refused connections only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from connform.diagnostics import Diagnostic, Related, Span
from connform.lazy_property import lazy_property
from connform.manifest.compiled import compile_predicate
from connform.manifest.diagnose import diagnose_file, pointer
from connform.manifest.document import Entry
from connform.manifest.harmless import shown_name, shown_origin
from connform.manifest.nodes import locate
from connform.manifest.pattern import MAX_STEPS, TooManyStepsError
from connform.manifest.rules import KeyPath
from connform.manifest.tally import Tally
from connform.policies.expand import cost_of
from connform.policies.facts import declared_path
from connform.policies.file import Policy

if TYPE_CHECKING:
    from connform.policies.violation import PolicyViolation

MAX_COMPARISONS = 50_000_000
"""The limit of comparisons of a schema with a connection, over all policies; typical runs need less than a tenth."""
MAX_BREACH_COMPARISONS = 200_000
"""The limit of comparisons that find the paths of breaches and take a hundred times as long; then they are counted."""
_VALUES_PER_UNIT = 64
"""A connection with this many values takes two comparisons instead of one, and so on."""


def judge(
    policies: Sequence[Policy], connections: Iterable[Entry], facts: Callable[[Entry], Mapping[str, Any]], tally: Tally
) -> None:
    """Add the diagnostics of policies to a tally.

    Args:
        policies: the policies, each for the connections of its folders.
        connections: valid connections.
        facts: returns the facts of a connection.
        tally: the mistakes of the run.
    """
    judges = [_Judge(policy, tally) for policy in policies]
    judges_by_folder: dict[str, list[_Judge]] = {}
    budget = _Budget()
    for connection in connections:
        base = connection.base
        if base not in judges_by_folder:
            judges_by_folder[base] = [one for one in judges if not one.policy.bases or base in one.policy.bases]
        if judges_by_folder[base]:
            judged_facts = facts(connection)
            size = 1 + _count_values(judged_facts) // _VALUES_PER_UNIT
            for policy_judge in judges_by_folder[base]:
                try:
                    policy_judge.judge(connection, judged_facts, size, budget)
                except TooCostlyError as error:
                    tally.note(_too_costly(policy_judge.policy, str(error)))
                    return
    for policy_judge in judges:
        for diagnostic in policy_judge.diagnostics():
            tally.add(diagnostic)


class TooCostlyError(Exception):
    """The policies need too many comparisons or steps; the message is the limit."""


class _Budget:
    """The comparisons that are left of a run's limits."""

    def __init__(self) -> None:
        self._comparisons = MAX_COMPARISONS
        self._breach_comparisons = MAX_BREACH_COMPARISONS

    def count(self, number: int) -> None:
        """Count comparisons.

        Raises:
            TooCostlyError: there are too many.
        """
        self._comparisons -= number
        if self._comparisons < 0:
            raise TooCostlyError(f"{MAX_COMPARISONS:,} comparisons of a part of a policy with a connection")

    def allows_breach(self, number: int) -> bool:
        """Count comparisons that find the paths of a breach, and return whether the limit allows them."""
        self._breach_comparisons -= number
        return self._breach_comparisons >= 0


def _too_costly(policy: Policy, limit: str) -> Diagnostic:
    detail = f"to judge by it takes more than {limit}: make the policy smaller, or the connections fewer"
    return diagnose_file("invalid-policy", detail, policy.span)


def _count_values(value: Any) -> int:
    """Return the number of values in a value, itself included."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_count_values, parts))


class _Breach(NamedTuple):
    """The violations of one policy at one source position."""

    connection: Entry
    """The first connection that has them."""
    path: KeyPath
    """Their path in that connection."""
    details: dict[str, None]
    """Their messages, each once, in order."""
    names: set[str]
    """The connections that have them."""


class _Judge:
    """Applies one policy to connections, and collects its breaches."""

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
        """Check a connection, and collect what is wrong with it.

        Raises:
            TooCostlyError: the limit is reached.
        """
        comparisons = self._cost * size
        budget.count(comparisons)
        try:
            if self._accepts(facts):
                return
            has_room = self._tally.room(connection.span.file, self.policy.severity) > 0
            if has_room and budget.allows_breach(comparisons):
                self._note_all(connection, facts)
            else:
                self._tally.count(self.policy.severity, connection.span)
        except TooManyStepsError:
            message = f"{MAX_STEPS:,} steps of patterns that repeat within repeats, or start anywhere"
            raise TooCostlyError(message) from None

    def _note_all(self, connection: Entry, facts: Mapping[str, Any]) -> None:
        """Collect all violations of a connection."""
        from connform.policies.violation import violations_of  # only breaches need it

        for error in self._validator.iter_errors(facts):
            for violation in violations_of(error):
                self._note(connection, violation)

    def _note(self, connection: Entry, violation: PolicyViolation) -> None:
        path = declared_path(violation.path, connection.effective)
        span = locate(connection.effective, path, connection.span, at_key=violation.at_key)
        breach = self._breaches.get(span)
        if breach is None:
            if not self._tally.admits(self.policy.code, self.policy.severity, span):
                return
            breach = self._breaches[span] = _Breach(connection, path, {}, set())
        breach.details[violation.detail] = None
        breach.names.add(connection.name)

    def diagnostics(self) -> Iterator[Diagnostic]:
        """Yield a diagnostic for each breach."""
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
