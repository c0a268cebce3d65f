"""Looks up built-in and third-party providers, auth methods, secret backends and formats by name.

Layer 0; reads the metadata of installed packages, but only where a name isn't built in.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType, UnionType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from connform.errors import ConnectionFailed

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")

PROVIDERS_GROUP = "connform.providers"
"""Entry points of third-party providers."""
SECRETS_GROUP = "connform.secrets"
"""Entry points of third-party secret backends."""
AUTH_GROUP = "connform.auth"
"""Entry points of third-party auth methods."""
FORMATS_GROUP = "connform.formats"
"""Entry points of third-party report formats."""
PLUGIN_ERROR = "plugin_error"
"""The fault of a plug-in that can't be loaded, or has a bug."""


class LazyTable(Mapping[str, T]):
    """A mapping with known names, which loads each value when it is first read."""

    def __init__(self, names: Iterable[str], load: Callable[[str], T]) -> None:
        self._names = dict.fromkeys(names)
        self._load = cache(load)

    def __getitem__(self, name: str) -> T:
        if name not in self._names:
            raise KeyError(name)
        return self._load(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a name; the default for one that isn't known."""
        return self._load(name) if name in self._names else default

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class PluginKind(NamedTuple):
    """What the plug-ins of one group have in common."""

    group: str
    """The group of their entry points."""
    protocol: type
    """The protocol that each must have the members of."""
    results: Mapping[str, type | UnionType] = MappingProxyType({})
    """Method or attribute → the type of its result or value."""
    checks: Mapping[str, Callable[..., str]] = MappingProxyType({})
    """Method → a function that says what is wrong with its result, from the result and the arguments; empty if nothing is."""
    item_checks: Mapping[str, Callable[[Any], str]] = MappingProxyType({})
    """Method that returns an iterable → the same for each of its items."""
    makers: frozenset[str] = frozenset()
    """The methods whose results have methods of the plug-in too: an open store, a credential."""
    failure: type[ConnectionFailed] = ConnectionFailed
    """The class of the exceptions that are raised for those of a plug-in."""
    passed: tuple[type[Exception], ...] = ()
    """Exceptions of a plug-in that have a meaning of their own."""


def find(name: str, table: Mapping[str, T], kind: PluginKind) -> T | None:
    """Return the built-in value of a name, else a plug-in's, else `None`.

    A plug-in can't replace a built-in one, so that no installed package changes what a built-in name means. The methods of a
    plug-in are guarded: an exception in one is the fault `plugin_error`.

    Raises:
        ConnectionFailed: `plugin_error`: the plug-in can't be loaded, lacks a member of its protocol, or two packages offer
            the name.
    """
    built_in = table.get(name)
    if built_in is not None:
        return built_in
    points = _entry_points()[kind.group].get(name, ())
    if not points:
        return None
    if len({point.value for point in points}) > 1:
        message = f"two installed packages offer {name!r} as {kind.group}: {', '.join(sorted(map(_origin, points)))}; remove one"
        raise kind.failure(PLUGIN_ERROR, message)
    key = (kind.group, points[0].value)
    if key in _broken:
        raise kind.failure(PLUGIN_ERROR, _broken[key])
    if key not in _loaded:
        try:
            _loaded[key] = _load(points[0], kind)
        except ConnectionFailed as failure:
            _broken[key] = failure.message
            raise
    plug_in: T = _loaded[key]
    return plug_in


_loaded: Final[dict[tuple[str, str], Any]] = {}
"""The plug-ins that were loaded, by group and the value of the entry point."""
_broken: Final[dict[tuple[str, str], str]] = {}
"""What is wrong with those that could not be loaded; none is imported twice."""


def loaded(group: str) -> list[Any]:
    """Return the plug-ins of a group that this process has loaded."""
    return [plug_in for (its_group, _), plug_in in _loaded.items() if its_group == group]


def names(table: Mapping[str, object], group: str) -> list[str]:
    """Return all names, built-in and of plug-ins, sorted; no plug-in is loaded."""
    return sorted({*table, *_entry_points()[group]})


def package_of(name: str, group: str) -> str:
    """Return the package whose plug-in is called `name`."""
    (point, *_) = _entry_points()[group][name]
    return point.dist.name if point.dist else "an unnamed package"


def _load(point: "EntryPoint", kind: PluginKind) -> Any:
    from connform.plugin_guard import GuardedPlugin, show_error  # imported here for start-up: few runs have a plug-in

    try:
        plug_in = point.load()
    except (Exception, SystemExit) as error:  # the import of a third-party module may raise anything
        show_error(_origin(point), error)
        message = f"the plug-in {_origin(point)} can't be loaded: {type(error).__name__}: {error}"
        raise kind.failure(PLUGIN_ERROR, message) from error
    if problem := protocol_problem(plug_in, kind.protocol):
        message = f"the plug-in {_origin(point)} can't be used: {problem}"
        raise kind.failure(PLUGIN_ERROR, message)
    return GuardedPlugin(plug_in, _origin(point), kind)


def type_name(needed: type | UnionType) -> str:
    """Return the name of a type, for messages."""
    return needed.__name__ if isinstance(needed, type) else str(needed)


_DEFAULTS = (bool, str, tuple, Mapping)
"""The types of values that a protocol gives to members that may be missing."""


def protocol_problem(value: object, protocol: type) -> str:
    """Return why an object can't be used as one of a protocol: it is a class, or lacks members; empty if it can."""
    if isinstance(value, type):
        return f"it is the class {value.__name__}, and an object of it is needed"
    missing = [
        f"`{name}`"
        for name in {**protocol.__annotations__, **vars(protocol)}
        if not (name.startswith("_") or isinstance(vars(protocol).get(name), _DEFAULTS) or hasattr(value, name))
    ]
    return f"it has no {' and no '.join(missing)}" if missing else ""


def _origin(point: "EntryPoint") -> str:
    return f"{point.value} of {package_of(point.name, point.group)}"


@cache
def _entry_points() -> "dict[str, dict[str, tuple[EntryPoint, ...]]]":
    """Return the entry points of connform's groups, by group and name; the metadata of all packages are read once."""
    from importlib.metadata import entry_points  # imported here, because it takes 30 ms

    points = entry_points()
    found: dict[str, dict[str, tuple[EntryPoint, ...]]] = {}
    for group in (PROVIDERS_GROUP, SECRETS_GROUP, AUTH_GROUP, FORMATS_GROUP):
        by_name = found[group] = {}
        for point in points.select(group=group):
            by_name[point.name] = (*by_name.get(point.name, ()), point)
    return found
