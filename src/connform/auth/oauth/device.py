"""The device authorization grant (RFC 8628): a person consents in the browser of another device, while this one asks for tokens.

Layer 2; uses the network. Nothing waits here: the caller pauses between two polls, so that it can store tokens in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from connform.auth.oauth.device_answers import PAUSE_S, read_codes, read_poll
from connform.auth.oauth.token_answer import AnswerLost, EndpointFailed, GrantRefused, Tokens
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.errors import ConnectionFailed
from connform.faults import Stage, Verdict

_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
_AGAIN = "start the login again"


class DeviceAuthorization:
    """One login under way."""

    def __init__(self, endpoint: TokenEndpoint, device_authorization_url: str, scopes: Sequence[str]) -> None:
        """Ask the server for the codes of a login.

        Args:
            endpoint: the token endpoint, with the client. The parameters of its token requests are sent here as well.
            device_authorization_url: the device authorization endpoint.
            scopes: the requested scopes; without any, the server decides.

        Raises:
            ConnectionFailed: `client_credentials_rejected`, `token_endpoint_unavailable`, or a fault of the network.
        """
        form = {**endpoint.options.parameters, **({"scope": " ".join(scopes)} if scopes else {})}
        try:
            codes = endpoint.call(device_authorization_url, form, read_codes)
        except (AnswerLost, GrantRefused) as unusable:
            message = f"the device authorization endpoint gave no codes: {unusable}"
            raise ConnectionFailed("token_endpoint_unavailable", message, _AGAIN) from None
        except EndpointFailed as failure:
            hint = "try again later, or ask the vendor whether the app may log in by device code"
            raise ConnectionFailed(
                failure.fault.name, failure.message, hint if failure.fault.verdict is Verdict.UNKNOWN else ""
            ) from None
        self._endpoint = endpoint
        self._device_code = codes.device_code
        self.prompt = codes.prompt
        """What the person is shown."""
        self.pause_s = codes.interval_s
        """How long to wait before the next poll."""
        self.ends_at = monotonic() + codes.lifetime_s
        """When the codes end, on the monotonic clock."""

    def poll(self) -> Tokens | None:
        """Ask for the tokens; `None` if there are none yet: poll again after `pause_s` (RFC 8628 §3.5).

        Raises:
            ConnectionFailed: `login_denied`, the person said no; `login_timeout`, the codes have ended; `login_bad_callback`, they are
                no longer accepted; otherwise as for `TokenEndpoint.exchange`.
        """
        try:
            answer = self._endpoint.request(_GRANT_TYPE, {"device_code": self._device_code}, read_poll)
        except GrantRefused:
            message = "the server no longer accepts the device code: it was used already, or is too old"
            raise ConnectionFailed("login_bad_callback", message, _AGAIN) from None
        except AnswerLost:
            answer = None
        except ConnectionFailed as failure:
            if not _may_pass(failure):
                raise
            answer = None
        if isinstance(answer, Tokens):
            return answer
        if answer is None:  # RFC 8628 §3.5 demands less polling after a time-out
            self.pause_s *= 2
        elif answer == "slow_down":
            self.pause_s += PAUSE_S
        return None


def _may_pass(failure: ConnectionFailed) -> bool:
    """Whether a later poll may end otherwise: after a gateway's answer, or a fault of the network."""
    if isinstance(failure, EndpointFailed):
        return failure.may_be_spent
    return failure.fault.verdict is Verdict.UNKNOWN and failure.fault.stage is not Stage.AUTH
