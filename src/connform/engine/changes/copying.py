"""Whether a state database may take the place of others. Layer 3; pure, but for the transactions it is given."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from connform.database.copy_marks import read_marks
from connform.database.copying import OpenDatabase, has_content, names_in
from connform.errors import Refused


def is_copied(sources: Sequence[OpenDatabase], target: OpenDatabase, *, force: bool) -> bool:
    """Return whether databases were copied to another one before, which is in use since then; otherwise, require that they may be.

    Args:
        sources: the databases to copy.
        target: the one that takes their place.
        force: copy what was copied elsewhere.

    Raises:
        Refused: a source was copied elsewhere, two of them know the same connection, or the target holds what is not in them.
    """
    marks, of_sources = read_marks(target.execute), [read_marks(source.execute) for source in sources]
    is_known = {one.id for one in of_sources} <= {*marks.origins}
    if is_known and not marks.copied_to and all(one.copied_to and one.copied_to.id == marks.id for one in of_sources):
        return True
    for source, one in zip(sources, of_sources, strict=True):
        if one.copied_to and one.copied_to.id != marks.id and not force:
            message = (
                f"{source.keyed.database.place} was copied to {one.copied_to.place} at {one.copied_to.at}: copy from there "
                "(--state), or with --force where it is lost; a grant that was renewed there since needs a new login"
            )
            raise Refused(message)
    _require_disjoint(sources)
    was_copied_into_source = marks.copied_to is not None and any(marks.id in one.origins for one in of_sources)
    if has_content(target.execute) and not was_copied_into_source:
        message = f"{target.keyed.database.place} holds another state already: name an empty folder, or an empty database or schema"
        raise Refused(message)
    return False


def _require_disjoint(sources: Sequence[OpenDatabase]) -> None:
    """Require that no two databases know the same connection; errors as for `is_copied`."""
    for (one, its_names), (other, other_names) in combinations([(each, names_in(each.execute)) for each in sources], 2):
        for name in sorted(its_names & other_names):
            places = f"{one.keyed.database.place} and in {other.keyed.database.place}"
            message = (
                f"{name} is recorded in {places}: `connform state rm {name}` with the manifests of the folder it left"
            )
            raise Refused(message)
