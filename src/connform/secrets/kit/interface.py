"""What a secret backend is: it checks a reference offline, and reads what references point at.

Layer 2.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

from connform.errors import SecretUnresolved

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from connform.manifest.rules import Finding
    from connform.manifest.shape import Shape
    from connform.secret import Secret, SecretReference

DEFAULT_TIMEOUT_S = 10.0
"""How long a read of a store may take, its login included, where the store says nothing else."""


class StoreConfig(NamedTuple):
    """Where secrets lie: the store that a reference names, or the bare backend."""

    base: Path
    """Relative paths start here: the folder of the manifest that declares the store or the connection."""
    settings: Mapping[str, Any] = MappingProxyType({})
    """The settings of the store; empty for a bare backend."""
    secrets: Mapping[str, Secret] = MappingProxyType({})
    """What opens the store: the secrets that its own settings refer to, by their path in them: `auth.token`."""
    timeout_s: float = DEFAULT_TIMEOUT_S
    """How long one read may take; then nobody waits for it any more."""


class Fetched(NamedTuple):
    """A secret, and what is known of it."""

    secret: Secret
    """The value."""
    version: str = ""
    """What names the version that was read, nothing secret; empty where the backend can't tell versions apart."""
    since: datetime | None = None
    """When that version was written, aware UTC; `None` where the backend doesn't say."""


Outcome: TypeAlias = Fetched | SecretUnresolved
"""What came of one reference; a failure is returned, so that it hides no other."""


class OpenStore(Protocol):
    """One place during a run. It logs in when it is first read, and once; many threads may read at once."""

    batch_size: int
    """How many documents (a path and version) one read takes well; 0: all that are wanted, from one snapshot."""

    def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        """Return what came of each reference, in their order; those of one document come from one look at it.

        The faults are `secret_not_found`, `secret_denied`, `secret_malformed` (empty, not text),
        `secret_backend_unavailable` and what else `faults` has for the stage `secret`; a message names the reference,
        never a value.

        Raises:
            SecretUnresolved: nothing could be read at all; it is the outcome of every reference.
        """

    def close(self) -> None:
        """Log out, and let go of connections."""


@runtime_checkable
class GroupsByDocument(Protocol):
    """A second ability of an opened place: it knows better than by path and version what one document is."""

    def document(self, reference: SecretReference) -> str:
        """Return what names the document in which a reference's secret lies: those of one document are read together."""


class Backend(Protocol):
    """One kind of place where secrets lie."""

    form: str
    """How a reference looks: `env://NAME`."""

    @property
    def store_shape(self) -> Shape:
        """The keys of a store of this type under `stores:`, without those that all stores have."""

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:
        """Return what is wrong with a reference, offline, or an empty string."""

    def open(self, store: StoreConfig) -> OpenStore:
        """Return a place to read from. No IO: it waits for the first read."""


@runtime_checkable
class HasStoreRules(Protocol):
    """A second ability of a backend: its stores have rules that a schema can't say."""

    def rules(self, store: Mapping[str, Any]) -> Iterable[Finding]:
        """Yield what is wrong with a store of this type that its schema accepts, offline."""


@runtime_checkable
class HasRequirements(Protocol):
    """A third ability of a backend: it works with something that connform doesn't bring, and can tell whether it is here."""

    def missing(self) -> str:
        """Return how to install what is missing, `pip install boto3`; empty where all is here. No network."""
