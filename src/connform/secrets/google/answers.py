"""What Secret Manager's answers to a read mean: the version of a secret, or a fault with its message and hint.

Layer 2, no IO. The answers and their sources are in docs/reference/secret-answers.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connform.errors import SecretUnresolved
from connform.secrets.google.login import LOGIN_HINT
from connform.secrets.kit.rest import RestReply, content_of

NAME = "Secret Manager"

_BAD_REQUEST, _FORBIDDEN = 400, 403
_ROLE_HINT = "give the account the role Secret Manager Secret Accessor on the secret"
_BY_STATUS = {
    "FAILED_PRECONDITION": (
        "that version of the secret is disabled or destroyed",
        "enable it (`gcloud secrets versions enable`), or name another version",
    ),
    "INVALID_ARGUMENT": (
        f"{NAME} does not accept the name of the secret at this address",
        "correct the reference; secrets of a region need `location` in the store, and others must not have it",
    ),
}
"""`error.status` of a 400 → message and hint of `secret_not_found`."""
_BY_REASON = {
    "SERVICE_DISABLED": (
        "the Secret Manager API is switched off in the project of the secret, or in the quota project of the login",
        "switch it on: `gcloud services enable secretmanager.googleapis.com --project PROJECT`",
    ),
    "BILLING_DISABLED": ("the billing account of the project is disabled", "see the project's billing"),
    "USER_PROJECT_DENIED": (
        "the login may not use its quota project",
        "name another one: `gcloud auth application-default set-quota-project PROJECT`",
    ),
    "CONSUMER_SUSPENDED": ("Google has suspended the project", "see the project in the console of Google Cloud"),
    "CONSUMER_INVALID": ("there is no such project", "correct `project`, or the quota project of the login"),
    "SECURITY_POLICY_VIOLATED": (
        "VPC Service Controls refuse this request",
        "ask from where the service perimeter of the project allows it",
    ),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": (
        "the login lacks the scope cloud-platform",
        "give this scope to the machine, or log in again with it",
    ),
}
"""`reason` of the ErrorInfo of a 403 → message and hint of `secret_denied`."""


def document_of(reply: RestReply) -> dict[str, Any]:
    """Return the version of the secret in an answer.

    Raises:
        SecretUnresolved: the answer is a refusal, or none of Secret Manager's.
    """
    error = reply.content.get("error") if isinstance(reply.content, dict) else None
    details = error if isinstance(error, dict) else {}
    status, reason = str(details.get("status")), _reason(details)
    if reply.status == _BAD_REQUEST and status in _BY_STATUS:
        raise SecretUnresolved("secret_not_found", *_BY_STATUS[status])
    if reply.status == _FORBIDDEN and reason in _BY_REASON:
        raise SecretUnresolved("secret_denied", *_BY_REASON[reason])
    return content_of(reply, NAME, login_hint=LOGIN_HINT, denied_hint=_ROLE_HINT)


def _reason(error: Mapping[str, Any]) -> str:
    """Return the reason that an error gives in its ErrorInfo (google.rpc); empty if it has none."""
    details = error.get("details")
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict) and str(detail.get("@type")).endswith("google.rpc.ErrorInfo"):
            return str(detail.get("reason"))
    return ""
