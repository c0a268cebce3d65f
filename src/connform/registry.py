"""Looks up built-in and third-party providers and secret backends by name.

Layer 0; reads the metadata of installed packages, but only where a name isn't built in.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from connform.errors import ConnformError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from importlib.metadata import EntryPoint

T = TypeVar("T")

PROVIDERS_GROUP: Final = "connform.providers"
"""Entry points of third-party providers."""
SECRETS_GROUP: Final = "connform.secrets"
"""Entry points of third-party secret backends."""
AUTH_GROUP: Final = "connform.auth"
"""Entry points of third-party auth methods."""
FORMATS_GROUP: Final = "connform.formats"
"""Entry points of third-party report formats."""


class LazyTable(Mapping[str, T]):
    """A mapping with known names, which loads each value when it is first read."""

    def __init__(self, names: Iterable[str], load: Callable[[str], T]) -> None:
        self._names = dict.fromkeys(names)
        self._load = cache(load)

    def __getitem__(self, name: str) -> T:
        if name not in self._names:
            raise KeyError(name)
        return self._load(name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def find(name: str, table: Mapping[str, T], group: str) -> T | None:
    """Return the built-in value of a name, else a plug-in's, else `None`.

    A plug-in can't replace a built-in one, so that no installed package changes what a built-in name means.

    Raises:
        ConnformError: the plug-in can't be loaded, or two packages offer the name.
    """
    if name in table:
        return table[name]
    points = _entry_points(group).get(name, ())
    if not points:
        return None
    if len({point.value for point in points}) > 1:
        message = (
            f"two installed packages offer {name!r} as {group}: {', '.join(sorted(map(_origin, points)))}; remove one"
        )
        raise ConnformError(message)
    plug_in: T = _load(points[0])
    return plug_in


def names(table: Mapping[str, object], group: str) -> list[str]:
    """Return all names, built-in and of plug-ins, sorted; no plug-in is loaded."""
    return sorted({*table, *_entry_points(group)})


def package_of(name: str, group: str) -> str:
    """Return the package whose plug-in is called `name`."""
    (point, *_) = _entry_points(group)[name]
    return point.dist.name if point.dist else "an unnamed package"


def _load(point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as error:  # the import of a third-party module may raise anything
        message = f"the plug-in {_origin(point)} can't be loaded: {type(error).__name__}: {error}"
        raise ConnformError(message) from error


def _origin(point: EntryPoint) -> str:
    return f"{point.value} of {package_of(point.name, point.group)}"


@cache
def _entry_points(group: str) -> dict[str, tuple[EntryPoint, ...]]:
    from importlib.metadata import entry_points  # imported here, because it takes 30 ms

    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=group):
        found[point.name] = (*found.get(point.name, ()), point)
    return found
