"""The environment variables in which `exec` hands connections over to a command. Layer 5; reads the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from connform.cli.options import Options
from connform.cli.usage import UsageProblem
from connform.engine.run.state_location import StateLocation
from connform.secret import Secret

if TYPE_CHECKING:
    from connform.engine.export import ReadyCredential


class HandedOver(NamedTuple):
    """What a command gets."""

    credentials: Sequence[ReadyCredential]
    """One for each connection."""
    environment: Mapping[str, str]
    """Its environment, but for the variables of the connections."""
    secrets: Sequence[Secret]
    """To be masked in its output."""


@contextmanager
def exported(
    options: Options, names: Sequence[str], *, simulate: bool, timeout_s: float | None, state: StateLocation
) -> Iterator[HandedOver]:
    """Yield the credentials themselves. With `simulate`, a simulator runs until the block ends."""
    from connform.engine.export import export_credentials

    with export_credentials(
        options.files, names, simulate=simulate, timeout_s=timeout_s, state=state, policies=options.policies
    ) as found:
        environment = dict(os.environ)
        if simulate:
            environment["SSL_CERT_FILE"] = found.credentials[0].ca_file
        yield HandedOver(found.credentials, environment, found.secrets)


def prefixes_of(names: Sequence[str]) -> dict[str, str]:
    """Return the prefix of each connection's variables: a name that every shell accepts (POSIX.1-2024, XBD 3.216).

    Raises:
        UsageProblem: two connections would have the same.
    """
    owners: dict[str, str] = {}
    for name in names:
        prefix = re.sub("[^A-Z0-9_]", "_", name.upper())
        if prefix[:1].isdigit():
            prefix = f"_{prefix}"
        owner = owners.setdefault(prefix, name)
        if owner != name:
            message = f"the variables of {owner} and of {name} would both begin with {prefix}_"
            raise UsageProblem(message, "rename one of them, or run the command with one at a time")
    return {name: prefix for prefix, name in owners.items()}


def variables_of(prefix: str, credential: ReadyCredential) -> dict[str, str]:
    """Return the variables of one connection, each with its value in clear. Call it inside of `hidden_frames`."""
    variables = {f"{prefix}_BASE_URL": credential.base_url}
    if credential.ca_file:
        variables[f"{prefix}_CA_FILE"] = credential.ca_file
    if not credential.carrier:
        return variables
    if credential.is_token:
        return variables | {f"{prefix}_TOKEN": credential.value.reveal()}
    if credential.scheme and credential.carrier.lower() == "authorization":
        return variables | {f"{prefix}_AUTHORIZATION": credential.header_value.reveal()}
    return variables | {
        f"{prefix}_API_KEY": credential.header_value.reveal(),
        f"{prefix}_API_KEY_{'PARAMETER' if credential.in_query else 'HEADER'}": credential.carrier,
    }
