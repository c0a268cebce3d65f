"""The verb `explain`: what a diagnostic code or a fault means, its reason and its remedy.

Layer 3; reads `connform/explanations/`, which has one page for each code. `docs/reference/diagnostics.md` is made from the same pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

from connform.diagnostics import CODES
from connform.faults import FAULTS, Fault

_PAGE = re.compile(
    r"(.+?)\n\n\*\*Why:\*\* (.+?)\n\n\*\*What to do:\*\* (.+?)\n\n\*\*Bad\*\*\n\n(.+?)\n\n\*\*Good\*\*\n\n(.+)\n",
    re.DOTALL,
)


class Explanation(NamedTuple):
    """The explanation of one diagnostic code or fault."""

    code: str
    """The diagnostic code, or the name of the fault."""
    kind: str
    """`error` or `warning` for a diagnostic; `failed` or `unknown` for a fault."""
    summary: str
    """One line."""
    meaning: str
    """What it means. This and the following fields are Markdown."""
    reason: str = ""
    """Why there is this rule; empty for a fault."""
    remedy: str = ""
    """What to do."""
    bad: str = ""
    """An example that gives this diagnostic, as a fenced block; empty for a fault."""
    good: str = ""
    """The corrected example, as a fenced block; empty for a fault."""


def explain(code: str) -> Explanation:
    """Return the explanation of a code.

    Raises:
        KeyError: there is no such code.
    """
    if code in FAULTS:
        return _explain_fault(FAULTS[code])
    severity, summary = CODES[code]
    text = (files("connform") / "explanations" / f"{code}.md").read_text("utf-8")
    page = _PAGE.fullmatch(text)
    if page is None:
        raise ValueError(code)  # the tests read every page
    return Explanation(code, severity, summary, *page.groups())


def summaries() -> Iterator[tuple[str, str, str]]:
    """Yield every code with its kind and one line about it: diagnostics first, then faults."""
    for code, (severity, summary) in CODES.items():
        yield code, severity, summary
    for fault in FAULTS.values():
        yield fault.name, fault.verdict, fault.hint


def _explain_fault(fault: Fault) -> Explanation:
    certainty = "trying again changes nothing" if fault.verdict == "failed" else "a later try may end otherwise"
    meaning = (
        f"A check ended at the stage `{fault.stage}` with the verdict `{fault.verdict}`: {certainty}. "
        f"A run in which it is the only kind of failure ends with exit code {int(fault.exit_code)}."
    )
    if fault.name == "plugin_error":
        meaning += (
            " A package that adds a provider, an auth method, a secret backend or a format can't be imported, lacks a member of "
            "its protocol, raised an exception, or returned a wrong value. Neither the manifest nor connform is wrong: the "
            "message names the entry point and the package. Connections that don't use the plug-in are not affected. "
            "`connform validate` calls it `plugin-error`. `--debug-plugins` prints the traceback on standard error."
        )
    return Explanation(
        fault.name, fault.verdict, f"a check that ended at the stage {fault.stage}", meaning, remedy=fault.hint
    )
