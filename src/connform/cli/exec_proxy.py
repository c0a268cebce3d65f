"""`connform exec --proxy`: the environment of a command that uses connections without their secrets. Layer 5. IO: the proxy's socket."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from connform.cli.exec_variables import HandedOver
from connform.cli.masking import Mask
from connform.cli.options import Options
from connform.cli.proxy_flags import serving_connections
from connform.engine.export import ReadyCredential
from connform.engine.run.state_location import StateLocation
from connform.http.credential import NO_LINES
from connform.secret import Secret
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    from connform.engine.proxy import OfferedConnection, OfferedConnections

_PLACEHOLDER = Secret("connform-proxy")
"""What stands in the variables of the credential, for programs that insist on one. The proxy drops it."""
_ADDRESS = "127.0.0.1:0"
_GRACE_S = 1
"""How long requests of processes that the command left running may take after it has ended."""
_SHORTEST_SECRET = 8
"""Variables are searched for longer secrets only: shorter ones are found in any text."""
_PROXIES = ("http_proxy", "all_proxy")
_EXCEPTIONS = ("no_proxy", "NO_PROXY")


@contextmanager
def proxied_by(
    options: Options,
    names: Sequence[str],
    *,
    simulate: bool,
    timeout_s: float | None,
    state: StateLocation,
    allow: Sequence[str],
    log_file: str | None,
) -> Iterator[HandedOver]:
    """Serve connections until the block ends, and yield base URLs of the proxy, with a placeholder for each credential."""
    from connform.engine.proxy import offered_connections

    with (
        offered_connections(
            options.files, names, simulate=simulate, timeout_s=timeout_s, state=state, policies=options.policies
        ) as offered,
        serving_connections(
            offered.connections, address=_ADDRESS, allow=allow, log_file=log_file, grace_s=_GRACE_S
        ) as urls,
    ):
        yield HandedOver(
            [_stand_in(one, urls[one.settings.name]) for one in offered.connections],
            _reaching_loopback(_without_secrets(os.environ, offered)),
            offered.secrets,
        )


def _stand_in(offered: OfferedConnection, url: str) -> ReadyCredential:
    """Return the base URL of the proxy, and the form of the credential with a placeholder in it."""
    credential = offered.settings.credential
    lines = credential.headers() if credential else NO_LINES
    scheme = credential.scheme if credential else ""
    name = offered.settings.name
    if lines.parameters:
        return ReadyCredential(name, url, lines.parameters[0][0], _PLACEHOLDER, in_query=True)
    with hidden_frames():
        carrier = lines.reveal()[0][0].decode("ascii") if lines else "Authorization" if scheme else ""
    return ReadyCredential(name, url, carrier, _PLACEHOLDER, scheme)


def _without_secrets(environment: Mapping[str, str], offered: OfferedConnections) -> dict[str, str]:
    """Return an environment without the variables that the connections' secrets come from, or that hold one of them."""
    with hidden_frames():
        secrets = [secret for secret in offered.secrets if len(secret.reveal()) >= _SHORTEST_SECRET]
        return {
            name: value
            for name, value in environment.items()
            if name not in offered.secret_variables and not _holds(value, secrets)
        }


def _holds(value: str, secrets: Sequence[Secret]) -> bool:
    """Return whether a value holds a secret, in one of the encodings that are masked in outputs too."""
    mask, plain = Mask(secrets), os.fsencode(value)
    return mask.feed(plain) + mask.end() != plain


def _reaching_loopback(environment: dict[str, str]) -> dict[str, str]:
    """Return an environment in which clients send nothing for this machine to a proxy of the network."""
    if any(environment.get(name) or environment.get(name.upper()) for name in _PROXIES):
        for name in _EXCEPTIONS:
            environment[name] = ",".join(filter(None, [environment.get(name), "127.0.0.1"]))
    return environment
