"""The login to Google Cloud, by Google's library google-auth.

Layer 2; uses the network: Google's token endpoint, and the metadata server of a machine in Google Cloud. The credentials are the
key of a service account, or application default credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from connform.debug_log import SECRETS
from connform.errors import RateLimited, SecretUnresolved, StoreFailed
from connform.secret import Secret
from connform.secrets.kit.interface import StoreConfig
from connform.secrets.kit.open_store import attempt
from connform.secrets.kit.requests_session import requests_session
from connform.secrets.kit.value import REPEATED, object_from_json

INSTALL = "pip install google-auth requests"
LOGIN_HINT = "log in: `gcloud auth application-default login`, or give the store the `credentials` of a service account"

_KEY_HINT = "store the whole JSON file that `gcloud iam service-accounts keys create` writes"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_LOGGERS = ("google.auth", "google.oauth2", "urllib3")
_METADATA_S = 2.0
"""How long the metadata server may take to show that there is one. google-auth by itself asks three times, 3 s each."""
_TOO_MANY_REQUESTS, _REFUSALS = 429, range(400, 500)


class _NoMetadataServerError(Exception):
    """Nothing answers at the address of the metadata server: this machine is not in Google Cloud."""


class _Transport:
    """google-auth's transport, with a time-out for each call."""

    def __init__(self, send: Callable[..., Any], timeout_s: float) -> None:
        self.status: int | None = None
        """The status of the latest call; 0 without an answer, `None` without a call."""
        self._send = send
        self._timeout_s = timeout_s
        self._first_ping: float | None = None

    def __call__(self, *given: Any, **named: Any) -> Any:
        self.status = 0
        answer = self._send(*given, **{**named, "timeout": self._timeout_s})
        self.status = answer.status
        return answer

    def while_looking(self, *given: Any, **named: Any) -> Any:
        """Send a call of the search for credentials. The one that looks for a metadata server names no path."""
        if urlsplit(named.get("url", "")).path.strip("/"):
            return self(*given, **named)
        if self._first_ping is None:
            self._first_ping = monotonic()
        left_s = self._first_ping + _METADATA_S - monotonic()
        try:
            return self._send(*given, **{**named, "timeout": left_s})
        except Exception:
            if (
                monotonic() - self._first_ping < _METADATA_S / 2
            ):  # refused at once: google-auth tries again after a second
                raise
        raise _NoMetadataServerError


def log_in(store: StoreConfig) -> tuple[Secret, Mapping[str, str]]:
    """Return an access token, and the headers that go with it, such as that of the quota project.

    Args:
        store: the store, with the JSON key of a service account, or without one for application default credentials.

    Raises:
        SecretUnresolved: the login failed. Messages of google-auth are not repeated: they may quote answers.
    """
    try:
        from google.auth import exceptions
        from google.auth.transport.requests import Request

        session = requests_session(store)
    except ImportError:
        message = "Secret Manager needs an optional library"
        raise SecretUnresolved("secret_backend_unavailable", message, INSTALL) from None
    from connform.secrets.kit.log_filter import unlogged  # start-up: it needs logging

    key = "the store's service account" if "credentials" in store.secrets else "application default credentials"
    SECRETS.write("Google Cloud: logs in by %s", key)
    transport = _Transport(Request(session), store.timeout_s)
    failure: SecretUnresolved
    try:
        with unlogged(*_LOGGERS):
            credentials = _credentials(store.secrets.get("credentials"), transport)
            credentials.refresh(transport)
            headers: dict[str, str] = {}
            credentials.apply(headers)
        headers.pop("authorization", None)
        return Secret(str(credentials.token)), headers
    except exceptions.TransportError:
        failure = StoreFailed("Google's token endpoint can't be reached")
    except (exceptions.MalformedError, ValueError):
        message = "the credentials are no JSON key of a service account"
        failure = (
            SecretUnresolved("secret_malformed", message, _KEY_HINT) if "credentials" in store.secrets else _unusable()
        )
    except (exceptions.DefaultCredentialsError, _NoMetadataServerError):
        message = "this machine has no application default credentials"
        failure = SecretUnresolved("secret_denied", message, LOGIN_HINT)
    except (exceptions.GoogleAuthError, TypeError, AttributeError):  # the latter of an answer that is no JSON object
        failure = _refusal(transport.status)
    finally:
        session.close()
    # Raised outside of the handlers: else the chained exception would hold the key or an answer.
    raise failure


def _unusable() -> SecretUnresolved:
    message = "the application default credentials of this machine can't be used"
    return SecretUnresolved(
        "secret_denied", message, "see what GOOGLE_APPLICATION_CREDENTIALS names, and what that file does"
    )


def _refusal(status: int | None) -> SecretUnresolved:
    """Return the failure of a login by the status of its latest call, after the repetitions of google-auth."""
    if status is None:  # something that the credentials need was not there
        return _unusable()
    if status == _TOO_MANY_REQUESTS:
        return RateLimited("Google's token endpoint answered 429")
    if status not in _REFUSALS:
        return StoreFailed("Google's token endpoint does not answer, or is out of order")
    return SecretUnresolved("secret_denied", "Google does not accept the login", LOGIN_HINT)


def _credentials(key: Secret | None, transport: _Transport) -> Any:
    import google.auth
    from google.oauth2 import service_account

    if key is None:
        request: Any = transport.while_looking  # annotated as google-auth's class, of which it needs a callable
        return google.auth.default(scopes=_SCOPES, request=request)[0]
    return service_account.Credentials.from_service_account_info(_parse_key(key), scopes=_SCOPES)  # type: ignore[no-untyped-call]  # google-auth has no annotation there


def _parse_key(key: Secret) -> Mapping[str, Any]:
    info = attempt(object_from_json, key.reveal())
    if isinstance(info, SecretUnresolved) or any(value is REPEATED for value in info.values()):
        raise ValueError  # the caller handles one exception for all malformed keys
    return info
