"""The answers of a device authorization endpoint, and of a token endpoint that is polled (RFC 8628 §3.2, §3.5). Layer 2, no IO."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypeAlias

from connform.auth.oauth.token_answer import (
    AnswerLost,
    TokenAnswer,
    Tokens,
    error_of,
    lifetime_of,
    parse_object,
    raise_error,
    read_tokens,
)
from connform.errors import ConnectionFailed
from connform.secret import Secret

PAUSE_S = 5.0
"""Where the server names no interval, and by how much `slow_down` lengthens it."""
_LIFETIME_S = 600.0
"""Where the server doesn't say for how long the codes are good, although it must."""
_TOO_MANY = 429
_ADDRESS = re.compile(r"https?://[!-~]{1,2000}")
_USER_CODE = re.compile(r"[!-~](?:[ -~]{0,62}[!-~])?")
Pending: TypeAlias = Literal["authorization_pending", "slow_down"]
"""The person hasn't consented yet."""


class DevicePrompt(NamedTuple):
    """What a person is shown (RFC 8628 §3.3)."""

    address: str
    """The address that the person opens."""
    user_code: str
    """The code that they enter there, or compare with what they see there."""
    complete_address: str
    """The address with the code in it; empty if there is none."""


class _Codes(NamedTuple):
    device_code: Secret
    prompt: DevicePrompt
    lifetime_s: float
    interval_s: float


class DeviceCodes(NamedTuple):
    """What a login begins with."""

    device_code: Secret
    """The code that this machine polls with."""
    prompt: DevicePrompt
    """What the person is shown."""
    lifetime_s: float
    """For how long both codes are good."""
    interval_s: float
    """The pause between two polls."""


def read_codes(answer: TokenAnswer) -> DeviceCodes:
    """Return the codes in an answer of a device authorization endpoint.

    Raises:
        AnswerLost: the answer is a success without them.
        GrantRefused, EndpointFailed: as for `raise_error`.
    """
    raise_error(answer, "the device authorization endpoint")
    content = parse_object(answer.body)
    address = content.get("verification_uri", content.get("verification_url"))  # the second is Google's
    complete = content.get("verification_uri_complete", "")
    device_code, user_code = content.get("device_code"), content.get("user_code")
    if not isinstance(device_code, str) or not device_code:
        raise AnswerLost("its answer holds no `device_code`")
    if not isinstance(user_code, str) or not _USER_CODE.fullmatch(user_code):
        raise AnswerLost("its answer holds no `user_code` that can be shown")
    if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
        raise AnswerLost("its answer holds no `verification_uri`")
    if not isinstance(complete, str) or not _ADDRESS.fullmatch(complete):
        complete = ""
    return DeviceCodes(
        Secret(device_code),
        DevicePrompt(address, user_code, complete),
        lifetime_of(content.get("expires_in")) or _LIFETIME_S,
        lifetime_of(content.get("interval")) or PAUSE_S,
    )


def read_poll(answer: TokenAnswer) -> Tokens | Pending:
    """Return the tokens in an answer, or why there are none yet.

    Raises:
        ConnectionFailed: `login_denied`, the person said no; `login_timeout`, the codes have ended.
        GrantRefused, AnswerLost, EndpointFailed: as for `read_tokens`.
    """
    error = error_of(answer)
    if error == "authorization_pending":
        return "authorization_pending"
    if error == "slow_down" or answer.status == _TOO_MANY:
        return "slow_down"
    if error == "access_denied":
        raise ConnectionFailed("login_denied", "the person said no, or may not grant it")
    if error == "expired_token":
        raise ConnectionFailed("login_timeout", "the codes of the login have ended before anybody consented")
    return read_tokens(answer)
