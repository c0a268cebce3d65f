"""What the packages above add to manifests: shapes, rules and secret backends.

Layer 1, no IO. `engine.load.catalog` fills it from the tables of providers, auth methods and secret backends.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from connform.manifest.rules import Finding
from connform.manifest.shape import Shape
from connform.secret import SecretReference

if TYPE_CHECKING:
    from connform.manifest.provider_checks import ProviderEntries


class Vocabulary(NamedTuple):
    """Shapes, rules and backends by which manifests are checked."""

    connection: Shape
    """The shape of an effective connection."""
    store: Shape
    """The shape of an entry of `stores:`."""
    rules: Callable[[Mapping[str, Any]], Iterable[Finding]]
    """Returns mistakes of a schema-valid effective connection that a schema can't express."""
    backends: frozenset[str]
    """The backends, which are also schemes of secret references; those of plug-ins are included if they were loaded."""
    lint: Callable[[SecretReference, str, Mapping[str, Any]], str]
    """Returns what is wrong with a reference, or an empty text; arguments: reference, backend, settings of the store.
    Raises `SecretUnresolved` if the backend is a plug-in with a bug."""
    store_rules: Callable[[Mapping[str, Any]], Iterable[Finding]]
    """Returns mistakes of a schema-valid store that a schema can't express."""
    providers: "Callable[[], ProviderEntries]"
    """Returns by what entries of `providers:` are checked; called only if there are some."""
    declare: Callable[["Vocabulary", Mapping[str, Mapping[str, Any] | None]], "Vocabulary"]
    """Returns a vocabulary with the providers of a run's manifests, by their names; `None` for one whose entry has mistakes."""
    files: Container[str] = frozenset()
    """The backends whose references have file paths, relative to the manifest."""
