"""References to AWS Secrets Manager: their forms, and the values that are read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from connform.engine.validate import validate
from connform.errors import SecretUnresolved
from connform.secrets.kit.interface import Fetched, StoreConfig
from tests.canary import API_KEY
from tests.secrets.aws.front import Error, Front
from tests.secrets.aws.moto import REGION, Moto
from tests.secrets.aws.reading import failure, read, shown
from tests.secrets.fetching import lint

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:acme-AbCdEf"


@pytest.mark.parametrize(
    "text",
    [
        "awssecrets://acme",
        "awssecrets://prod/acme/key#client_secret",
        "awssecrets:///acme",
        "awssecrets://a_b+c=d.e",
        "awssecrets://rds!db-1",
        "awssecrets://svc@acme.example",
        "awssecrets://arn:aws:secretsmanager:eu-central-1:123456789012:secret:svc@acme.example-AbCdEf",
        f"awssecrets://{ARN}",
        f"awssecrets://{ARN}?version=AWSPREVIOUS#key",
        "awssecrets://arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:a/b-AbCdEf",
        "awssecrets://arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a",
        "awssecrets://acme?version=AWSCURRENT",
        "awssecrets://acme?version=b5d52a52-fa37-4c7a-a98d-72b848cce138",
    ],
)
def test_a_good_reference_is_accepted(text: str) -> None:
    assert lint("awssecrets", text) == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("awssecrets://", "name of the secret is missing"),
        ("awssecrets://#key", "name of the secret is missing"),
        ("awssecrets://a%20b", "letters, digits"),
        ("awssecrets://acme:3", "letters, digits"),
        ("awssecrets://me:hunter2@acme", "letters, digits"),
        ("awssecrets://arn:aws:ssm:eu-central-1:123456789012:parameter/a", "no ARN of a secret"),
        ("awssecrets://arn:aws:secretsmanager:eu-central-1:acme:secret:a", "no ARN of a secret"),
        ("awssecrets://arn:aws:secretsmanager::123456789012:secret:a", "no ARN of a secret"),
    ],
)
def test_a_bad_reference_is_explained(text: str, says: str) -> None:
    assert says in lint("awssecrets", text)


@pytest.mark.parametrize(
    ("reference", "codes"),
    [
        ("awssecrets://svc@acme.example#key", []),
        ("mine://svc@acme.example#key", []),
        ("mine://arn:aws:secretsmanager:eu-central-1:123456789012:secret:svc@acme.example-AbCdEf", []),
        ("pass://me@acme.example", []),
        ("awsssm://svc@acme.example", ["malformed-reference"]),
        ("vaults://svc@acme.example#key", ["malformed-reference"]),
        ("vaults://svc:hunter2@acme.example#key", ["malformed-reference"]),
    ],
)
def test_a_name_may_have_an_at_sign_where_the_store_has_such_names(
    tmp_path: Path, reference: str, codes: list[str]
) -> None:
    vault = '{type: vault, address: "https://vault.acme.example", auth: {method: token, token: "env://T"}}'
    auth = f'{{method: api_key, api_key: "{reference}"}}'
    file = tmp_path / "connections.yaml"
    file.write_text(
        f"version: 1\nstores: {{mine: {{type: awssecrets}}, vaults: {vault}}}\n"
        f"connections: {{a: {{environment: sandbox, region: us, auth: {auth}}}}}\n"
    )
    found = validate([str(file)]).diagnostics
    assert [one.code for one in found] == codes
    assert all("credentials (`user@`)" in one.detail for one in found)
    assert "hunter2" not in repr(found)


def test_a_secret_whose_name_has_an_at_sign_is_read(store: StoreConfig, moto: Moto) -> None:
    arn = moto.put_secret("svc@acme.example", "value")["ARN"]
    assert shown(read(store, "awssecrets://svc@acme.example", f"awssecrets://{arn}")) == ["value", "value"]


@pytest.mark.parametrize("asked", [ARN, ARN[:-7], ARN.removesuffix("me-AbCdEf"), "acme", "acme-AbCdEf"])
def test_another_secret_than_the_one_that_is_named_is_refused(store: StoreConfig, front: Front, asked: str) -> None:
    answer = {"ARN": ARN.replace("acme", "acme-sandbox"), "Name": "acme-sandbox", "SecretString": "value"}
    front.raw = json.dumps(answer).encode()
    found = failure(store, f"awssecrets://{asked}")
    assert (found.fault.name, "another secret" in found.message) == ("secret_malformed", True)


class Stored(NamedTuple):
    """What two versions of one secret are called."""

    name: str
    arn: str
    first: str
    second: str


@pytest.fixture
def stored(moto: Moto) -> Stored:
    first = moto.put_secret("rows/acme", '{"key": "first"}')
    second = moto.put_secret("rows/acme", '{"key": "second"}')
    return Stored("rows/acme", second["ARN"], first["VersionId"], second["VersionId"])


@pytest.mark.parametrize(
    ("form", "found"),
    [
        ("{0.name}#key", "second"),
        ("{0.name}", '{{"key": "second"}}'),
        ("{0.arn}#key", "second"),
        ("{0.arn}?version=AWSPREVIOUS#key", "first"),
        ("{0.name}?version=AWSCURRENT#key", "second"),
        ("{0.name}?version=AWSPREVIOUS#key", "first"),
        ("{0.name}?version={0.first}#key", "first"),
        ("{0.name}?version={0.second}#key", "second"),
        ("{0.name}?version=AWSPENDING#key", "secret_not_found"),
        ("{0.name}?version=nightly#key", "secret_not_found"),
        ("{0.name}?version=00000000-0000-4000-8000-000000000000#key", "secret_not_found"),
    ],
)
def test_a_version_is_an_id_or_a_label(store: StoreConfig, stored: Stored, form: str, found: str) -> None:
    (outcome,) = read(store, "awssecrets://" + form.format(stored))
    assert shown([outcome]) == [found.format()]


def test_a_label_may_look_like_an_id_and_an_id_like_a_label(store: StoreConfig, moto: Moto) -> None:
    label, token = "release-2026-11-29-production-blue", "a-client-request-token-of-letters-only"
    put = partial(moto.call, "secretsmanager", "PutSecretValue", REGION, SecretId="labelled")
    moto.put_secret("labelled", "first")
    put(SecretString="blue", VersionStages=[label])
    put(SecretString="by token", ClientRequestToken=token, VersionStages=["other"])
    assert shown(read(store, f"awssecrets://labelled?version={label}")) == ["blue"]
    assert shown(read(store, f"awssecrets://labelled?version={token}")) == ["by token"]


def test_a_version_says_its_id_and_when_it_was_written(store: StoreConfig, stored: Stored) -> None:
    old, new = read(store, "awssecrets://rows/acme?version=AWSPREVIOUS", "awssecrets://rows/acme")
    assert isinstance(old, Fetched)
    assert isinstance(new, Fetched)
    assert (old.version, new.version) == (stored.first, stored.second)
    assert new.since is not None
    assert new.since.tzinfo is UTC
    assert abs(datetime.now(UTC) - new.since) < timedelta(hours=1)


def test_one_read_mixes_names_arns_and_versions(store: StoreConfig, stored: Stored, moto: Moto, front: Front) -> None:
    moto.put_secret("rows/beside", "beside")
    texts = (
        "awssecrets://rows/acme#key",
        f"awssecrets://{stored.arn}#key",
        f"awssecrets://{stored.arn[:-7]}#key",
        "awssecrets://rows/acme?version=AWSPREVIOUS#key",
        "awssecrets://rows/nothing",
        "awssecrets://rows/beside",
        "awssecrets://rows/beside#key",
    )
    found = shown(read(store, *texts))
    assert found == ["second", "second", "second", "first", "secret_not_found", "beside", "secret_malformed"]
    # The answer names a secret by its whole ARN: one that was asked for by a part of it is asked for again.
    assert front.calls == ["BatchGetSecretValue", "GetSecretValue", "GetSecretValue"]


def test_the_region_of_an_arn_wins_over_that_of_the_store(store: StoreConfig, moto: Moto, front: Front) -> None:
    there = moto.put_secret("rows/abroad", "there", "us-east-1")["ARN"]
    moto.put_secret("rows/home", "here")
    assert shown(read(store, f"awssecrets://{there}", "awssecrets://rows/home")) == ["there", "here"]
    assert front.regions == {"us-east-1", "eu-central-1"}
    missing = failure(store, "awssecrets://rows/abroad")
    assert "eu-central-1" in missing.message


@pytest.mark.parametrize("beside", [(), ("awssecrets://rows/beside",)], ids=["alone", "in-a-batch"])
@pytest.mark.parametrize(
    ("name", "fault", "says"),
    [
        ("rows/binary", "secret_malformed", "binary"),
        ("rows/deleted", "secret_not_found", "marked for deletion"),
        ("rows/newline", "secret_malformed", "empty"),
    ],
)
def test_what_is_no_secret_is_said_and_hides_nothing(
    store: StoreConfig, moto: Moto, beside: tuple[str, ...], name: str, fault: str, says: str
) -> None:
    moto.put_secret("rows/beside", "beside")
    moto.put_secret("rows/binary", API_KEY.encode() + b"\xff")
    moto.put_secret("rows/newline", "\n")
    moto.put_secret("rows/deleted", API_KEY)
    moto.call("secretsmanager", "DeleteSecret", SecretId="rows/deleted")
    bad, *good = read(store, f"awssecrets://{name}", *beside)
    moto.call("secretsmanager", "RestoreSecret", SecretId="rows/deleted")
    assert isinstance(bad, SecretUnresolved)
    assert bad.fault.name == fault
    assert says in bad.message
    assert shown(good) == ["beside"] * len(beside)


def test_without_the_permission_for_batches_secrets_are_read_alone(
    store: StoreConfig, moto: Moto, front: Front
) -> None:
    names = [f"alone/{number}" for number in range(25)]
    for name in names:
        moto.put_secret(name, name)
    front.errors["BatchGetSecretValue"] = Error("AccessDeniedException", f"not authorized {API_KEY}")
    assert shown(read(store, *(f"awssecrets://{name}" for name in names))) == names
    # Two batches may start before the first answer is there.
    assert front.calls.count("BatchGetSecretValue") <= 2
    assert front.calls.count("GetSecretValue") == 25


def test_a_denied_secret_of_a_batch_hides_no_other(store: StoreConfig, moto: Moto, front: Front) -> None:
    names = [f"some/{number}" for number in range(5)]
    for name in names:
        moto.put_secret(name, name)
    front.denied.add("some/2")
    found = shown(read(store, *(f"awssecrets://{name}" for name in names)))
    assert found == [*names[:2], "secret_denied", *names[3:]]
    assert front.calls == ["BatchGetSecretValue"]
