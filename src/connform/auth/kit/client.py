"""The OAuth client of an auth method (RFC 6749 §2), and its requests to a token endpoint, as the settings under `auth:` say.

Layer 2, no IO.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connform.auth.interface import AuthInputs
from connform.auth.kit.jwt_settings import signer
from connform.errors import ConnectionFailed
from connform.http.header import problem_of
from connform.manifest.named_texts import expand, names_in
from connform.manifest.rules import Finding, KeyPath
from connform.secret import Secret
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    from connform.auth.oauth.client_authentication import App
    from connform.auth.oauth.server import AuthorizationServer, TokenOptions
    from connform.auth.oauth.token_endpoint import TokenEndpoint

CLIENT_SECRET = "client_secret"  # noqa: S105  (the name of a key)
_OF_A_FLOW = frozenset(
    {
        "grant_type",
        "code",
        "redirect_uri",
        "code_verifier",
        "refresh_token",
        "device_code",
        "assertion",
        "client_id",
    }
    | {CLIENT_SECRET, "client_assertion", "client_assertion_type"}
)
"""The parameters that flows and clients send themselves (RFC 6749 §4, RFC 7521 §4, RFC 7636 §4, RFC 8628 §3)."""
SERVER_URLS = ("issuer", "authorize_url", "token_url", "refresh_url", "device_authorization_url", "revoke_url")
"""The settings that name the server: people, the client's secret and tokens are sent there."""
_OF_SERVER = frozenset({*SERVER_URLS, "pkce"})


def judge(key: str, secret: Secret) -> None:
    """Require a client secret of printable ASCII characters (RFC 6749 appendix A.2); another secret may be any text.

    Raises:
        ConnectionFailed: `secret_malformed`.
    """
    if key == CLIENT_SECRET and (problem := problem_of(secret)):
        message = f"the secret behind `{key}` {problem}, and no app has such a secret"
        raise ConnectionFailed("secret_malformed", message)
    if not secret.reveal():
        raise ConnectionFailed("secret_malformed", f"the secret behind `{key}` is empty")


def app(inputs: AuthInputs) -> App:
    """Return the OAuth client.

    Raises:
        ConnectionFailed: `secret_malformed`; `config_invalid`, a library is missing.
    """
    from connform.auth.oauth.client_authentication import App

    settings, secret = inputs.settings, inputs.secrets.get(CLIENT_SECRET)
    if secret is not None:
        judge(CLIENT_SECRET, secret)
    authentication = settings.get("client_auth", "basic")
    server_url = server(settings, inputs.server)
    assertion = None
    if authentication == "private_key_jwt":
        assertion = signer(inputs, audience=server_url.token_url or server_url.issuer)
    return App(settings.get("client_id", ""), secret, authentication, assertion)


def server(settings: Mapping[str, Any], known: AuthorizationServer) -> AuthorizationServer:
    """Return the authorization server: the URLs under `auth:` in the manifest, otherwise those of the provider.

    With `issuer`, the URLs of the provider are not used.
    """
    if _OF_SERVER.isdisjoint(settings):
        return known
    declared = {key: settings[key] for key in SERVER_URLS if key in settings}
    if "issuer" in declared:
        known = type(known)()
    if "pkce" in settings:
        known = known._replace(has_pkce=settings["pkce"])
    return known._replace(**declared) if declared else known


def grant_server(inputs: AuthInputs) -> AuthorizationServer:
    """Return the authorization server of a grant, with what it wants of each token request."""
    return server(inputs.settings, inputs.server)._replace(options=token_options(inputs))


def token_endpoint(inputs: AuthInputs) -> TokenEndpoint:
    """Return the token endpoint of a method without a grant; errors as for `app`."""
    from connform.auth.oauth.token_endpoint import TokenEndpoint

    url = server(inputs.settings, inputs.server).token_url
    return TokenEndpoint(url, app(inputs), inputs.client, options=token_options(inputs))


def token_options(inputs: AuthInputs) -> TokenOptions:
    """Return what the settings say of each token request."""
    from connform.auth.oauth.server import TokenOptions

    settings = inputs.settings
    return TokenOptions(filled(settings.get("token_params", {}), inputs), settings.get("token_format", "form"))


def filled(value: Any, inputs: AuthInputs) -> Any:
    """Return plain data with the names in its texts filled in; a text that names a secret becomes a `Secret`."""
    if isinstance(value, str):
        named = [name for name in names_in(value) if name in inputs.secrets]
        with hidden_frames():
            clear = expand(value, {**inputs.values, **{name: inputs.secrets[name].reveal() for name in named}})
            return Secret(clear) if named else clear
    if isinstance(value, Mapping):
        return {key: filled(one, inputs) for key, one in value.items()}
    return [filled(one, inputs) for one in value] if isinstance(value, list | tuple) else value


def parameter_findings(parameters: Collection[str], path: KeyPath) -> Iterator[Finding]:
    """Yield the further parameters of token requests at a path that a flow sends itself."""
    for name in parameters:
        if name in _OF_A_FLOW:
            detail = f"`{name}` is sent by the flow itself, and can't be replaced: remove it"
            yield Finding("bad-name", (*path, name), detail, at_key=True)


def client_findings(auth: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield findings about the client's name, about how it authenticates, and about its token requests."""
    yield from parameter_findings(auth.get("token_params", ()), ("token_params",))
    if re.match(r"(?!https?:)(?:ref\+)?[a-z][a-z0-9-]*://", auth.get("client_id", "")):
        detail = "a client id is no secret and no reference is resolved here: write it in clear"
        yield Finding("malformed-value", ("client_id",), detail)
    if auth.get("client_auth") in ("basic", "body") and CLIENT_SECRET not in auth:
        detail = "without `client_secret` there is nothing to show: remove `client_auth`, or write `client_secret`"
        yield Finding("missing-key", (), detail)
    if auth.get("pkce") is False and CLIENT_SECRET not in auth:
        detail = "nothing but PKCE protects the codes of a public client: remove `pkce`, or write `client_secret`"
        yield Finding("missing-key", ("pkce",), detail, at_key=True)
    elif auth.get("pkce") is False:
        detail = "whoever steals the code of a login on its way can use it: keep this for a server that refuses PKCE"
        yield Finding("no-pkce", ("pkce",), detail, at_key=True)
