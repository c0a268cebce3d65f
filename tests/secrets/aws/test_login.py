"""The login to AWS: botocore's chain of credentials, an assumed role, and the messages without a login."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from connform.secrets.kit.interface import StoreConfig
from tests.canary import API_KEY
from tests.conftest import Plant
from tests.secrets.aws.front import Error, Front
from tests.secrets.aws.moto import REGION, Moto
from tests.secrets.aws.reading import failure, read, shown
from tests.secrets.fetching import chain

COMPLAINT = "what-the-program-said"
EXPIRED = json.dumps({"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "B", "Expiration": "2020-01-01T00:00:00Z"})
ROLE = "arn:aws:iam::123456789012:role/secrets"
CONFIG = f"""\
[profile regional]
region = {REGION}
aws_access_key_id = AKIAREADERREADER0000
aws_secret_access_key = {API_KEY}

[profile half]
aws_access_key_id = AKIAREADERREADER0000

[profile mfa]
role_arn = {ROLE}
source_profile = regional
mfa_serial = arn:aws:iam::123456789012:mfa/somebody
region = {REGION}

[profile sso]
sso_session = acme
sso_account_id = 123456789012
sso_role_name = reader
region = {REGION}

[sso-session acme]
sso_region = {REGION}
sso_start_url = https://acme.awsapps.example/start
sso_registration_scopes = sso:account:access

[profile broken]
credential_process = sh -c "echo {COMPLAINT} >&2; exit 3"
region = {REGION}

[profile garbled]
credential_process = echo {COMPLAINT}
region = {REGION}

[profile stale]
credential_process = echo '{EXPIRED}'
region = {REGION}

[profile federated]
role_arn = {ROLE}
web_identity_token_file = /nowhere/token
region = {REGION}

[profile slow]
credential_process = sleep 5
region = {REGION}

[profile lent]
role_arn = {ROLE}
source_profile = slow
region = {REGION}

[profile loop]
role_arn = {ROLE}
source_profile = loop2
region = {REGION}

[profile loop2]
role_arn = {ROLE}
source_profile = loop
"""


@pytest.fixture(autouse=True)
def config(home: Path, plant: Plant, profiles: None) -> Path:
    return plant(home / ".aws" / "config", CONFIG)


def test_without_a_store_the_variables_of_aws_lead_the_way(
    tmp_path: Path, moto: Moto, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    moto.put_parameter("/bare", "parameter")
    moto.put_secret("bare", "secret")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREADERREADER0000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", API_KEY)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ENDPOINT_URL", front.url)
    bare = StoreConfig(tmp_path)
    assert shown(read(bare, "awsssm:///bare")) == ["parameter"]
    assert shown(read(bare, "awssecrets://bare")) == ["secret"]


def test_the_profile_of_the_environment_is_taken_with_its_region(
    tmp_path: Path, moto: Moto, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    moto.put_parameter("/bare", "parameter")
    monkeypatch.setenv("AWS_PROFILE", "regional")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", front.url)
    assert shown(read(StoreConfig(tmp_path), "awsssm:///bare")) == ["parameter"]
    assert front.regions == {REGION}


@pytest.mark.parametrize(
    ("profile", "fault", "says", "hint"),
    [
        ("nobody", "secret_denied", "profile does not exist", "aws configure list-profiles"),
        ("", "secret_denied", "no AWS credentials", "aws sso login"),
        ("half", "secret_denied", "configuration can't be used", "correct the file"),
        ("sso", "secret_denied", "SSO session has ended", "aws sso login"),
        ("mfa", "secret_denied", "MFA code", "get-session-token"),
        ("broken", "secret_denied", "can't be had", "get-caller-identity"),
        ("garbled", "secret_denied", "printed no JSON object", "correct the profile"),
        ("federated", "secret_denied", "a file that the AWS configuration names", "AWS_WEB_IDENTITY_TOKEN_FILE"),
        ("loop", "secret_denied", "configuration can't be used", "correct the file"),
        ("reader", "secret_not_found", "no AWS region", "AWS_DEFAULT_REGION"),
    ],
)
@pytest.mark.parametrize("text", ["awsssm:///a", "awssecrets://a"])
def test_who_can_t_log_in_is_told_what_to_do(
    store: StoreConfig, front: Front, text: str, profile: str, fault: str, says: str, hint: str
) -> None:
    settings = {"endpoint_url": front.url} | ({"profile": profile} if profile else {})
    found = failure(store._replace(settings=settings), text)
    assert found.fault.name == fault
    assert says in found.message
    assert hint in found.hint
    assert COMPLAINT not in chain(found)
    assert front.calls == []


def test_a_program_whose_credentials_have_expired_is_told_so(store: StoreConfig) -> None:
    found = failure(store._replace(settings={**store.settings, "profile": "stale"}), "awsssm:///a")
    assert (found.fault.name, "the session has expired" in found.message) == ("secret_denied", True)


def test_an_arn_needs_no_region_beside(store: StoreConfig, moto: Moto, front: Front) -> None:
    moto.put_parameter("/regional", "value")
    nowhere = store._replace(settings={"endpoint_url": front.url, "profile": "reader"})
    arn = f"awsssm://arn:aws:ssm:{REGION}:123456789012:parameter/regional"
    assert shown(read(nowhere, "awsssm:///a", arn, "awsssm:///b")) == ["secret_not_found", "value", "secret_not_found"]


def test_a_region_that_refuses_the_login_hides_no_other(store: StoreConfig, moto: Moto, front: Front) -> None:
    """A key is unknown where the account has not enabled the region."""
    moto.put_parameter("/regional", "value")
    front.disabled.add("ap-east-1")
    arn = "awsssm://arn:aws:ssm:ap-east-1:123456789012:parameter/regional"
    assert shown(read(store, arn, "awsssm:///regional")) == ["secret_denied", "value"]


@pytest.mark.parametrize("profile", ["slow", "lent"])
def test_a_program_for_credentials_that_hangs_is_ended_with_all_that_it_started(
    store: StoreConfig, config: Path, tmp_path: Path, profile: str
) -> None:
    numbers = tmp_path / "numbers"
    script = f"sleep 50 & echo $! $$ > {numbers}; wait"
    config.write_text(config.read_text("utf-8").replace("sleep 5\n", f"sh -c '{script}'\n"), "utf-8")
    slow = store._replace(settings={**store.settings, "profile": profile}, timeout_s=1.5)
    found = failure(slow, "awsssm:///a")
    assert (found.fault.name, "did not end within" in found.message) == ("secret_backend_unavailable", True)
    for number in numbers.read_text().split():
        _wait_until_gone(int(number))


def _wait_until_gone(number: int) -> None:
    while True:
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return
        sleep(0.02)  # a test that hangs is ended


def test_a_program_for_credentials_is_run(store: StoreConfig, moto: Moto, config: Path, plant: Plant) -> None:
    moto.put_parameter("/by-program", "value")
    keys = {"Version": 1, "AccessKeyId": "AKIAREADERREADER0000", "SecretAccessKey": API_KEY}
    file = plant(config.parent / "keys", json.dumps(keys))
    plant(config, config.read_text("utf-8").replace("sleep 5\n", f"cat {file}\n"))
    by_program = store._replace(settings={**store.settings, "profile": "slow"})
    assert shown(read(by_program, "awsssm:///by-program")) == ["value"]


def test_an_unreadable_configuration_is_said(store: StoreConfig, config: Path) -> None:
    config.write_text(f"{API_KEY}\n[", "utf-8")
    found = failure(store, "awsssm:///a")
    assert found.fault.name == "secret_denied"
    assert "configuration can't be used" in found.message


def test_a_role_is_assumed_once_a_run(
    store: StoreConfig, moto: Moto, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", front.url)
    names = [f"/role/{number}" for number in range(25)]
    for name in names:
        moto.put_parameter(name, name)
    moto.put_parameter("/role/abroad", "abroad", "us-east-1")
    assumed = store._replace(settings={**store.settings, "role_arn": ROLE})
    there = "awsssm://arn:aws:ssm:us-east-1:123456789012:parameter/role/abroad"
    assert shown(read(assumed, there, *(f"awsssm://{name}" for name in names))) == ["abroad", *names]
    assert front.calls.count("AssumeRole") == 1


@pytest.mark.parametrize(
    ("error", "says", "hint"),
    [
        (Error("AccessDenied", f"{API_KEY}", 403), "AWS STS answered AccessDenied", "sts:AssumeRole"),
        (Error("ExpiredToken", f"{API_KEY}"), "session has expired", "aws sso login"),
        (Error("InvalidClientTokenId", f"{API_KEY}", 403), "access key is not known", "get-caller-identity"),
    ],
)
def test_a_role_that_is_refused_is_asked_for_once(
    store: StoreConfig, front: Front, error: Error, says: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", front.url)
    front.errors["AssumeRole"] = error
    assumed = store._replace(settings={**store.settings, "role_arn": ROLE})
    found = failure(assumed, "awsssm:///a")
    assert found.fault.name == "secret_denied"
    assert says in found.message
    assert hint in found.hint
    front.calls.clear()
    assert set(shown(read(assumed, *(f"awsssm:///role/{number}" for number in range(100))))) == {"secret_denied"}
    assert front.calls == ["AssumeRole"]


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSM"])
def test_an_endpoint_of_the_environment_is_not_trusted_without_tls(
    store: StoreConfig, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://ssm.acme.example")
    found = failure(store._replace(settings={"region": REGION, "profile": "reader"}), "awsssm:///a")
    assert found.fault.name == "secret_backend_unavailable"
    assert "https only" in found.message
    assert "AWS_ENDPOINT_URL" in found.hint


def test_a_library_that_is_missing_is_named(store: StoreConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)
    found = failure(store, "awsssm:///a")
    assert found.fault.name == "secret_backend_unavailable"
    assert "pip install boto3" in found.hint


def test_a_client_is_made_once_for_each_region(store: StoreConfig, moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.session import Session

    made: list[str] = []
    create = Session.create_client

    def counted(self: Any, kind: str, *arguments: Any, **options: Any) -> Any:
        made.append(kind)
        return create(self, kind, *arguments, **options)

    monkeypatch.setattr(Session, "create_client", counted)
    assert set(shown(read(store, *(f"awsssm:///none/{number}" for number in range(100))))) == {"secret_not_found"}
    assert made == ["ssm"]
