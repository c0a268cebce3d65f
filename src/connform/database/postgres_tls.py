"""The default TLS and authentication parameters of a session with a PostgreSQL server.

Layer 2; reads PG* variables and service files (by libpq), and looks for certificate files. libpq's default, `sslmode=prefer`, accepts
a session without TLS: an attacker between client and server could refuse TLS and ask for the password.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

_LIBPQ_16 = 160000
"""The first version with `sslrootcert=system` and `require_auth`."""
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""The file with the system's certificates: on Debian, Fedora, SUSE, and on Alpine and macOS."""
_VERIFY = "verify-full"
_SAFE_METHODS = "scram-sha-256,gss,sspi"
"""The accepted authentication methods: none of them sends the password, or a hash of it that can be reused."""


def security_parameters(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the missing TLS and authentication parameters; none for a socket or this machine.

    Parameters of the URL, of PG* variables and of service files are not replaced.

    Args:
        parameters: the parameters of the URL.
    """
    from psycopg import pq

    known = {option.keyword.decode(): option for option in pq.Conninfo.get_defaults()}
    set_elsewhere = {name: (one.val or b"").decode() for name, one in known.items() if one.val != one.compiled}
    settings = {**set_elsewhere, **parameters}
    if _is_this_machine(settings) and not ("service" in parameters and "host" not in parameters):
        return {}
    added: dict[str, str] = {}
    if "sslmode" not in settings:
        added["sslmode"] = _VERIFY
    if settings.get("sslmode", _VERIFY) == _VERIFY and "sslrootcert" not in settings and not _has_user_file("root.crt"):
        added |= _system_roots("sslmode" in settings)
    if "require_auth" not in settings and pq.version() >= _LIBPQ_16:
        has_certificate = "sslcert" in settings or _has_user_file("postgresql.crt")
        added["require_auth"] = f"{_SAFE_METHODS},none" if has_certificate else _SAFE_METHODS
    return added


def _system_roots(is_sslmode_set: bool) -> dict[str, str]:  # noqa: FBT001  (its only argument)
    """Return the parameter for the system's certificates: a file, because the libpq of psycopg's wheels searches the wrong folder.

    Without a file, an old libpq encrypts without verification (`sslmode=require`), unless an `sslmode` is set.
    """
    from psycopg import pq

    for file in (ssl.get_default_verify_paths().cafile, *_BUNDLES):
        if file and Path(file).is_file():
            return {"sslrootcert": file}
    if pq.version() >= _LIBPQ_16:
        return {"sslrootcert": "system"}
    return {} if is_sslmode_set else {"sslmode": "require"}


def _has_user_file(name: str) -> bool:
    """Whether a file exists in `~/.postgresql`, where libpq looks for it."""
    return (Path.home() / ".postgresql" / name).is_file()


def _is_this_machine(settings: Mapping[str, Any]) -> bool:
    """Whether every host and every host address is this machine: empty, the folder of a socket, or loopback."""
    names, addresses = (str(settings.get(key) or "").split(",") for key in ("host", "hostaddr"))
    return all(map(_is_local, (*names, *addresses)))


def _is_local(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
