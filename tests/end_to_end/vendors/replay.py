"""The documented exchanges of the auth methods of vendors, and their replay.

A file of this folder belongs to the provider of the same name, and has for each of its auth methods
the keys of a connection, and the requests that a check makes. Requests and answers are those of the provider's sources; where no
source quotes the body of a refusal, it has the documented shape, or that of RFC 6749 §5.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.end_to_end.vendors.exchange import Answer, Exchange, read
from tests.http.servers import Connection

_UNKNOWN = Answer(500, text="no such request is documented")


class Case(NamedTuple):
    """One auth method of one vendor."""

    vendor: str
    method: str
    connection: Mapping[str, Any]
    exchanges: tuple[Exchange, ...]
    consent: Mapping[str, Any] | None = None
    """For a method by which a person consents: `page` and `query` of the authorization request, and the exchange of its code."""

    def __str__(self) -> str:
        return f"{self.vendor}-{self.method}"


class Replay:
    """Answers each request as it is documented."""

    def __init__(self, case: Case) -> None:
        self._answers = {exchange.request: exchange.answer for exchange in case.exchanges}

    def answer(self, exchange: Exchange, answer: Answer) -> None:
        """Answer one of the requests otherwise."""
        self._answers[exchange.request] = answer

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            connection.send(self._answers.get(read(request).request, _UNKNOWN).sent())


def cases() -> Iterator[Case]:
    """Yield the cases of this folder."""
    for file in sorted(Path(__file__).parent.glob("*.yaml")):
        for method, said in yaml.load(file.read_text(), yaml.CSafeLoader).items():
            exchanges = tuple(_exchange(**one) for one in said.pop("exchanges"))
            yield Case(file.stem, method, exchanges=exchanges, **said)


def _exchange(answer: dict[str, Any], refusals: list[dict[str, Any]], **said: Any) -> Exchange:
    return Exchange(answer=Answer(**answer), refusals=tuple(Answer(**one) for one in refusals), **said)
