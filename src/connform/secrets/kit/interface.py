"""The interface of secret backends: the protocols `Backend` and `OpenStore`, and the values that they exchange.

Layer 2, no IO.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

from connform.errors import SecretUnresolved
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape
from connform.secret import Secret, SecretReference

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_TIMEOUT_S = 10.0
"""How long a read of a store may take, its login included, unless the store has a `timeout_s`."""


class StoreConfig(NamedTuple):
    """A store as declared, or the bare backend of a reference without a store."""

    base: "Path"
    """The folder that relative paths start from: that of the manifest that declares the store or the connection."""
    settings: Mapping[str, Any] = MappingProxyType({})
    """The settings of the store; empty for a bare backend."""
    secrets: Mapping[str, Secret] = MappingProxyType({})
    """The secrets that the settings refer to, such as a token, by their path in the settings: `auth.token`."""
    timeout_s: float = DEFAULT_TIMEOUT_S
    """How long one read may take. After that the caller stops waiting for it."""


class Fetched(NamedTuple):
    """A secret that was read, with its version."""

    secret: Secret
    """The value."""
    version: str = ""
    """The name of the version that was read, not secret; empty if the backend has no versions."""
    since: datetime | None = None
    """When that version was written, in UTC with a time zone; `None` if the backend doesn't know."""


Outcome: TypeAlias = Fetched | SecretUnresolved
"""The result for one reference. A failure is returned, not raised, so that the other references have results too."""


class OpenStore(Protocol):
    """A store in use. It logs in once, at the first read. Several threads may read at the same time."""

    batch_size: int
    """How many documents, each a path and version, one call of `read` should get; 0: all of them in one call."""

    def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        """Return the outcome of each reference, in their order. A document is read once for all its references.

        The faults are `secret_not_found`, `secret_denied`, `secret_malformed` (empty, not text),
        `secret_backend_unavailable` and the other faults of the stage `secret`. A message never quotes a value.

        Raises:
            SecretUnresolved: nothing could be read; the caller takes it as the outcome of every reference.
        """

    def close(self) -> None:
        """Log out, and close connections."""


@runtime_checkable
class GroupsByDocument(Protocol):
    """An optional part of `OpenStore`: it names the document of a reference, where that is not its path and version."""

    def document(self, reference: SecretReference) -> str:
        """Return the name of the document that holds a reference's secret. References to one document are read together."""


@runtime_checkable
class LogsIn(Protocol):
    """An optional part of `OpenStore`: it logs in at the server that keeps the secrets, without reading one."""

    def log_in(self) -> object:
        """Log in, and require that the server accepts the login. The result has no meaning.

        Raises:
            SecretUnresolved: as `read` raises.
        """


class Backend(Protocol):
    """A kind of secret store. A class that inherits from it has the defaults of the members that have one."""

    form: str
    """An example of its references: `env://NAME`."""
    reads_files: bool = False
    """Whether the path of a reference, and `path` of a store, name a file, relative to the manifest's folder."""
    allows_at: bool = False
    """Whether the first part of a reference's path may have an `@`. Elsewhere it is taken for `user@host`, and refused."""
    depends_on_folder: bool = False
    """Whether a reference without a store means another secret in a manifest of another folder, as each relative file does."""
    is_plain: bool = False
    """Whether its secrets are in the environment or in plain files: `doctor` looks at each, also offline."""
    programs: tuple[str, ...] = ()
    """The programs that it may start."""
    names_variables: bool = False
    """Whether the path of a reference is the name of an environment variable."""
    login_variables: tuple[str, ...] = ()
    """How the names of environment variables begin that hold its login. `exec --proxy` hands them to no command."""

    @property
    def store_shape(self) -> Shape:
        """The keys of a store of this type under `stores:`, without the keys that all stores have."""

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:
        """Return what is wrong with a reference; empty if nothing is. No IO."""

    def open(self, store: StoreConfig) -> OpenStore:
        """Return the store, ready to read from. No connection and no login before the first read.

        Raises:
            SecretUnresolved: there is no store, such as a server that an environment variable should name.
        """


@runtime_checkable
class HasStoreRules(Protocol):
    """An optional part of `Backend`: rules for its stores that a JSON Schema can't express."""

    def rules(self, store: Mapping[str, Any]) -> Iterable[Finding]:
        """Yield what is wrong with a store of this type that its schema accepts. No IO."""


@runtime_checkable
class HasRequirements(Protocol):
    """An optional part of `Backend`: it needs a library or program that isn't installed with connform."""

    def missing(self) -> str:
        """Return what is missing, such as `pip install boto3` or `the program op`; empty if nothing is. No network."""
