"""Selection of connections by name, glob and tag: `-c`, `--exclude`, `--tag`. `changed.py` applies `--changed-since`.

Layer 3, no IO.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from connform.errors import UnknownConnection
from connform.manifest.similar import did_you_mean


class Selection(NamedTuple):
    """The selection of connections; an empty one selects all."""

    names: tuple[str, ...] = ()
    """Names or globs; a connection matches one of them."""
    exclude: tuple[str, ...] = ()
    """Names or globs to leave out."""
    tags: tuple[str, ...] = ()
    """A connection has one of them."""
    changed_since: str = ""
    """A commit, branch or tag; a connection is new or differs from the one there. Empty for no such restriction."""
    may_be_empty: bool = False
    """Whether names and tags may match nothing, and nothing may be left (`--allow-empty`)."""

    @property
    def has_patterns(self) -> bool:
        """Whether a name, a glob or a tag selects or leaves out connections."""
        return any((self.names, self.exclude, self.tags))


EVERYTHING = Selection()
"""Selects all connections."""
_EMPTY = (
    "the selection leaves no connection: its names and tags exist, but no connection satisfies all of them; "
    "--allow-empty permits that"
)


def select(tags: Mapping[str, Collection[str]], selection: Selection, *, may_miss: bool = False) -> list[str]:
    """Return the names of the selected connections, in their order.

    Args:
        tags: the tags of each connection, by its name.
        selection: which ones; `changed_since` is not applied here, and may leave nothing.
        may_miss: whether names and tags may match nothing here, because they may match recorded connections.

    Raises:
        UnknownConnection: a name, glob or tag matches nothing, or nothing is left. Otherwise, a typo would look like
            success.
    """
    if not selection.has_patterns:
        return list(tags)
    is_strict = not (may_miss or selection.may_be_empty)
    if is_strict:
        _require_known(selection, tags)
    chosen = [name for name, connection_tags in tags.items() if _matches(name, connection_tags, selection)]
    if is_strict and not chosen:
        raise UnknownConnection(_EMPTY)
    return chosen


def _require_known(selection: Selection, tags: Mapping[str, Collection[str]]) -> None:
    from fnmatch import fnmatchcase  # most runs select nothing

    for pattern in (*selection.names, *selection.exclude):
        if not any(fnmatchcase(name, pattern) for name in tags):
            raise UnknownConnection(unknown_connection(pattern, tags))
    if selection.tags:
        known = dict.fromkeys(tag for connection_tags in tags.values() for tag in connection_tags)
        for tag in selection.tags:
            if tag not in known:
                raise UnknownConnection(_unknown_tag(tag, known))


def _matches(name: str, tags: Collection[str], selection: Selection) -> bool:
    from fnmatch import fnmatchcase  # as above

    if selection.names and not any(fnmatchcase(name, pattern) for pattern in selection.names):
        return False
    if any(fnmatchcase(name, pattern) for pattern in selection.exclude):
        return False
    return not selection.tags or not set(selection.tags).isdisjoint(tags)


def unknown_connection(name: str, known: Iterable[str]) -> str:
    """Return the message that no connection has a name, with a similar name, or else what shows the names, as a hint."""
    return f"no connection matches `{name}`; {did_you_mean(name, known) or '`connform list` shows the names'}"


def _unknown_tag(tag: str, known_tags: Collection[str]) -> str:
    hint = did_you_mean(tag, known_tags)
    if not hint:
        hint = (
            f"the tags are {', '.join(f'`{known_tag}`' for known_tag in sorted(known_tags))}"
            if known_tags
            else "none has a tag"
        )
    return f"no connection has the tag `{tag}`; {hint}"
