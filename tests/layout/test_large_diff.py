"""The diff of a large file is that of `difflib`, in work that grows with its size."""

from __future__ import annotations

from difflib import unified_diff
from random import Random

from connform.layout.diff import diff
from connform.manifest.snippet import Public

KEYS = frozenset({"region", "description"})
PUBLIC = Public(KEYS, KEYS, KEYS, lambda _: False)


def lines(count: int) -> list[str]:
    return [f"region: r{number}\n" for number in range(count)]


def test_a_large_file_with_few_changes_has_the_diff_of_difflib() -> None:
    random = Random(1)
    before = lines(3_000)
    after = list(before)
    for _ in range(30):
        place = random.randrange(len(after))
        after[place : place + random.choice((0, 1))] = [f"region: x{random.randrange(9999)}\n"] * random.choice((0, 1))
    ours = list(diff("m", "".join(before), "".join(after), PUBLIC))
    assert ours == list(unified_diff(before, after, "m", "m"))


def test_lines_that_all_occur_often_are_compared_in_pieces() -> None:
    before = "".join(f"region: r{number}\ndescription:  a\n\n\n" for number in range(3_000))
    after = before.replace("  a", " a").replace("\n\n\n", "\n")
    pieces = list(diff("m", before, after, PUBLIC))
    rebuilt = "".join(piece[1:] for piece in pieces[2:] if piece[0] in " +")
    assert rebuilt == after
    assert "".join(piece[1:] for piece in pieces[2:] if piece[0] in " -") == before


def test_a_large_file_that_is_empty_afterwards_is_taken_away() -> None:
    blank = "\n" * 100_000
    pieces = list(diff("m", f"region: a\n{blank}", "region: a\n", PUBLIC))
    assert pieces[2] == "@@ -1,100001 +1 @@\n"
    assert len(pieces) == 100_004
