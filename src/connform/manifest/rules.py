"""Findings: mistakes that schemas and rules report by path, before they have a source position.

Layer 1, no IO. A rule is a generator over one effective object; a finding has the path of the value in that object.
`manifest.diagnose` finds the span of the path, through templates and defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from connform.diagnostics import Related

KeyPath: TypeAlias = tuple[str | int, ...]


class Finding(NamedTuple):
    """One mistake that was found."""

    code: str
    """A key of `connform.diagnostics.CODES`."""
    path: KeyPath
    """The path of the value inside of the object that the rule was given; `()` for the object itself."""
    detail: str
    """What, why, what to do; never a value that may be a secret."""
    hint: str = ""
    """A likely correction."""
    at_key: bool = False
    """Mark the key instead of the value."""
    related: tuple[KeyPath | Related, ...] = ()
    """Other places that matter: paths in the same object, or places elsewhere."""
    fix: str = ""
    """What certainly belongs there instead of what is marked, or empty."""
    is_key_hidden: bool = False
    """Whether the last key of the path may be a pasted secret: no output shows it."""

    @property
    def which(self) -> str:
        """Which of several mistakes of one code at one place it is: several keys may be missing there."""
        return self.detail if self.code == "missing-key" else ""
