"""Table of faults, the named classes of failure: stage, verdict, exit code and hint of each.

Layer 0, no IO. The check, the ready client, the reports and the documentation use this table.
"""

from enum import IntEnum, StrEnum
from typing import NamedTuple


class ExitCode(IntEnum):
    """Exit code of the process; stable, documented in `docs/reference/verdicts.md`."""

    OK = 0
    INVALID = 1
    """An invalid manifest, or failures of several kinds."""
    CHANGES = 2
    WOULD_REFORMAT = 3
    CREDENTIAL_REJECTED = 4
    SECRET_UNRESOLVED = 5
    COULD_NOT_VERIFY = 6
    REFUSED = 7
    USAGE = 64
    INTERNAL = 70
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class Stage(StrEnum):
    """The stages of a check, in their order."""

    CONFIG = "config"
    SECRET = "secret"  # noqa: S105  (a stage's name, not a password)
    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    AUTH = "auth"
    LATENCY = "latency"


class Verdict(StrEnum):
    """The result of a check of a connection."""

    READY = "ready"
    FAILED = "failed"
    """Wrong as declared: trying again changes nothing."""
    UNKNOWN = "unknown"
    """Not determined, because of the network, a rate limit or the server."""
    SKIPPED = "skipped"


class Fault(NamedTuple):
    """One class of failure."""

    name: str
    """The `class` in reports; stable, snake_case."""
    stage: Stage
    """The stage at which it occurs."""
    verdict: Verdict
    """`failed`, or `unknown` where a later try may end otherwise."""
    exit_code: ExitCode
    """The exit code of a run in which it is the only kind of failure."""
    hint: str
    """What to do."""

    def hint_for(self, connection: str) -> str:
        """Return what to do about a connection, with its name in the command."""
        return self.hint.replace("NAME", connection)


def _table(*rows: tuple[Stage, Verdict, ExitCode, str, str]) -> dict[str, Fault]:
    return {name: Fault(name, stage, verdict, code, hint) for stage, verdict, code, name, hint in rows}


_FAILED, _UNKNOWN = Verdict.FAILED, Verdict.UNKNOWN
_NETWORK, _REJECTED, _SECRET = ExitCode.COULD_NOT_VERIFY, ExitCode.CREDENTIAL_REJECTED, ExitCode.SECRET_UNRESOLVED

FAULTS = _table(
    (Stage.CONFIG, _FAILED, ExitCode.INVALID, "config_file_unreadable", "make the file readable, or correct its path; paths are relative to the manifest"),
    (Stage.CONFIG, _FAILED, ExitCode.INVALID, "config_invalid", "correct the setting that the message names"),
    (Stage.CONFIG, _FAILED, ExitCode.INTERNAL, "plugin_error", "report it to the authors of the plug-in; `--debug-plugins` shows the message and the traceback, which may hold a secret"),
    (Stage.SECRET, _FAILED, _SECRET, "secret_not_found", "create the secret, or correct the reference"),
    (Stage.SECRET, _FAILED, _SECRET, "secret_denied", "give this user read access to the secret"),
    (Stage.SECRET, _UNKNOWN, _SECRET, "secret_backend_unavailable", "see whether the store is up and reachable, then try again"),
    (Stage.SECRET, _FAILED, _SECRET, "secret_malformed", "store the secret without spaces, control or non-ASCII characters; one trailing newline is allowed"),
    (Stage.SECRET, _UNKNOWN, _SECRET, "keyring_locked", "unlock the keyring, by logging in or in its own program, then try again: connform opens no dialog"),
    (Stage.SECRET, _FAILED, _SECRET, "exec_failed", "run the command of the policy file by hand, as this user, and see what it says: connform shows nothing of it"),
    (Stage.SECRET, _FAILED, _SECRET, "store_insecure", "others can read the store of state and grants: make its folder 0700 and its files 0600, yours, and no links"),
    (Stage.SECRET, _FAILED, _SECRET, "store_corrupt", "the store of state and grants is damaged: restore it from a backup, or move it away, apply and log in again"),
    (Stage.SECRET, _FAILED, _SECRET, "store_key_wrong", "name the key with which the store of grants was made, or that `connform state rotate-key` gave it; where that is lost, `connform logout NAME --only-here` deletes what it sealed, and `connform login NAME` begins anew"),
    (Stage.SECRET, _UNKNOWN, _SECRET, "store_unwritable", "the store of state and grants can't be written: see space, permissions and whether it is mounted read-only; no token was spent"),
    (Stage.SECRET, _UNKNOWN, _SECRET, "store_locked", "another process holds the lock: wait, or see what became of it"),
    (Stage.SECRET, _UNKNOWN, _SECRET, "store_unavailable", "the server that keeps state and grants does not answer: see whether it is up and reachable, then try again"),
    (Stage.DNS, _FAILED, _NETWORK, "dns_no_such_host", "correct the address of the API, or the resolver of this machine"),
    (Stage.DNS, _UNKNOWN, _NETWORK, "dns_timeout", "the resolver did not answer: see /etc/resolv.conf and the network, then try again"),
    (Stage.TCP, _UNKNOWN, _NETWORK, "tcp_refused", "nothing listens there: see whether the service is up and the port is right"),
    (Stage.TCP, _UNKNOWN, _NETWORK, "tcp_timeout", "packets are dropped on the way: see firewalls and whether a proxy is needed"),
    (Stage.TCP, _UNKNOWN, _NETWORK, "tcp_unreachable", "there is no route to the host: see the network and whether a proxy is needed"),
    (Stage.TCP, _UNKNOWN, _NETWORK, "proxy_refused", "the proxy did not open the tunnel: see `proxy:` and the proxy's own rules; `--debug` shows which proxy is used"),
    (Stage.TLS, _FAILED, _NETWORK, "tls_cert_expired", "the server's certificate must be renewed"),
    (Stage.TLS, _FAILED, _NETWORK, "tls_cert_not_yet_valid", "see this machine's clock; otherwise the certificate starts later"),
    (Stage.TLS, _FAILED, _NETWORK, "tls_wrong_host", "the certificate belongs to another host: correct the address of the API"),
    (Stage.TLS, _FAILED, _NETWORK, "tls_untrusted_issuer", "if you trust the issuer, name its certificate in `tls: {ca_file: …}`; otherwise somebody intercepts the connection (`--debug` shows which certificates are trusted)"),
    (Stage.TLS, _FAILED, _NETWORK, "tls_not_tls", "the port does not speak TLS: correct the port of base_url; `--debug` shows where the connection went"),
    (Stage.TLS, _FAILED, _NETWORK, "tls_protocol", "the server speaks no TLS 1.2 or newer, or demands a client certificate (`tls: {client_cert, client_key}`); `--debug` shows which one is sent"),
    (Stage.TLS, _UNKNOWN, _NETWORK, "tls_timeout", "the server did not finish the TLS handshake: try again, then ask its operators"),
    (Stage.TLS, _UNKNOWN, _NETWORK, "tls_reset", "the connection was cut during the TLS handshake: see firewalls and intercepting proxies; `--debug` shows where it went"),
    (Stage.HTTP, _FAILED, _NETWORK, "http_redirect_refused", "the base URL is not the API's own: credentials never follow a redirect"),
    (Stage.HTTP, _FAILED, _NETWORK, "http_not_this_api", "the answer is not this API's: correct the address of the API, or see for a captive portal"),
    (Stage.HTTP, _UNKNOWN, _NETWORK, "http_deadline", "the whole exchange took longer than `timeouts: {total_s}`"),
    (Stage.HTTP, _UNKNOWN, _NETWORK, "http_timeout", "the server was silent for longer than `timeouts: {read_s}`"),
    (Stage.HTTP, _UNKNOWN, _NETWORK, "http_bad_reply", "the answer was cut or is not HTTP: try again, then see what stands in between"),
    (Stage.HTTP, _FAILED, _NETWORK, "http_too_large", "the answer is larger than any answer of this API"),
    (Stage.HTTP, _UNKNOWN, _NETWORK, "rate_limited", "wait, then try again with a lower --parallelism"),
    (Stage.HTTP, _UNKNOWN, _NETWORK, "server_error", "the service failed: try again later"),
    (Stage.HTTP, _UNKNOWN, _NETWORK, "server_unavailable", "the service is down for now: try again later"),
    (Stage.AUTH, _FAILED, _REJECTED, "auth_denied", "the API knows the key, or doesn't, and denies it: create a new key on the connection's key page, in this environment"),
    (Stage.AUTH, _FAILED, _REJECTED, "auth_rejected", "the API rejects the credential: renew it"),
    (Stage.AUTH, _FAILED, _REJECTED, "feature_missing", "the subscription lacks the feature: ask the vendor"),
    (Stage.AUTH, _UNKNOWN, _NETWORK, "denied_by_intermediary", "not the API but something in front of it said no: `--debug` shows where the connection went; nginx drops headers with an underscore unless `underscores_in_headers on`"),
    (Stage.AUTH, _FAILED, _REJECTED, "login_required", "run `connform login NAME`"),
    (Stage.AUTH, _FAILED, _REJECTED, "refresh_interrupted", "run `connform login NAME`: the answer that held its new token was lost"),
    (Stage.AUTH, _FAILED, _REJECTED, "client_credentials_rejected", "correct client_id and client_secret, or `client_auth`: the vendor issues them per environment"),
    (Stage.AUTH, _UNKNOWN, _NETWORK, "token_endpoint_unavailable", "the token endpoint failed: try again later; a stored grant is as it was"),
    (Stage.AUTH, _FAILED, _REJECTED, "login_state_mismatch", "the address belongs to another login: start again, and paste the address that this login leads to"),
    (Stage.AUTH, _FAILED, _REJECTED, "login_issuer_mismatch", "another server answered than the one that was asked: do not go on, and ask the vendor"),
    (Stage.AUTH, _FAILED, _REJECTED, "login_denied", "the person said no, or may not grant it: ask them, then start again"),
    (Stage.AUTH, _FAILED, _REJECTED, "login_bad_callback", "paste the whole address of the page on which the browser ended, from https:// on"),
    (Stage.AUTH, _UNKNOWN, _NETWORK, "login_timeout", "nobody answered in time: start again"),
)  # fmt: skip
