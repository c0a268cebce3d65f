"""The token of a pod's service account, which Kubernetes mounts into the pod.

Layer 2; reads that file, anew at each call: Kubernetes replaces it.
"""

from __future__ import annotations

from pathlib import Path

from connform.errors import SecretUnresolved
from connform.secret import Secret

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""The folder with the token, and with the certificates of the cluster's authority."""
TOKEN_REFERENCE = f"file://{SERVICE_ACCOUNT}/token"
_HINT = "let the pod have one: no `automountServiceAccountToken: false` in it or its service account"


def mounted_token(elsewhere: str) -> Secret:
    """Return the token.

    Args:
        elsewhere: the rest of the hint if there is none: what to write outside of a pod.

    Raises:
        SecretUnresolved: `secret_denied`, no token is mounted; or the file can't be read.
    """
    from connform.secrets.kit.file_reader import read_file  # a plan only names the token
    from connform.secrets.kit.value import fetched_from_bytes

    file = SERVICE_ACCOUNT / "token"
    try:
        return fetched_from_bytes(read_file(file)).secret
    except SecretUnresolved as failure:
        if failure.fault.name != "secret_not_found":
            raise
    raise SecretUnresolved(
        "secret_denied", f"there is no token of a service account at {file}", f"{_HINT}; {elsewhere}"
    )
