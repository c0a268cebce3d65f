"""The branches of a shape: the schema that an object selects by its discriminators.

Layer 1, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from connform.lazy_property import lazy_property
from connform.manifest.compiled import compile_predicate
from connform.manifest.reference_rules import reference_paths
from connform.manifest.shape import Schema, Shape, build_signature, selected

if TYPE_CHECKING:
    from connform.manifest.branch_findings import Explainer
    from connform.manifest.violations import Finder


class Branch:
    """What a schema requires of objects with one combination of discriminator values."""

    def __init__(self, schema: Schema, select: Callable[[], Schema]) -> None:
        """Take the flat schema without what the objects don't have, and a function that returns the whole one."""
        self._select = select
        self.accepts = compile_predicate(schema)
        """Its predicate."""
        self.references = tuple(reference_paths(schema))
        """The paths of its secret references."""

    @lazy_property
    def schema(self) -> Schema:
        """The flat schema."""
        return self._select()

    @lazy_property
    def find(self) -> Finder:
        """The finder of its violations."""
        from connform.manifest.violations import compile_finder  # only bad manifests need it

        return compile_finder(self.schema)


class Branches:
    """The branches of a shape, each compiled when an object first selects it."""

    def __init__(self, shape: Shape, *, is_partial: bool = False) -> None:
        self._shape = shape
        self._signature = build_signature(shape)
        self._is_partial = is_partial
        self._built: dict[tuple[object, ...], Branch] = {}

    def branch_for(self, node: Mapping[str, Any]) -> Branch:
        """Return the branch that an object selects."""
        key = self._signature(node)
        if key not in self._built:
            select = partial(selected, self._shape, node, partial=self._is_partial)
            self._built[key] = Branch(select(only_given=True), select)
        return self._built[key]

    @lazy_property
    def explainer(self) -> Explainer:
        """What finds the mistakes in an object that its branch refuses."""
        from connform.manifest.branch_findings import Explainer  # only bad manifests need it

        return Explainer(self._shape)
