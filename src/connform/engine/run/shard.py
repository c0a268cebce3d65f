"""Shards: a run divided among several, each with its own parts of the state. Layer 3; pure."""

from typing import NamedTuple

PARTS = 64
"""How many parts of a state table can be locked separately, so that shards of a run don't wait for each other."""


class Shard(NamedTuple):
    """One of several runs that divide the connections among them."""

    number: int = 1
    """The number of this shard, from 1."""
    total: int = 1
    """The number of shards, at most `PARTS`."""

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"

    def has(self, connection: str) -> bool:
        """Whether a connection belongs to this shard. That depends on its name alone, so it is the same on every machine."""
        return self.total == 1 or part_of(connection) % self.total == self.number - 1

    @property
    def parts(self) -> list[str]:
        """The names of the parts of the state that belong to this shard."""
        return [self.name_of(part) for part in range(PARTS) if part % self.total == self.number - 1]

    @staticmethod
    def name_of(part: int) -> str:
        """Return the name of a part by its number."""
        return f"{part:02}"


SINGLE_SHARD = Shard()
"""The only shard of a run that isn't divided."""


def part_of(connection: str) -> int:
    """Return the number of the part of the state that contains a connection."""
    from hashlib import sha256  # imported here, because reading state doesn't need it

    return sha256(connection.encode()).digest()[0] % PARTS
