"""Auth methods that obtain their token without a person: client credentials, a signed JWT, one login call.

Layer 2, no IO of its own: `auth/tokens/` obtains and renews the token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connform.auth.described.kinds import ACCESS_TOKEN
from connform.auth.interface import AuthInputs, MethodKind, SecretUse
from connform.auth.kit import client
from connform.auth.kit.jwt_settings import key_name, signer
from connform.auth.kit.sent_secrets import placement_of
from connform.auth.kit.token_placement import placed_lines, token_placement
from connform.http.credential import Credential
from connform.manifest.named_texts import names_in, texts_in
from connform.secret import Secret

if TYPE_CHECKING:
    from connform.auth.oauth.server import AuthorizationServer
    from connform.auth.tokens.interface import TokenRequest


class ObtainedToken(MethodKind):
    """Methods whose settings say how their token is obtained: `flow` or `login`."""

    obtains_token = True

    def judge(self, key: str, secret: Secret) -> None:
        """Require a usable client secret; other secrets may be any text."""
        client.judge(key, secret)

    def uses(self, auth: Mapping[str, Any], server: AuthorizationServer) -> Iterator[SecretUse]:
        """Yield where secrets are sent, and the token."""
        placement = token_placement(auth)
        is_login = "login" in auth
        url = server.login_url if is_login else server.token_url
        use = "login_url" if is_login else "token_url"
        for key in sorted(_secrets_of_request(auth)):
            yield SecretUse(key, url, use)
        for key in auth:
            if place := placement.place(key):
                yield SecretUse(key, place=place)
        yield SecretUse("", place=placement.place(ACCESS_TOKEN))

    def credential(self, inputs: AuthInputs) -> Credential:
        """Return the credential that obtains the token at the first request."""
        from connform.auth.tokens.interface import digest_of
        from connform.auth.tokens.renewal import issued_credential

        lines, scheme = placed_lines(inputs)
        request, store, digest = _request(inputs), inputs.tokens(), digest_of(inputs.secrets)
        return issued_credential(inputs.connection, request, store, lines, scheme, obtained_with=digest)


def _secrets_of_request(auth: Mapping[str, Any]) -> set[str]:
    """Return the names of the secrets that obtain the token."""
    texts = [text for key in ("token_params", "login") for _, text in texts_in((), auth.get(key))]
    named = {name for text in texts for name in names_in(text)}
    keys = {key_name(auth)} if "jwt" in auth else set()
    return ((named | {client.CLIENT_SECRET}) & auth.keys()) | (keys & auth.keys())


def _request(inputs: AuthInputs) -> TokenRequest:
    settings = inputs.settings
    bound_to = {"root": inputs.client.base_url, "references": dict(inputs.references)}
    if "login" in settings:
        return _login_call(inputs, bound_to)
    endpoint = client.token_endpoint(inputs)
    scopes = settings.get("scopes", ())
    if settings["flow"] == "jwt_bearer":
        from connform.auth.tokens.jwt_bearer import JwtBearer

        claims = settings["jwt"].get("claims", {})
        sent = () if any("scope" in names_in(text) for text in claims.values()) else scopes
        return JwtBearer(endpoint, signer(inputs, audience=endpoint.url), sent, bound_to)
    from connform.auth.tokens.client_credentials import ClientCredentials

    return ClientCredentials(endpoint, scopes, bound_to)


def _login_call(inputs: AuthInputs, bound_to: Mapping[str, Any]) -> TokenRequest:
    from connform.auth.kit.sent_secrets import SentSecretsCredential
    from connform.auth.tokens.login_answer import TokenLifetime
    from connform.auth.tokens.login_call import LoginCall

    login = inputs.settings["login"]
    url = inputs.server.login_url or login["url"]
    placement = placement_of(login)
    jwt = signer(inputs, audience=url) if "jwt" in inputs.settings else None

    def credential() -> Credential | None:
        secrets = {**inputs.secrets, "jwt": jwt.sign()} if jwt else inputs.secrets
        lines = placement.lines(secrets, inputs.values)
        return SentSecretsCredential(placement.scheme, lines) if lines else None

    body = next((key for key in ("form", "json") if key in login), "")
    return LoginCall(
        url,
        client.filled(login.get(body, {}), inputs),
        inputs.client,
        token_at=login["token_at"],
        bound_to={**bound_to, "jwt": jwt.binding if jwt else None},
        body=body,
        credential=credential,
        lifetime=TokenLifetime(**login.get("lifetime", {})),
    )


OBTAINED_TOKEN = ObtainedToken()
