"""A provider and a backend written against `connform.plugin` alone, as a third party writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connform import plugin
from connform.plugin import (
    Answer,
    Backend,
    CheckRequest,
    Connection,
    DocumentStore,
    Fetched,
    Finding,
    Instance,
    Judgement,
    OpenStore,
    Provider,
    Secret,
    SecretReference,
    SecretUnresolved,
    Shape,
    StoreConfig,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Acme:
    shape = Shape(properties={"tenant": {"type": "string"}}, required=("tenant",))

    def rules(self, connection: Mapping[str, Any]) -> Iterator[Finding]:
        if connection["tenant"] == "none":
            yield Finding("malformed-value", ("tenant",), "no such tenant")

    def instance(self, connection: Connection) -> Instance:
        return Instance(f"https://{connection.settings['tenant']}.acme.example", "X-Acme-Key")

    def check_request(self, connection: Connection) -> CheckRequest:
        return CheckRequest("GET", "/me")

    def judge(self, connection: Connection, answer: Answer) -> Judgement:
        return Judgement() if answer.status == 200 else Judgement("auth_denied", "no")


class Letterbox(Backend):
    form = "letterbox://name"
    store_shape = Shape()

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:
        return ""

    def open(self, place: StoreConfig) -> OpenStore:
        return DocumentStore(lambda reference: self._load(place, reference), lambda text, _: Fetched(Secret(text)))

    @staticmethod
    def _load(place: StoreConfig, reference: SecretReference) -> str:
        if place.settings:
            fault = "secret_not_found"
            raise SecretUnresolved(fault, "the letterbox is empty")
        return reference.path


def test_the_protocols_can_be_kept_with_these_names_alone(tmp_path: Path) -> None:
    provider: Provider = Acme()
    backend: Backend = Letterbox()
    assert [finding.code for finding in provider.rules({"tenant": "none"})] == ["malformed-value"]
    reference = SecretReference.parse(backend.form)
    (outcome,) = backend.open(StoreConfig(tmp_path)).read([reference])
    assert isinstance(outcome, Fetched)
    assert outcome.secret.reveal() == "name"
    (outcome,) = backend.open(StoreConfig(tmp_path, {"a": 1})).read([reference])
    assert isinstance(outcome, SecretUnresolved)


def test_every_promised_name_is_there() -> None:
    assert plugin.__all__ == sorted(plugin.__all__)
    assert all(hasattr(plugin, name) for name in plugin.__all__)
