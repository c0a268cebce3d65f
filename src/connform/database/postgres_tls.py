"""The default TLS and authentication parameters of a session with a PostgreSQL server.

Layer 2; looks at PG* variables and service files (by libpq), and for files of certificates. libpq's own default, `sslmode=prefer`, takes
what a server offers: whoever stands in between declines TLS and asks for the password.
"""

from __future__ import annotations

import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_LIBPQ_16: Final = 160000
"""The first that knows `sslrootcert=system` and `require_auth`."""
_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""The system's certificates in one file: Debian, Fedora, SUSE, Alpine and macOS."""
_VERIFY: Final = "verify-full"
_SAFE_METHODS: Final = "scram-sha-256,gss,sspi"
"""By these a client shows who it is, and a server that it knows, without handing over anything."""


def security_parameters(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters that protect a session; none for a socket or this machine, and none that anybody has set.

    Args:
        parameters: what the URL says.
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


def _system_roots(is_sslmode_set: bool) -> dict[str, str]:  # noqa: FBT001  (the one thing that it is told)
    """Return where the system's certificates lie: a file, since the libpq of psycopg's wheels looks where there are none.

    Without any, an old libpq encrypts and can't verify, unless that is demanded.
    """
    from psycopg import pq

    for file in (ssl.get_default_verify_paths().cafile, *_BUNDLES):
        if file and Path(file).is_file():
            return {"sslrootcert": file}
    if pq.version() >= _LIBPQ_16:
        return {"sslrootcert": "system"}
    return {} if is_sslmode_set else {"sslmode": "require"}


def _has_user_file(name: str) -> bool:
    """Whether libpq finds a file of this user's own."""
    return (Path.home() / ".postgresql" / name).is_file()


def _is_this_machine(settings: Mapping[str, Any]) -> bool:
    """Whether every host is this machine: a socket's folder, or loopback. Where both name and address are given, both."""
    names, addresses = (str(settings.get(key) or "").split(",") for key in ("host", "hostaddr"))
    return all(map(_is_local, (*names, *addresses)))


def _is_local(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
