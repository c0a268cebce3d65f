"""The backend `awssecrets`: secrets of AWS Secrets Manager, `awssecrets://NAME#FIELD`.

Layer 2; uses the network by botocore. One call reads up to twenty secrets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from connform.errors import SecretUnresolved
from connform.secret import SecretReference
from connform.secrets.aws.failures import AwsService, failure_of_answer
from connform.secrets.aws.open_store import Answer, AwsDocument, AwsStore, read_singly
from connform.secrets.aws.session import Account
from connform.secrets.aws.settings import AwsBackend, store_shape
from connform.secrets.kit.interface import OpenStore, StoreConfig
from connform.secrets.kit.open_store import attempt

_NAME = r"[A-Za-z0-9/_+=.@!-]{1,512}"
_ARN = rf"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{{12}}:secret:{_NAME}"
_VERSION_ID = r"[A-Za-z0-9-]{32,64}"
"""What may be a version id: a UUID, or another ClientRequestToken. It may be a staging label as well; anything else is one."""
_BATCH_SIZE = 20
"""The limit of BatchGetSecretValue."""
_SERVICE = AwsService(
    "AWS Secrets Manager", "allow secretsmanager:GetSecretValue on the secret, and kms:Decrypt on its key"
)


class AwsSecrets(AwsBackend):
    """The backend `awssecrets`."""

    form = "awssecrets://NAME#FIELD"
    allows_at = True
    store_shape = store_shape("awssecrets", "AWS Secrets Manager.")

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:  # noqa: ARG002  (the interface's signature)
        """Return what is wrong with a reference to a secret."""
        if not reference.path:
            return f"the name of the secret is missing: {reference.scheme}://NAME"
        if reference.path.startswith("arn:"):
            form = f"{reference.scheme}://arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-AbCdEf"
            return "" if re.fullmatch(_ARN, reference.path) else f"this is no ARN of a secret: {form}"
        if not re.fullmatch(_NAME, reference.path):
            return "a secret's name has letters, digits, slashes and `_+=.@!-`"
        return ""

    def open(self, store: StoreConfig) -> OpenStore:
        """Return the secrets of a store's account; for the bare backend, of the environment's."""
        account = Account("secretsmanager", _SERVICE, store)
        return AwsStore(account, _SecretReader(account), _BATCH_SIZE)


class _SecretReader:
    """Reads secrets: current versions by BatchGetSecretValue, others, and all if that is denied, by GetSecretValue."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._is_batch_denied = False

    def __call__(self, region: str, documents: Sequence[SecretReference]) -> Mapping[SecretReference, Answer]:
        """Return the answer for each secret and version."""
        current = [document for document in documents if not document.version]
        found = self._read_batch(region, current) if len(current) > 1 and not self._is_batch_denied else {}
        singly = [document for document in documents if document not in found]
        return found | read_singly(lambda document: self._read_one(region, document), singly)

    def _read_batch(self, region: str, documents: Sequence[SecretReference]) -> dict[SecretReference, Answer]:
        """Return the answers of one BatchGetSecretValue. A secret that it doesn't name as the reference does is left out."""
        try:
            answer = self._account.call(
                "batch_get_secret_value", region, SecretIdList=[document.path for document in documents]
            )
        except SecretUnresolved as failure:
            # BatchGetSecretValue needs a permission of its own, which fewer identities have.
            self._is_batch_denied |= failure.fault.name == "secret_denied"
            raise
        found: dict[str, Answer] = {}
        for value in answer.get("SecretValues", ()):
            found |= dict.fromkeys((value.get("Name"), value.get("ARN")), attempt(_document, value))
        for error in answer.get("Errors", ()):
            code, message = error.get("ErrorCode", ""), error.get("Message", "")
            refusal = failure_of_answer(self._account.service_in(region), code, message).error
            if refusal.fault.name != "secret_backend_unavailable":  # what failed for a moment is read again, alone
                found[error.get("SecretId", "")] = refusal
        return {document: found[document.path] for document in documents if document.path in found}

    def _read_one(self, region: str, document: SecretReference) -> AwsDocument:
        value = self._read_version(region, document.path, document.version)
        # AWS takes an ARN without its last seven characters as well, and looks for the secret that it may mean.
        arn = str(value.get("ARN", ""))
        if document.path not in ({arn, arn[:-7]} if document.path.startswith("arn:") else {value.get("Name")}):
            message = f"{self._account.service_in(region).name} answered with another secret"
            raise SecretUnresolved("secret_malformed", message, "write the whole ARN of the secret")
        return _document(value)

    def _read_version(self, region: str, path: str, version: str) -> Mapping[str, Any]:
        get = partial(self._account.call, "get_secret_value", region, SecretId=path)
        if not version:
            return get()
        if re.fullmatch(_VERSION_ID, version):
            try:
                return get(VersionId=version)
            except SecretUnresolved as failure:
                if failure.fault.name != "secret_not_found":
                    raise
        return get(VersionStage=version)


def _document(value: Mapping[str, Any]) -> AwsDocument:
    if "SecretBinary" in value:
        raise SecretUnresolved("secret_malformed", "the secret is binary", "store it as text: SecretString")
    return AwsDocument(value.get("SecretString"), str(value.get("VersionId", "")), value.get("CreatedDate"))


AWSSECRETS = AwsSecrets()
