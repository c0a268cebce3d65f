"""Findings: mistakes that schemas and rules report by path, before they have a source position.

Layer 1, no IO. A rule is a generator over one effective object; a finding has the path of the value in that object.
`manifest.diagnose` finds the span of the path, through templates and defaults.
"""

from typing import NamedTuple, TypeAlias

from connform.diagnostics import Related

KeyPath: TypeAlias = tuple[str | int, ...]


class Finding(NamedTuple):
    """One mistake, without a source position."""

    code: str
    """A key of `connform.diagnostics.CODES`."""
    path: KeyPath
    """The path of the value inside of the object that the rule was given; `()` for the object itself."""
    detail: str
    """What is wrong, why, and what to do; never a value that may be a secret."""
    hint: str = ""
    """A likely correction."""
    at_key: bool = False
    """Whether the key is marked instead of the value."""
    related: tuple[KeyPath | Related, ...] = ()
    """Other positions that matter: paths in the same object, or positions elsewhere."""
    fix: str = ""
    """Replacement text that is certainly right; empty if none."""
    is_key_hidden: bool = False
    """Whether the last key of the path may be a pasted secret: no output shows it."""

    @property
    def which(self) -> str:
        """What distinguishes mistakes of one code at one position: several keys may be missing there."""
        return self.detail if self.code == "missing-key" else ""
