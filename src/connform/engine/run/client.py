"""Settings of the ready HTTP client of a connection: base URL, timeouts, TLS, proxy, credential.

Layer 3, no IO of its own.
"""

from __future__ import annotations

from connform.engine.load.catalog import has_grant, method_of, provider_of
from connform.engine.run.context import RunContext
from connform.engine.run.late_credential import LateCredential
from connform.engine.run.reread_credential import RereadCredential
from connform.engine.run.resolve import resolve
from connform.http.credential import Credential
from connform.http.header import require_password
from connform.http.settings import REAL, BasicAuth, ClientSettings
from connform.manifest.model import Connection
from connform.manifest.proxy import PROXY_PASSWORD
from connform.secret import Secret

MAX_BODY_BYTES = 64 * 1024 * 1024


def client_settings(
    connection: Connection,
    context: RunContext,
    *,
    total_s: float | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
    rereads: bool = False,
) -> ClientSettings:
    """Return the settings from which `http.client` makes a ready client.

    Args:
        connection: the declared connection.
        context: the run context: source of secrets, grants, network.
        total_s: the limit of a whole exchange in seconds; default: the connection's own.
        max_body_bytes: the maximum size of a response body, decoded.
        rereads: whether secrets that a server refuses are read again.

    Raises:
        ConnectionFailed: a secret can't be resolved.
    """
    bare = bare_settings(connection, context, total_s=total_s, max_body_bytes=max_body_bytes)
    credential, account = _credential_and_account(connection, context, bare, rereads=rereads)
    return bare._replace(credential=credential, account=account)


def late_settings(connection: Connection, context: RunContext) -> ClientSettings:
    """Return the settings of a client that is made in an event loop: the first request reads the secrets, in a thread."""
    bare = bare_settings(connection, context)
    credential = LateCredential(lambda: _credential_and_account(connection, context, bare, rereads=True)[0])
    return bare._replace(credential=credential, account=_account(connection) if has_grant(connection) else "")


def _credential_and_account(
    connection: Connection, context: RunContext, bare: ClientSettings, *, rereads: bool
) -> tuple[Credential, str]:
    """Return the credential of a connection and, if that is renewed, the account for which rate limits are remembered."""
    make = method_of(connection).credential
    if rereads and context.network is REAL:
        account = _account(connection)
        reread = context.credentials.get(account)
        if reread is None:
            inputs = resolve(connection, context, bare, {})
            made = RereadCredential(connection, context.source, lambda secrets: make(inputs._replace(secrets=secrets)))
            reread = context.credentials.setdefault(account, made)  # another thread may have been faster
        return reread, account if reread.expires else ""
    credential = make(resolve(connection, context, bare))
    return credential, _account(connection) if credential.is_renewable else ""


def _account(connection: Connection) -> str:
    return f"{connection.base}/{connection.name}"


def bare_settings(
    connection: Connection,
    context: RunContext,
    *,
    total_s: float | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> ClientSettings:
    """Return the settings of a connection's client without its credential; arguments and errors as for `client_settings`."""
    instance = provider_of(connection).instance(connection)
    timeouts, tls = connection.timeouts, connection.tls
    return ClientSettings(
        base_url=instance.base_url,
        name=connection.name,
        connect_s=timeouts.connect_s,
        read_s=timeouts.read_s,
        total_s=total_s or timeouts.total_s,
        retry_after_max_s=timeouts.retry_after_max_s,
        ca_file=tls.ca_file,
        client_cert=tls.client_cert,
        client_key=tls.client_key,
        proxy=Secret(connection.proxy),
        proxy_auth=_proxy_auth(connection, context),
        max_body_bytes=max_body_bytes,
        safe_posts=frozenset(instance.safe_posts),
        headers=instance.headers,
        query=instance.query,
        network=context.network,
    )


def _proxy_auth(connection: Connection, context: RunContext) -> BasicAuth | None:
    reference = connection.references.get(PROXY_PASSWORD)
    if reference is None:
        return None
    (password,) = context.source.fetch([reference], connection.base)
    require_password(password, key=PROXY_PASSWORD)
    return BasicAuth(connection.settings["proxy"]["username"], password)
