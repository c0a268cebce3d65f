"""Rule for the examples of answers: the rows judge each as it says.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from connform.manifest.pattern import TooManyStepsError
from connform.manifest.rules import Finding
from connform.providers.described.answer_rows import AnswerRows
from connform.providers.described.definition import decode
from connform.providers.described.examples import answer_of
from connform.providers.described.rules.patterns import Patterns


def example_findings(node: Mapping[str, Any], patterns: Patterns) -> Iterator[Finding]:
    """Yield the examples that the rows judge otherwise."""
    examples = node.get("examples", ())
    rows = AnswerRows(decode("", node), patterns.whole, patterns.meter)
    for index, example in enumerate(examples):
        with suppress(TooManyStepsError):
            means = rows.judge({}, answer_of(example)).fault or "ready"
        if patterns.meter.is_spent:
            detail = "the patterns of all providers take too long on their examples"
            yield Finding("out-of-range", ("examples", index), detail)
            return
        if means != example["means"]:
            detail = f"the rows of `answers` judge it as `{means}`: correct the example or the rows"
            yield Finding("wrong-example", ("examples", index, "means"), detail)
