"""A provider and a backend written against `connform.plugin` alone, as a third party writes them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

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
    assert len(plugin.__all__) == len(set(plugin.__all__))
    assert all(hasattr(plugin, name) for name in plugin.__all__)


NOT_OFFERED = {
    "connform.environment.variables": "all variables, for `env://` alone",
    "connform.environment.variable_if_set": "all variables, for `env://` alone",
    "connform.http.net.deadline": "a read is limited from outside",
    "connform.manifest.document_schema.NAME": "a part of ENVIRONMENT",
    "connform.manifest.proxy.PROXY": "a part of NETWORK_KEYS",
    "connform.auth.described.kinds.JWT": "a name in texts of auth methods that a connection describes itself",
    "connform.manifest.named_text_rules.braces_finding": "for such texts",
    "connform.manifest.named_text_rules.secret_text_findings": "the same",
    "connform.manifest.named_text_rules.unknown_name": "the same",
    "connform.manifest.named_texts.names_in": "the same",
    "connform.manifest.named_texts.texts_in": "the same",
    "connform.manifest.repository.repository_of": "where the policy file of `exec://` is",
    "connform.debug_log.SECRETS": "a plug-in has a logger of its own package",
    "connform.secrets.kit.command.run": "offered as `run_program`",
    "connform.secrets.kit.file_reader.is_in_proc": "`read_file` calls it",
    "connform.secrets.kit.network.proxy_with_password": "for botocore",
    "connform.secrets.kit.requests_session.requests_session": "for the logins of Google and Microsoft",
    "connform.secrets.kit.service_account.TOKEN_REFERENCE": "a part of the settings of Kubernetes and Vault",
    "connform.secrets.kit.service_account.mounted_token": "for the logins of Kubernetes and Vault",
    "connform.secrets.kit.log_filter.unlogged": "it would load the module logging with each plug-in",
    "connform.secrets.kit.value.bytes_from_base64": "for a checksum; `text_from_base64` calls it",
    "connform.secrets.kit.value.require_not_own": "for backends that log in with a token of their own",
}
"""What built-in providers, auth methods and backends import of shared modules, and third parties can't."""


JWT_MODULES = ("jwt.py", "private_key_pem.py", "signed_jwt.py", "signing_key.py")
"""What methods with a JWT share; none of them is a method."""


def test_what_built_ins_import_third_parties_may_import_too(pytestconfig: pytest.Config) -> None:
    package = pytestconfig.rootpath / "src" / "connform"
    imported = {
        f"{node.module}.{name.name}"
        for folder in ("providers", "auth", "secrets")
        for path in (package / folder).rglob("*.py")
        if not {"kit", "oauth", "tokens", "described"} & set(path.relative_to(package).parts)
        and path.name
        not in {
            "__init__.py",
            "interface.py",
            "answers.py",
            "bodies.py",
            "body_schema.py",
            "body_sample.py",
            *JWT_MODULES,
        }
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ImportFrom) and _is_shared(node.module or "")
        for name in node.names
    }
    assert {name for name in imported if name.rpartition(".")[2] not in plugin.__all__} == set(NOT_OFFERED)


def _is_shared(module: str) -> bool:
    if module.startswith("connform.secrets."):
        return module.startswith("connform.secrets.kit.")
    if module.startswith("connform.providers."):
        return module in ("connform.providers.interface", "connform.providers.answers")
    return module.startswith("connform") and not module.startswith(("connform.auth.oauth", "connform.auth.kit"))
