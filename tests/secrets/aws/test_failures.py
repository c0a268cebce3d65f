"""Messages for errors of AWS: they have its error code and our own words, and nothing of its message."""

from __future__ import annotations

import botocore.exceptions
import pytest

from connform.secrets.aws import failures
from connform.secrets.aws.session import attempts_and_timeouts
from connform.secrets.kit.interface import StoreConfig
from tests.canary import API_KEY
from tests.secrets.aws.front import Error, Front
from tests.secrets.aws.moto import Moto
from tests.secrets.aws.reading import failure, read, shown

_KMS = "User is not authorized to perform: kms:Decrypt on the resource"


@pytest.mark.parametrize(
    ("error", "fault", "says", "hint"),
    [
        (Error("ResourceNotFoundException"), "secret_not_found", "does not exist", "correct the reference"),
        (Error("ParameterNotFound"), "secret_not_found", "does not exist", "correct the reference"),
        (Error("ParameterVersionNotFound"), "secret_not_found", "does not exist", "correct the reference"),
        (Error("ValidationException"), "secret_not_found", "name or the version", "correct the reference"),
        (Error("InvalidRequestException"), "secret_not_found", "marked for deletion", "restore-secret"),
        (Error("AccessDeniedException"), "secret_denied", "may not read", "allow "),
        (Error("AccessDenied"), "secret_denied", "may not read", "allow "),
        (Error("AccessDeniedException", _KMS), "secret_denied", "KMS key", "kms:Decrypt"),
        (Error("AccessDeniedException", "Access to KMS is not allowed"), "secret_denied", "KMS key", "kms:Decrypt"),
        (Error("DecryptionFailure"), "secret_denied", "KMS key", "kms:Decrypt"),
        (Error("KMSInvalidStateException"), "secret_denied", "KMS key", "kms:Decrypt"),
        (Error("InvalidKeyId"), "secret_denied", "KMS key", "kms:Decrypt"),
        (Error("UnrecognizedClientException"), "secret_denied", "access key is not known", "get-caller-identity"),
        (Error("InvalidSignatureException"), "secret_denied", "signature is wrong", "clock"),
        (Error("ExpiredTokenException"), "secret_denied", "session has expired", "aws sso login"),
        (Error("ExpiredToken"), "secret_denied", "session has expired", "aws sso login"),
        (Error("ThrottlingException"), "secret_backend_unavailable", "too many calls", "try again"),
        (Error("TooManyRequestsException", status=429), "secret_backend_unavailable", "too many calls", "try again"),
        (Error("InternalServiceError", status=500), "secret_backend_unavailable", "the service failed", "try again"),
        (Error("KMSInternalException", status=500), "secret_backend_unavailable", "the service failed", "try again"),
        (Error("x", status=503), "secret_backend_unavailable", "HTTP 503", "try again"),
        (Error(f"<html>{API_KEY}", status=403), "secret_denied", "HTTP 403", "allow "),
        (Error("UnknownOperationException"), "secret_backend_unavailable", "no answer of the service", "endpoint_url"),
        (Error(f"Strange {API_KEY}"), "secret_backend_unavailable", "HTTP 400", "endpoint_url"),
    ],
)
@pytest.mark.parametrize("text", ["awssecrets://trouble", "awsssm:///trouble"])
def test_a_failure_is_the_fault_that_it_is(
    store: StoreConfig, front: Front, text: str, error: Error, fault: str, says: str, hint: str
) -> None:
    front.errors = dict.fromkeys(
        ("GetSecretValue", "GetParameters"), error._replace(message=f"{error.message} {API_KEY}")
    )
    found = failure(store._replace(timeout_s=2.0), text)
    assert found.fault.name == fault
    assert says in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    "raw",
    [
        f"<html>{API_KEY}</html>".encode(),
        f'{{"Parameters": "{API_KEY}", "SecretString": 7}}'.encode(),
        f'["{API_KEY}"]'.encode(),
        b"\xff\xfe" + API_KEY.encode(),
        b"",
    ],
    ids=["html", "other-types", "list", "no-text", "nothing"],
)
@pytest.mark.parametrize("text", ["awssecrets://trouble", "awsssm:///trouble"])
def test_an_answer_that_is_none_of_aws_is_not_shown(store: StoreConfig, front: Front, text: str, raw: bytes) -> None:
    front.raw = raw
    found = failure(store, text)
    assert found.fault.name in {"secret_backend_unavailable", "secret_malformed"}


@pytest.mark.parametrize("error", [Error("ThrottlingException"), Error("InternalServerError", status=500)])
@pytest.mark.parametrize(
    ("text", "operation"), [("awssecrets://again", "GetSecretValue"), ("awsssm:///again", "GetParameters")]
)
def test_what_fails_for_a_moment_is_tried_again(
    store: StoreConfig, moto: Moto, front: Front, error: Error, text: str, operation: str
) -> None:
    moto.put_secret("again", "value")
    moto.put_parameter("/again", "value")
    front.next_errors = [error, error]
    assert shown(read(store, text)) == ["value"]
    assert front.calls == [operation] * 3


@pytest.mark.parametrize("prefix", ["awssecrets://batch/", "awsssm:///batch/"])
@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"])
def test_a_login_that_is_refused_is_not_tried_for_each_secret(
    store: StoreConfig, front: Front, prefix: str, code: str
) -> None:
    front.errors = dict.fromkeys(("BatchGetSecretValue", "GetSecretValue", "GetParameters"), Error(code))
    found = read(store, *(f"{prefix}{number}" for number in range(200)))
    assert shown(found) == ["secret_denied"] * 200
    # Eight batches are read at once: those that started before the first answer. A busy machine notices later.
    batches = 200 // (10 if prefix.startswith("awsssm") else 20)
    assert len(front.calls) < batches


def test_every_exception_that_is_judged_exists() -> None:
    unknown = {name for name in failures._EXCEPTIONS if not hasattr(botocore.exceptions, name)}
    assert {name for name in unknown if not name.startswith("Login")} == set(), "`aws login` is newer than other ways"


@pytest.mark.parametrize("timeout_s", [0.5, 1, 3, 5, 9, 10, 60])
def test_all_attempts_together_end_within_the_time_of_a_read(timeout_s: float) -> None:
    attempts, connect_s, read_s = attempts_and_timeouts(timeout_s)
    waiting_s = sum(2**number for number in range(attempts - 1))
    assert attempts * (connect_s + read_s) + waiting_s <= timeout_s + 1e-9
    assert connect_s > 0
    assert read_s > 0
