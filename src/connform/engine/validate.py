"""The verb `validate`: every error and warning of manifests, offline. Layer 3; reads manifests."""

from __future__ import annotations

from collections.abc import Sequence

from connform.engine.load.manifest import examine_files
from connform.engine.load.selection import EVERYTHING, Selection
from connform.engine.report import Report


def validate(files: Sequence[str] = (), selection: Selection = EVERYTHING, policies: Sequence[str] = ()) -> Report:
    """Return every error and warning of the manifests.

    Args:
        files: files, folders or `-`; empty for the default search.
        selection: leave out what concerns other connections only; everything is read all the same.
        policies: policy files and folders that judge every connection.

    Raises:
        UnknownConnection: the selection names what is not there, or leaves nothing.
        NoBaseline: the selection compares with what can't be read.
    """
    return examine_files(files, selection, policies)
