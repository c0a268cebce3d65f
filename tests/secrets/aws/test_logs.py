"""The logs of botocore: at no level do they hold answers, keys or session tokens of our calls."""

from __future__ import annotations

import logging

import pytest
from botocore.session import Session

from connform.secrets.kit.interface import StoreConfig
from tests.canary import API_KEY, AWKWARD, assert_no_canary
from tests.secrets.aws.front import Error, Front
from tests.secrets.aws.moto import REGION, Moto
from tests.secrets.aws.reading import read, shown


@pytest.mark.parametrize(
    ("text", "beside"),
    [("awssecrets://logged#key", "awssecrets://logged-no"), ("awsssm:///logged#key", "awsssm:///logged-no")],
)
def test_what_a_library_says_of_a_read_is_in_no_log(
    store: StoreConfig, moto: Moto, front: Front, caplog: pytest.LogCaptureFixture, text: str, beside: str
) -> None:
    moto.put_secret("logged", f'{{"key": "{API_KEY}"}}')
    moto.put_parameter("/logged", f'{{"key": "{API_KEY}"}}')
    front.next_errors = [Error("ThrottlingException", API_KEY)]
    with caplog.at_level(logging.DEBUG):
        assert shown(read(store, text, beside)) == [API_KEY, "secret_not_found"]
    assert {record.name for record in caplog.records} == {"connform.secrets"}
    assert_no_canary(caplog.text, where="the log")


def test_what_a_library_says_of_a_failure_is_in_no_log(
    store: StoreConfig, front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    front.raw = AWKWARD.encode()
    with caplog.at_level(logging.DEBUG):
        assert shown(read(store, "awsssm:///logged")) == ["secret_backend_unavailable"]
    assert {record.name for record in caplog.records} == {"connform.secrets"}


def test_calls_of_others_in_the_process_are_logged_as_ever(
    store: StoreConfig, front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    read(store, "awsssm:///logged")
    client = Session(profile="reader").create_client("ssm", region_name=REGION, endpoint_url=front.url)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        logging.getLogger("botocore.parsers").info("an answer")
        logging.getLogger("urllib3.connectionpool").info("a connection")
    client.close()
    assert [record.message for record in caplog.records] == ["an answer", "a connection"]
