"""The backend `awsssm`: parameters of AWS Systems Manager Parameter Store, `awsssm:///path/NAME`.

Layer 2; uses the network by botocore. One call reads up to ten parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connform.errors import SecretUnresolved
from connform.secret import SecretReference
from connform.secrets.aws.failures import AwsService, failure_of_answer
from connform.secrets.aws.open_store import Answer, AwsDocument, AwsStore
from connform.secrets.aws.session import Account
from connform.secrets.aws.settings import AwsBackend, store_shape
from connform.secrets.kit.interface import OpenStore, StoreConfig
from connform.secrets.kit.open_store import attempt

_NAME = r"[A-Za-z0-9_.-]+|(?:/[A-Za-z0-9_.-]+)+"
_ARN = r"arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:parameter(?:/[A-Za-z0-9_.-]+)+"
_VERSION = r"[1-9][0-9]*|[A-Za-z_.-][A-Za-z0-9_.-]{0,99}"
_BATCH_SIZE = 10
"""The limit of GetParameters."""
_SERVICE = AwsService("AWS SSM", "allow ssm:GetParameters on the parameter, and kms:Decrypt on its key")


class AwsSsm(AwsBackend):
    """The backend `awsssm`."""

    form = "awsssm:///path/NAME"
    store_shape = store_shape("awsssm", "AWS Systems Manager Parameter Store.")

    def lint(self, reference: SecretReference, settings: Mapping[str, Any]) -> str:  # noqa: ARG002  (the interface's signature)
        """Return what is wrong with a reference to a parameter."""
        scheme, path = reference.scheme, reference.path
        if not path.strip("/"):
            return f"the name of the parameter is missing: {scheme}:///path/NAME, or {scheme}://NAME"
        if not re.fullmatch(rf"{_NAME}|{_ARN}", path):
            if re.fullmatch(_NAME, f"/{path}"):
                return f"a parameter's name with slashes begins with one, three in all: {scheme}:///{path}"
            if re.fullmatch(rf"({_NAME}):({_VERSION})", path):
                return f"the version stands behind the name: {scheme}://NAME?version=3"
            return f"a parameter's name has letters, digits, `.`, `-`, `_` and slashes: {scheme}:///path/NAME"
        if reference.version and not re.fullmatch(_VERSION, reference.version):
            return "a version is a number, or a label of letters, digits, `.`, `-` and `_`"
        return ""

    def open(self, store: StoreConfig) -> OpenStore:
        """Return the parameters of a store's account; for the bare backend, of the environment's."""
        account = Account("ssm", _SERVICE, store)
        return AwsStore(account, _ParameterReader(account), _BATCH_SIZE)


class _ParameterReader:
    """Reads parameters by GetParameters."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def __call__(self, region: str, documents: Sequence[SecretReference]) -> Mapping[SecretReference, Answer]:
        """Return the answer for each parameter and version."""
        found: dict[SecretReference, Answer] = {}
        for by_name in _without_repeated_names(documents):
            requested = {
                name: f"{one.path}:{one.version}" if one.version else one.path for name, one in by_name.items()
            }
            answer = self._account.call("get_parameters", region, Names=list(requested.values()), WithDecryption=True)
            parameters = {
                _name_for_comparison(parameter.get("Name", "")): parameter for parameter in answer.get("Parameters", ())
            }
            for name, document in by_name.items():
                if name in parameters:
                    found[document] = attempt(_document, parameters[name])
                elif requested[name] in answer.get("InvalidParameters", ()):
                    service_name = self._account.service_in(region).name
                    message = f"{service_name} has no such parameter" + (" or version" if document.version else "")
                    found[document] = SecretUnresolved("secret_not_found", message)
                else:
                    found[document] = failure_of_answer(self._account.service_in(region), "", "").error
        return found


def _without_repeated_names(documents: Sequence[SecretReference]) -> Iterator[Mapping[str, SecretReference]]:
    """Yield groups of documents by name, no name twice in a group: an answer doesn't tell two versions of one name apart."""
    left = list(documents)
    while left:
        by_name: dict[str, SecretReference] = {}
        for document in left:
            by_name.setdefault(_name_for_comparison(document.path), document)
        yield by_name
        left = [document for document in left if document not in by_name.values()]


def _name_for_comparison(name: str) -> str:
    """Return a parameter's name, or that in an ARN, without a leading slash: an ARN always has one."""
    return name.rpartition(":parameter/")[2].removeprefix("/")


def _document(parameter: Mapping[str, Any]) -> AwsDocument:
    if parameter.get("Type") == "StringList":
        hint = "store it as a SecureString"
        raise SecretUnresolved("secret_malformed", "the parameter is a StringList, and a list is no secret", hint)
    return AwsDocument(parameter.get("Value"), str(parameter.get("Version", "")), parameter.get("LastModifiedDate"))


AWSSSM = AwsSsm()
