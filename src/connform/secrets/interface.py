"""What a secret backend is: it checks a reference offline, and fetches what it points at.

Layer 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from connform.manifest.shape import Shape
    from connform.secret import Secret, SecretReference


class Place(NamedTuple):
    """Where a fetch starts: the store that a reference names, or the bare backend."""

    base: Path
    """Relative paths start here: the folder of the manifest that declares the store or the connection."""
    settings: Mapping[str, Any]
    """The settings of the store; empty for a bare backend."""


class Backend(Protocol):
    """One kind of place where secrets lie."""

    form: str
    """How a reference looks: `env://NAME`."""

    @property
    def store_shape(self) -> Shape:
        """The keys of a store of this type under `stores:`, without `type` and `environment`."""

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:
        """Return what is wrong with a reference, offline, or an empty string."""

    def fetch(self, references: Sequence[SecretReference], place: Place) -> list[Secret]:
        """Return the secrets in the order of `references`, all from one snapshot.

        Raises:
            SecretUnresolved: `secret_not_found`, `secret_denied`, `secret_malformed` (empty, not text) or
                `secret_backend_unavailable`; the message names the reference, never a value.
        """
