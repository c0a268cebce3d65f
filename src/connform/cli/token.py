"""`connform token`: prints the access token of an OAuth or bearer connection. Layer 5, no IO of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from connform.cli.flag_values import completion_of
from connform.cli.flags import FILES, OUTPUT, POLICIES, common_flags, network_flags
from connform.cli.output import write_data
from connform.cli.usage import UsageProblem
from connform.cli.verb import Verb
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    from connform.cli.options import Options
    from connform.engine.export import ReadyCredential
    from connform.engine.run.state_location import StateLocation


def _raw(credential: ReadyCredential) -> str:
    return credential.value.reveal()


def _json(credential: ReadyCredential) -> str:
    content: dict[str, Any] = {"access_token": credential.value.reveal(), "token_type": "Bearer"}
    if credential.expires_at:
        content["expires_at"] = _expiry(credential)
    return json.dumps(content | {"scope": " ".join(credential.scopes)})


def _exec_credential(credential: ReadyCredential) -> str:
    """Return a Kubernetes ExecCredential: https://kubernetes.io/docs/reference/config-api/client-authentication.v1/."""
    status: dict[str, Any] = {"token": credential.value.reveal()}
    if credential.expires_at:
        status["expirationTimestamp"] = _expiry(credential)
    kind = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}
    return json.dumps({**kind, "status": status})


_FORMATS: dict[str, Callable[[ReadyCredential], str]] = {
    "raw": _raw,
    "json": _json,
    "exec-credential": _exec_credential,
}


def _expiry(credential: ReadyCredential) -> str:
    return f"{credential.expires_at:%FT%TZ}"


@click.command(
    cls=Verb,
    examples={
        "connform token customer-globex | pbcopy": "into the clipboard of macOS",
        "connform token customer-globex --output token.txt": "into a file that only this user can read",
        "connform token customer-globex --format exec-credential": "for kubectl",
    },
    page="guides/oauth",
)
@click.argument("name", shell_complete=completion_of("connections"))
@click.option("--format", "form", type=click.Choice(list(_FORMATS)), default="raw", help="Default: raw.")
@click.option(
    "--force-renew", is_flag=True, help="Renew a token that has not ended, unless it is a minute old or less."
)
@network_flags
@common_flags(FILES, POLICIES, OUTPUT)
def command(
    options: Options,
    *,
    name: str,
    form: str,
    force_renew: bool,
    simulate: bool,
    timeout_s: float | None,
    state: StateLocation,
) -> int:
    """Print an access token, renewed where that is needed.

    It is a secret: `--output FILE` or a pipe keeps it off the screen.
    """
    from connform.engine.export import export_credentials

    with export_credentials(
        options.files,
        [name],
        simulate=simulate,
        timeout_s=timeout_s,
        state=state,
        policies=options.policies,
        force_renewal=force_renew,
    ) as exported:
        (credential,) = exported.credentials
    if not credential.is_token:
        raise UsageProblem(f"{name} authenticates with {_how(credential)}, not with a token")
    with hidden_frames():
        write_data(f"{_FORMATS[form](credential)}\n".encode(), options, is_secret=True)
    return 0


def _how(credential: ReadyCredential) -> str:
    if not credential.carrier:
        return "nothing"
    kind = "scheme" if credential.scheme else "query parameter" if credential.in_query else "header"
    return f"the {kind} {credential.scheme or credential.carrier}"
