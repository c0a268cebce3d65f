"""The faults of failed AWS calls, by error code or by class of botocore exception.

Layer 2, no IO. Messages are our own: those of botocore quote ids, answers and keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from connform.errors import RateLimited, SecretUnresolved, StoreFailed

_DENIED = "secret_denied"
_MISSING = "secret_not_found"
_UNAVAILABLE = "secret_backend_unavailable"
_SERVER_ERROR = 500
_FORBIDDEN = frozenset({401, 403})


class AwsService(NamedTuple):
    """What messages say of a service of AWS."""

    name: str
    """Its name: `AWS SSM`."""
    permissions: str
    """The hint if it denies a call: the permissions that are needed."""


class AwsFailure(NamedTuple):
    """The failure of a call."""

    error: SecretUnresolved
    """The error to raise."""
    affects_all_calls: bool
    """Whether every other call in the region will fail, too."""


class Reason(NamedTuple):
    """Why a call failed: one entry of the tables below."""

    fault: str
    """The name of the fault, as in `faults`."""
    meaning: str
    """The end of the message, after the name of the service and the error code."""
    hint: str = ""
    """What to do; empty for the hint of the fault."""
    affects_all_calls: bool = False
    """As in `AwsFailure`."""


_LOG_IN = "log in again: aws sso login, or renew the keys of the AWS_* variables"
_SEE_KEYS = "see whose keys are used (aws sts get-caller-identity), and that the account has enabled the region"
_ALLOW_DECRYPT = "allow kms:Decrypt on the KMS key of the secret, and see that the key is enabled"

_EXPIRED = Reason(_DENIED, "the session has expired", _LOG_IN, affects_all_calls=True)
_UNKNOWN_KEY = Reason(_DENIED, "the access key is not known", _SEE_KEYS, affects_all_calls=True)
_SIGNATURE = Reason(
    _DENIED, "the signature is wrong", "see the secret access key, and this machine's clock", affects_all_calls=True
)
_KMS_DENIED = Reason(_DENIED, "the KMS key of the secret can't be used", _ALLOW_DECRYPT)
_NOT_ALLOWED = Reason(_DENIED, "this identity may not read it")
_ABSENT = Reason(_MISSING, "it does not exist")
_NO_SUCH_NAME = Reason(_MISSING, "the name or the version is none", "correct the reference")
_DELETED = Reason(
    _MISSING, "it is marked for deletion", "restore it: aws secretsmanager restore-secret; or correct the reference"
)
_BUSY = Reason(_UNAVAILABLE, "there were too many calls", "wait, then try again")
_FAILED = Reason(_UNAVAILABLE, "the service failed")
_NO_ANSWER = Reason(_UNAVAILABLE, "it did not answer in time")
_UNREACHABLE = Reason(_UNAVAILABLE, "it can't be reached")
_OF_SERVICE = frozenset({_FAILED, _NO_ANSWER, _UNREACHABLE})
"""The service failed, not one secret."""
_UNEXPECTED = Reason(_UNAVAILABLE, "this is no answer of the service", "see `region:` and `endpoint_url:` of the store")

_REASONS: Mapping[str, Reason] = {
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"), _EXPIRED),
    **dict.fromkeys(("UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "AuthFailure"), _UNKNOWN_KEY),
    **dict.fromkeys(("MissingAuthenticationToken", "MissingAuthenticationTokenException", "NotAuthorized"), _UNKNOWN_KEY),
    **dict.fromkeys(("InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature"), _SIGNATURE),
    **dict.fromkeys(("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"), _NOT_ALLOWED),
    **dict.fromkeys(("DecryptionFailure", "InvalidKeyId"), _KMS_DENIED),
    **dict.fromkeys(("ResourceNotFoundException", "ParameterNotFound", "ParameterVersionNotFound"), _ABSENT),
    **dict.fromkeys(("ValidationException", "ValidationError", "InvalidParameterException"), _NO_SUCH_NAME),
    "InvalidRequestException": _DELETED,
    **dict.fromkeys(("TooManyRequestsException", "RequestLimitExceeded", "SlowDown"), _BUSY),
    **dict.fromkeys(("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException"), _BUSY),
    **dict.fromkeys(("InternalServiceError", "InternalServerError", "InternalFailure", "ServiceUnavailable"), _FAILED),
}  # fmt: skip

_NO_CREDENTIALS = Reason(
    _DENIED,
    "no AWS credentials are found",
    "log in: aws sso login; or set AWS_PROFILE or the AWS_* keys",
    affects_all_calls=True,
)
_SSO = Reason(_DENIED, "the SSO session has ended", _LOG_IN, affects_all_calls=True)
_NO_PROFILE = Reason(
    _DENIED,
    "the AWS profile does not exist",
    "see which there are: aws configure list-profiles",
    affects_all_calls=True,
)
NO_REGION = Reason(
    _MISSING,
    "no AWS region is known",
    "write `region:` into the store, or set AWS_DEFAULT_REGION (AWS_REGION is not looked at)",
)
"""For names without a region; an ARN contains one."""
_CONFIGURATION = Reason(
    _DENIED,
    "the AWS configuration can't be used",
    "correct the file of AWS profiles, or the AWS_* variables",
    affects_all_calls=True,
)
_CREDENTIALS = Reason(
    _DENIED,
    "the AWS credentials can't be had",
    "see what the profile gets them from: aws sts get-caller-identity",
    affects_all_calls=True,
)
_UNREADABLE = Reason(
    _DENIED,
    "a file that the AWS configuration names can't be read",
    "see AWS_WEB_IDENTITY_TOKEN_FILE, AWS_CA_BUNDLE and the profile",
    affects_all_calls=True,
)
_TLS = Reason(
    _UNAVAILABLE,
    "TLS failed",
    "if you trust the issuer, name its certificate in `ca_file:` of the store; a server that demands a client certificate needs `tls:`",
)

_EXCEPTIONS: Mapping[str, Reason] = {
    **dict.fromkeys(("NoCredentialsError", "NoAuthTokenError"), _NO_CREDENTIALS),
    **dict.fromkeys(("SSOTokenLoadError", "UnauthorizedSSOTokenError", "TokenRetrievalError", "SSOError"), _SSO),
    **dict.fromkeys(("LoginRefreshRequired", "LoginTokenLoadError", "LoginError"), _SSO),
    "ProfileNotFound": _NO_PROFILE,
    "NoRegionError": NO_REGION,
    **dict.fromkeys(("PartialCredentialsError", "ConfigParseError", "ConfigNotFound", "InvalidConfigError"), _CONFIGURATION),
    **dict.fromkeys(("InvalidRegionError", "UnknownCredentialError", "InfiniteLoopConfigError"), _CONFIGURATION),
    **dict.fromkeys(("CredentialRetrievalError", "MetadataRetrievalError", "MissingDependencyException"), _CREDENTIALS),
    "ParamValidationError": _NO_SUCH_NAME,
    "SSLError": _TLS,
    **dict.fromkeys(("ReadTimeoutError", "ConnectTimeoutError"), _NO_ANSWER),
    **dict.fromkeys(("EndpointConnectionError", "ConnectionClosedError"), _UNREACHABLE),
    "ProxyConnectionError": Reason(_UNAVAILABLE, "the proxy did not open the way", "see `proxy:` of the store, or HTTPS_PROXY and NO_PROXY"),
}  # fmt: skip


def failure_of_answer(service: AwsService, code: str, message: str, status: int = 400) -> AwsFailure:
    """Return the failure that an error of AWS stands for.

    Args:
        service: the service that answered.
        code: the error code; the message shows it only if it has the form of one.
        message: only searched, to tell apart two kinds of denial.
        status: the HTTP status of the answer.
    """
    reason = _reason_of(code, message, status)
    shown = code if re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]{1,63}", code) else f"HTTP {status}"
    hint = service.permissions if reason is _NOT_ALLOWED else reason.hint
    return AwsFailure(
        _error(reason, f"{service.name} answered {shown}: {reason.meaning}", hint), reason.affects_all_calls
    )


def failure_of_exception(error: Exception, service: AwsService) -> AwsFailure:
    """Return the failure that an exception of botocore stands for, without its text."""
    if isinstance(error, SecretUnresolved):  # raised by our own code that botocore called
        return AwsFailure(error, affects_all_calls=True)
    answer: Mapping[str, Any] = getattr(error, "response", None) or {}
    if answer:
        details = answer.get("Error", {})
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return failure_of_answer(service, str(details.get("Code", "")), str(details.get("Message", "")), status)
    reason = _reason_of_exception(error)
    return AwsFailure(_error(reason, f"{service.name}: {reason.meaning}", reason.hint), reason.affects_all_calls)


def _error(reason: Reason, message: str, hint: str) -> SecretUnresolved:
    if reason is _BUSY:
        return RateLimited(message, hint)
    return StoreFailed(message, hint) if reason in _OF_SERVICE else SecretUnresolved(reason.fault, message, hint)


def _reason_of_exception(error: Exception) -> Reason:
    if isinstance(error, (FileNotFoundError, PermissionError)):
        return _UNREADABLE
    if isinstance(error, RuntimeError) and "still expired" in str(
        error
    ):  # what a `credential_process` printed, or a cache has
        return _EXPIRED
    known = (kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _EXCEPTIONS)
    return _EXCEPTIONS.get(next(known, ""), Reason(_UNAVAILABLE, f"the call failed ({type(error).__name__})"))


def _reason_of(code: str, message: str, status: int) -> Reason:
    found = _REASONS.get(code)
    if found is _NOT_ALLOWED and re.search(r"\bkms:|access to kms", message, re.IGNORECASE):
        return _KMS_DENIED
    if found is not None:
        return found
    if status >= _SERVER_ERROR:
        return _FAILED
    if status in _FORBIDDEN:  # an endpoint's policy or a proxy refused it, with a code of its own
        return _NOT_ALLOWED
    return _KMS_DENIED if code.startswith("KMS") else _UNEXPECTED
