"""The section `variables` of `doctor`: proxies and certificates that the environment names. Layer 3; reads variables, looks for files.

A user name or password in the URL of a proxy is not shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from connform.engine.doctor.finding import good, note
from connform.engine.doctor.situation import Situation
from connform.engine.report_parts import DoctorFinding
from connform.environment import ENVIRONMENT_PROXY, variable
from connform.manifest.proxy import proxy_url

_PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_EXCEPTIONS = ("no_proxy", "NO_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_HIDDEN = "***"
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9a-f:.]+")
_HOSTS = re.compile(r"[A-Za-z0-9._,:*/\[\]\s-]+")


def look(situation: Situation) -> Iterator[DoctorFinding]:
    """Yield a finding for each variable that is set and has an effect."""
    use = _use(situation)
    for name in (*_PROXIES, *_EXCEPTIONS):
        if value := variable(name):
            shown = without_login(value) if name in _PROXIES else value if _HOSTS.fullmatch(value) else _HIDDEN
            yield good(name, f"{shown}; {use}")
    for name in _CERTIFICATES:
        if not (value := variable(name)):
            continue
        if Path(value).is_file() if name == "SSL_CERT_FILE" else Path(value).is_dir():
            yield good(name, f"{value}; trusted in place of the system's certificates, except by `ca_file`")
        else:
            message = f"{value} is not there: the system's certificates are not trusted either"
            yield note(name, message, f"correct the variable, or unset {name}")


def _use(situation: Situation) -> str:
    manifest = situation.manifest
    if manifest is None:
        return "used where a manifest says `proxy: environment`"
    users = [name for name, one in manifest.items() if one.proxy == ENVIRONMENT_PROXY]
    users += [name for name, one in manifest.stores.items() if proxy_url(one.settings) == ENVIRONMENT_PROXY]
    if users:
        return f"used where the manifest says `proxy: environment`: {len(users)} times"
    return "not used: nothing in this manifest says `proxy: environment`"


def without_login(url: str) -> str:
    """Return the scheme, host and port of a proxy's URL; `***` for the user and the password, and for a URL that isn't plain."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return _HIDDEN
    host = parts.hostname or ""
    rest = url.partition("://")[2].partition("/")[2]
    if (
        not _HOST.fullmatch(host)
        or "@" in rest
        or parts.query
        or parts.fragment
        or parts.scheme not in {"http", "https"}
    ):
        return _HIDDEN  # a password that isn't percent-encoded may stand in any part
    login = f"{_HIDDEN}@" if "@" in parts.netloc else ""
    return f"{parts.scheme}://{login}{f'[{host}]' if ':' in host else host}{port}"
