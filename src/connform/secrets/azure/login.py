"""Access tokens for Key Vault: by a store's client secret, or by a login of this machine.

Layer 2; uses the network: the token endpoint of Entra ID (RFC 6749 §4.4). A login of this machine (workload identity, managed
identity, `az login`) is found by Microsoft's library azure-identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connform.debug_log import SECRETS
from connform.environment import variable
from connform.errors import SecretUnresolved, StoreFailed
from connform.manifest.urls import parse_url
from connform.secret import Secret
from connform.secrets.kit.interface import StoreConfig
from connform.secrets.kit.network import network_settings
from connform.secrets.kit.requests_session import requests_session

AUTHORITY = "https://login.microsoftonline.com"
AUTHORITY_HOSTS = ("login.microsoftonline.com", "login.microsoftonline.us", "login.chinacloudapi.cn")
"""Microsoft's own: learn.microsoft.com/en-us/python/api/azure-identity/azure.identity.knownauthorities, read on 2026-11-29."""
SUFFIX = "vault.azure.net"
INSTALL = "pip install azure-identity"
LOGIN_HINT = "log in: `az login`, or correct `tenant_id`, `client_id` and `client_secret` of the store"

_LOGGERS = ("azure.identity", "azure.core", "azure.core.pipeline.policies.http_logging_policy", "msal", "urllib3")
_LOGINS_OF_PERSONS = ("cli", "developer_cli", "powershell", "shared_token_cache", "visual_studio_code", "broker")
"""Credentials of azure-identity to which a `client_id` means nothing: they would log in as somebody else."""
_CLIENT_ID_HINT = (
    "run it where that identity is, give the store a `client_secret`, or leave out `client_id`: then `az login` will do"
)
_DOWN_HINT = "see whether this machine can reach Entra ID, by the store's `proxy` where one is needed, then try again"
_TOO_MANY_REQUESTS, _SERVER_ERROR = 429, 500
_SEVERAL_IDENTITIES = "Multiple user assigned identities exist"
_OAUTH_HINTS = {
    "invalid_client": "correct `client_secret` of the store, or renew it: it may have expired",
    "invalid_request": "correct `tenant_id` of the store",
    "unauthorized_client": "correct `client_id` and `tenant_id` of the store: the tenant doesn't have that application",
    "invalid_resource": "correct `resource` of the store, or its address, from which it is derived",
    "invalid_scope": "correct `resource` of the store, or its address, from which it is derived",
}
"""Error code of the token endpoint (RFC 6749 §5.2, and `invalid_resource` of Entra ID) → hint."""


def token_of(store: StoreConfig) -> Secret:
    """Return an access token for the vault of a store; for the bare backend, one for all vaults of the public cloud.

    Raises:
        SecretUnresolved: `secret_denied` or `secret_backend_unavailable`. The message quotes nothing of an answer.
    """
    secret = store.secrets.get("client_secret")
    scope = scope_of(store.settings)
    SECRETS.write(
        "Azure: logs in by %s", "the login of this machine" if secret is None else "the store's client_secret"
    )
    return _token_of_machine(store, scope) if secret is None else _token_of_client(store, secret, scope)


def scope_of(settings: Mapping[str, Any]) -> str:
    """Return what a token for the vault is for: `resource`, or the domain of the vault's host."""
    host = parse_url(settings["address"]).host if settings else f"any.{SUFFIX}"
    resource: str = settings.get("resource", f"https://{host.partition('.')[2]}")
    return f"{resource.removesuffix('/')}/.default"


def _token_of_client(store: StoreConfig, secret: Secret, scope: str) -> Secret:
    from connform.secrets.kit.rest import RestApi

    settings = store.settings
    form = {
        "grant_type": "client_credentials",
        "client_id": settings["client_id"],
        "client_secret": secret.reveal(),
        "scope": scope,
    }
    authority, network = settings.get("authority", AUTHORITY), network_settings(store)
    api = RestApi(authority, "Entra ID", timeout_s=store.timeout_s, trusts_system=True, **network)
    try:
        reply = api.call("POST", f"{settings['tenant_id']}/oauth2/v2.0/token", form=form)
    finally:
        api.close()
    content = reply.content if isinstance(reply.content, dict) else {}
    token = content.get("access_token")
    if isinstance(token, str):
        return Secret(token)
    if "error" not in content:
        message = f"Entra ID answered {reply.status}, which is none of its answers"
        raise SecretUnresolved("secret_backend_unavailable", message, "see what answers in its place, such as a proxy")
    code = str(content["error"])
    said = f"{reply.status} {code}" if code in _OAUTH_HINTS else f"{reply.status}"
    message = f"Entra ID does not accept the login (it answered {said})"
    raise SecretUnresolved("secret_denied", message, _OAUTH_HINTS.get(code, LOGIN_HINT))


def _token_of_machine(store: StoreConfig, scope: str) -> Secret:
    try:
        import azure.identity  # noqa: F401  (to see whether it is installed)
        from azure.core.exceptions import AzureError, ClientAuthenticationError

        session = requests_session(store)
    except ImportError:
        message = "Key Vault needs an optional library to find a login on this machine"
        hint = f"{INSTALL}, or give the store `tenant_id`, `client_id` and `client_secret`"
        raise SecretUnresolved("secret_backend_unavailable", message, hint) from None
    from connform.secrets.kit.log_filter import unlogged  # start-up: it needs logging

    message, hint, is_down = "this machine has no login for Azure that works", LOGIN_HINT, False
    settings, transport = store.settings, _recording_transport(session)
    if "client_id" in settings:
        message, hint = "this machine has no login for Azure by the `client_id` of the store", _CLIENT_ID_HINT
    try:
        with unlogged(*_LOGGERS), _credential(settings, transport) as credential:
            return Secret(credential.get_token(scope, tenant_id=settings.get("tenant_id")).token)
    except ClientAuthenticationError as error:
        is_down = transport.is_down
        if _SEVERAL_IDENTITIES in str(error):
            message, hint = "this machine has several identities", "name one by `client_id` of the store"
    except AzureError:
        is_down = True
    except ValueError:
        pass  # AZURE_TOKEN_CREDENTIALS names no credential, or only ones that `client_id` excludes; a tenant is missing
    finally:
        session.close()
    # Raised outside of the handlers: else the chained exception would hold an answer.
    if is_down:
        raise StoreFailed("Azure's login can't be reached, or is out of order", _DOWN_HINT)
    raise SecretUnresolved("secret_denied", message, hint)


def _recording_transport(session: Any) -> Any:
    """Return a transport for azure-identity. It knows whether Entra ID is down, since errors of a credential do not tell."""
    from azure.core.pipeline.transport import RequestsTransport

    class Transport(RequestsTransport):  # type: ignore[misc]  # azure-core is not annotated
        is_down = False
        """Whether the latest call over https had no answer, or one that judges no login. Managed identities have http."""

        def send(self, request: Any, **named: Any) -> Any:
            if not request.url.startswith("https://"):
                return super().send(request, **named)
            self.is_down = True
            answer = super().send(request, **named)
            self.is_down = answer.status_code == _TOO_MANY_REQUESTS or answer.status_code >= _SERVER_ERROR
            return answer

    return Transport(session=session, session_owner=False, use_env_settings=session.trust_env)


def _credential(settings: Mapping[str, Any], transport: Any) -> Any:
    """Return the credential of azure-identity that finds the login of this machine; it obeys the settings of a store."""
    from azure.identity import ChainedTokenCredential, DefaultAzureCredential, WorkloadIdentityCredential

    own = {key: settings[key] for key in ("client_id", "tenant_id", "authority") if key in settings}
    options: dict[str, Any] = {"transport": transport}
    if "authority" in own:
        options["authority"] = own["authority"]
    if "tenant_id" in own:
        options["additionally_allowed_tenants"] = [own["tenant_id"]]
    if "client_id" in own:
        options |= {f"exclude_{name}_credential": True for name in _LOGINS_OF_PERSONS}
        options["exclude_environment_credential"] = variable("AZURE_CLIENT_ID") != own["client_id"]
        options["managed_identity_client_id"] = own["client_id"]
    if not own or not variable("AZURE_FEDERATED_TOKEN_FILE"):
        return DefaultAzureCredential(**options)
    # DefaultAzureCredential gives its workload identity no authority.
    others = DefaultAzureCredential(exclude_workload_identity_credential=True, **options)
    return ChainedTokenCredential(WorkloadIdentityCredential(**own, transport=transport), others)
