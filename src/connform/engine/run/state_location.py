"""The location of the state database: a folder beside each manifest, or one URL; the key of grants. Layer 3, no IO."""

from typing import NamedTuple

FOLDER = ".connform"
"""The name of the default folder, beside the manifest that declares the connection."""


class StateLocation(NamedTuple):
    """The location of the state database, and the key of the grants in it."""

    url: str = ""
    """`postgresql://…`, which may hold a password, or `sqlite:///folder`; empty for the folder `.connform` beside each manifest."""
    key: str = ""
    """A secret reference to the key of the grants; empty for a key file in that folder."""
    repository: str = ""
    """A name that stands for the repository, for those that share a database; empty for what Git knows of it."""
    root: str = ""
    """The root of the repository, where there is no `.git`; empty for the one that a CI system names."""

    def __repr__(self) -> str:
        return "<StateLocation>"


DEFAULT = StateLocation()
"""The folder `.connform` beside each manifest, with a key file."""
