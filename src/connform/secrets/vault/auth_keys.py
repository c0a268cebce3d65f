"""The keys of `auth:` in a Vault store, by login method, and the rules that a schema can't express.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding
from connform.manifest.shape import Schema, Shape
from connform.secrets.kit.service_account import TOKEN_REFERENCE

_NAME_PATTERN = r"(?:[!$-\-0->@-~][!$-.0->@-~]*|\.[!$-\-0->@-~][!$-.0->@-~]*|\.\.[!$-.0->@-~]+)"
"""One part of a path, not `.` or `..`."""
SERVER_PATH_SCHEMA: Schema = {
    "type": "string",
    "pattern": rf"^{_NAME_PATTERN}(?:/{_NAME_PATTERN})*(?!\n)$",
    "errorMessage": "names of printable ASCII, joined by slashes, without a slash at the ends",
}
"""The JSON Schema of a path on a server: a mount or a namespace."""

_ROLE_SCHEMA: Schema = {
    "type": "string",
    "minLength": 1,
    "description": "The role to log in for.",
    "examples": ["connform"],
}


def _mount_schema(default: str) -> Schema:
    return {
        **SERVER_PATH_SCHEMA,
        "default": default,
        "description": f"Where the login method is mounted, below auth/. Default {default}.",
    }


AUTH_SHAPE = Shape(
    discriminator="method",
    code="unknown-auth-method",
    branches={
        "token": Shape(
            properties={
                "token": {**REFERENCE, "description": "The token, by reference; it is neither renewed nor revoked."}
            },
            required=("token",),
            description="A token that somebody else obtains.",
        ),
        "approle": Shape(
            properties={
                "role_id": {
                    "type": "string",
                    "minLength": 1,
                    "description": "The id of the AppRole, which is no secret.",
                },
                "role_id_from": {**REFERENCE, "description": "The same by reference, where it is kept like a secret."},
                "secret_id": {
                    **REFERENCE,
                    "description": "The secret id, by reference; none for a role with bind_secret_id=false.",
                },
                "mount": _mount_schema("approle"),
            },
            description="A login with an AppRole.",
        ),
        "cert": Shape(
            properties={
                "role": {
                    **_ROLE_SCHEMA,
                    "description": "The role to log in for. Default: any that the certificate fits.",
                },
                "mount": _mount_schema("cert"),
            },
            description="A login with the client certificate of the store's `tls`.",
        ),
        "jwt": Shape(
            properties={
                "role": _ROLE_SCHEMA,
                "token": {**REFERENCE, "description": "The JWT, by reference."},
                "mount": _mount_schema("jwt"),
            },
            required=("role", "token"),
            description="A login with a JWT, such as the identity of a CI job.",
        ),
        "kubernetes": Shape(
            properties={
                "role": _ROLE_SCHEMA,
                "token": {
                    **REFERENCE,
                    "description": f"The service account's token; default {TOKEN_REFERENCE}.",
                },
                "mount": _mount_schema("kubernetes"),
            },
            required=("role",),
            description="A login with the service account of a Kubernetes pod.",
        ),
    },
    title="Login",
    description="How the store is logged into, once a run.",
    question="The method of the login.",
)


def login_findings(store: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with the `auth:` of a store that its schema accepts."""
    auth = store["auth"]
    if auth["method"] == "cert" and not store.get("tls"):
        detail = "a login by certificate needs one: write `tls: {client_cert: …, client_key: …}`"
        yield Finding("missing-key", (), detail)
    if auth["method"] != "approle":
        return
    if "role_id" not in auth and "role_id_from" not in auth:
        yield Finding(
            "missing-key", ("auth",), "an AppRole has an id: write `role_id`, or `role_id_from` with a reference"
        )
    elif "role_id" in auth and "role_id_from" in auth:
        detail = "the id of the AppRole stands twice, in `role_id` and in `role_id_from`: remove one of them"
        yield Finding("duplicate-key", ("auth", "role_id_from"), detail, at_key=True, related=(("auth", "role_id"),))
