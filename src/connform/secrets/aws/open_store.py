"""The open store of both AWS backends: it reads documents in batches, each of one region.

Layer 2, no IO of its own. If a batch fails because of one of its secrets, each is read alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol, TypeAlias

from connform.errors import RateLimited, SecretUnresolved
from connform.secret import SecretReference
from connform.secrets.aws.session import Account
from connform.secrets.kit.interface import Fetched, Outcome
from connform.secrets.kit.open_store import attempt
from connform.secrets.kit.value import whole_or_field


class AwsDocument(NamedTuple):
    """A secret or parameter in one version."""

    text: object
    """The value; a server that is not AWS may send something other than text."""
    version: str
    """The name of the version that was read."""
    since: datetime | None
    """When it was written."""


Answer: TypeAlias = AwsDocument | SecretUnresolved
"""The result for one name and version."""


class BatchReader(Protocol):
    """Reads documents from AWS, as many as one call may name."""

    def __call__(self, region: str, documents: Sequence[SecretReference]) -> Mapping[SecretReference, Answer]:
        """Return the answer for each document; raise if the whole call failed."""


class AwsStore:
    """Secrets or parameters of one AWS account, in use."""

    def __init__(self, account: Account, read_documents: BatchReader, batch_size: int) -> None:
        self.batch_size = batch_size
        self.close = account.close
        self._account = account
        self._read_documents = read_documents

    def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        """Return the outcome of each reference, in their order."""
        regions: dict[str, list[SecretReference]] = {}
        for reference in dict.fromkeys(one._replace(field="") for one in references):
            regions.setdefault(self._account.region_of(reference.path), []).append(reference)
        found: dict[SecretReference, Answer] = {}
        for region, documents in regions.items():
            for start in range(0, len(documents), self.batch_size):
                found |= self._read_batch(region, documents[start : start + self.batch_size])
        return [_outcome(found[reference._replace(field="")], reference.field) for reference in references]

    def _read_batch(self, region: str, documents: Sequence[SecretReference]) -> Mapping[SecretReference, Answer]:
        answer = attempt(self._read_documents, region, documents)
        if not isinstance(answer, SecretUnresolved):
            return answer
        if len(documents) == 1 or not self._account.is_of_one_secret(answer, region):
            return dict.fromkeys(documents, answer)
        # AWS refuses a whole batch because of one secret that may not be read.
        return read_singly(lambda document: self._read_batch(region, [document])[document], documents)


def read_singly(
    read: Callable[[SecretReference], Answer], documents: Sequence[SecretReference]
) -> dict[SecretReference, Answer]:
    """Return the answer for each document, read one after the other. After a rate limit, no more are asked for."""
    found: dict[SecretReference, Answer] = {}
    for document in documents:
        found[document] = answer = attempt(read, document)
        if isinstance(answer, RateLimited):
            return dict.fromkeys(documents, answer) | found
    return found


def _outcome(document: Answer, field: str) -> Outcome:
    return document if isinstance(document, SecretUnresolved) else attempt(_fetched, document, field)


def _fetched(document: AwsDocument, field: str) -> Fetched:
    if not isinstance(document.text, str):
        raise SecretUnresolved("secret_malformed", "the value is no text")
    since = document.since.astimezone(UTC) if document.since else None
    return Fetched(whole_or_field(document.text, field), document.version, since)
