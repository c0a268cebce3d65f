"""The auth method of a definition: the kind of method that its keys make, with keys of its own under `auth:`.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from connform.auth.described.definition import Method
from connform.auth.described.kinds import FLOWS_WITH_CONSENT, obtains_token
from connform.auth.interface import AuthInputs, AuthMethod, MethodKind, SecretUse
from connform.lazy_property import lazy_property
from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding
from connform.manifest.shape import Schema, Shape
from connform.secret import Secret

if TYPE_CHECKING:
    from connform.auth.kit.placement import Placement
    from connform.auth.oauth.server import AuthorizationServer
    from connform.http.credential import Credential

_KINDS = {
    "authorization_code": "granted_token:GRANTED_TOKEN",
    "device_code": "granted_token:GRANTED_TOKEN",
    "client_credentials": "obtained_token:OBTAINED_TOKEN",
    "jwt_bearer": "obtained_token:OBTAINED_TOKEN",
    "login": "obtained_token:OBTAINED_TOKEN",
    "jwt": "signed_jwt:SIGNED_JWT",
    "static": "sent_secrets:SENT_SECRETS",
    "none": "sent_secrets:SENT_SECRETS",
}
"""Kind of a definition (`kinds.KEYS`) → the module and the name of what its methods have in common."""
_URLS = ("authorize_url", "token_url", "refresh_url", "device_authorization_url", "revoke_url")
_NOT_ITS_OWN = frozenset({"use", "secrets", "root", "none", "scopes", "refresh_scope", "redirect", *_URLS})
"""The keys of a definition that are no defaults of the keys under `auth:`."""


class DescribedMethod(AuthMethod):
    """One method of a provider's file."""

    def __init__(self, method: Method) -> None:
        """Take the definition."""
        self._kind_name = method.kind
        self.uses_grant = self._kind_name in FLOWS_WITH_CONSENT
        self.obtains_token = obtains_token(self._kind_name) and not self.uses_grant
        self.default_scopes, self.refresh_scope = method.scopes, method.refresh_scope
        given = {key: value for key, value in method._asdict().items() if value != Method._field_defaults[key]}
        self.defaults = {key: value for key, value in given.items() if key not in _NOT_ITS_OWN}
        if self.obtains_token:  # of a grant, the login requests them
            self.defaults["scopes"] = method.scopes
        self._shape = _shape(method)

    @lazy_property
    def _kind(self) -> MethodKind:
        """What the methods of its kind have in common; `validate` needs it of few kinds."""
        module, _, name = _KINDS[self._kind_name].partition(":")
        kind: MethodKind = getattr(import_module(f"connform.auth.kit.{module}"), name)
        return kind

    @lazy_property
    def uses_by_keys(self) -> bool:
        """As for `MethodKind`."""
        return self._kind.uses_by_keys

    @lazy_property
    def _placement(self) -> Placement:
        from connform.auth.kit.sent_secrets import placement_of  # `validate` sends nothing

        return placement_of(self.defaults)

    @property
    def shape(self) -> Shape:
        """The keys of its secrets, and those of its OAuth client."""
        return self._shape

    def rules(self, auth: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield the findings of its kind."""
        if self.uses_grant:
            yield from self._kind.rules(auth)

    def judge(self, key: str, secret: Secret) -> None:
        """Require a secret that can be sent where it belongs."""
        if self._placement.place(key):
            self._placement.judge(key, secret)
        else:
            self._kind.judge(key, secret)

    def uses(self, auth: Mapping[str, Any], server: AuthorizationServer) -> Iterator[SecretUse]:
        """Yield where its secrets are sent."""
        yield from self._kind.uses(auth, server)

    def credential(self, inputs: AuthInputs) -> Credential:
        """Return the credential of its kind."""
        return self._kind.credential(inputs)


def _shape(method: Method) -> Shape:
    secrets: dict[str, Schema] = dict.fromkeys(method.secrets, REFERENCE)
    required = tuple(key for key, one in method.secrets.items() if not one.get("optional"))
    if not method.flow:
        return Shape(properties=secrets, required=required, description=method.use)
    from connform.auth.kit.client import CLIENT_SECRET
    from connform.auth.kit.granted_token import CLIENT_KEYS, GRANTED_TOKEN

    if method.flow == "authorization_code":
        client = GRANTED_TOKEN.shape.properties
        required = (*GRANTED_TOKEN.shape.required, *(key for key in required if key != CLIENT_SECRET))
    else:
        client = {key: GRANTED_TOKEN.shape.properties[key] for key in CLIENT_KEYS}
        required = required if "issuer" in method.jwt else ("client_id", *required)
    return Shape(properties={**client, **secrets}, required=required, description=method.use)
