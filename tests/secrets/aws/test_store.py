"""The settings of an AWS store."""

from __future__ import annotations

from typing import Any

import pytest

from connform.secrets import BACKENDS
from connform.secrets.kit.interface import HasStoreRules
from tests.schemas import validator_of

KINDS = ["awssecrets", "awsssm"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("settings", "valid"),
    [
        ({}, True),
        ({"region": "us-gov-west-1"}, True),
        ({"region": "Mars"}, False),
        ({"region": "eu-central-1.evil.example"}, False),
        ({"region": "eu-central-1\n"}, False),
        ({"profile": "a b"}, True),
        ({"profile": ""}, False),
        ({"role_arn": "arn:aws-cn:iam::123456789012:role/path/name"}, True),
        ({"role_arn": "arn:aws:iam::123456789012:user/name"}, False),
        ({"role_arn": "name"}, False),
        ({"ca_file": "ca.pem"}, True),
        ({"ca_file": 1}, False),
        ({"endpoint_url": "ftp://ssm.acme.example"}, False),
        ({"access_key_id": "AKIAREADERREADER0000"}, False),
    ],
)
def test_a_store_names_a_place_and_no_credentials(kind: str, settings: dict[str, Any], *, valid: bool) -> None:
    assert validator_of(BACKENDS[kind].store_shape).is_valid(settings) is valid


@pytest.mark.parametrize("kind", ["awssecrets", "awsssm"])
@pytest.mark.parametrize(
    ("settings", "codes"),
    [
        ({}, []),
        ({"endpoint_url": "https://vpce-1.ssm.eu-central-1.vpce.amazonaws.com"}, []),
        ({"endpoint_url": "http://127.0.0.1:5000"}, []),
        ({"endpoint_url": "http://ssm.acme.example"}, ["insecure-url"]),
        ({"endpoint_url": "https://user:pw@ssm.acme.example"}, ["malformed-url"]),
    ],
)
def test_the_endpoint_of_a_store_is_judged_offline(kind: str, settings: dict[str, Any], codes: list[str]) -> None:
    backend = BACKENDS[kind]
    assert isinstance(backend, HasStoreRules)
    findings = list(backend.rules({"type": kind, **settings}))
    assert [finding.code for finding in findings] == codes
    assert all(finding.path == ("endpoint_url",) for finding in findings)
