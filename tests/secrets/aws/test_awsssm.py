"""References to the SSM Parameter Store: their forms, and the values that are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connform.secrets.kit.interface import Fetched, StoreConfig
from tests.canary import API_KEY
from tests.secrets.aws.front import Front
from tests.secrets.aws.moto import Moto
from tests.secrets.aws.reading import failure, read, shown
from tests.secrets.fetching import lint

ARN = "arn:aws:ssm:eu-central-1:123456789012:parameter"


@pytest.mark.parametrize(
    "text",
    [
        "awsssm:///prod/acme/key",
        "awsssm://acme.key",
        "awsssm:///acme#client_secret",
        "awsssm:///acme?version=3",
        "awsssm:///acme?version=live#key",
        f"awsssm://{ARN}/prod/acme",
        "awsssm:///aws/reference/secretsmanager/acme",
    ],
)
def test_a_good_reference_is_accepted(text: str) -> None:
    assert lint("awsssm", text) == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("awsssm://", "name of the parameter is missing"),
        ("awsssm:///", "name of the parameter is missing"),
        ("awsssm://prod/acme", "awsssm:///prod/acme"),
        ("awsssm:///acme:3", "?version=3"),
        ("awsssm://acme:live", "?version=3"),
        ("awsssm:///acme/", "letters, digits"),
        ("awsssm:///a+b", "letters, digits"),
        ("awsssm://arn:aws:secretsmanager:eu-central-1:123456789012:secret:a", "letters, digits"),
        ("awsssm:///acme?version=0", "a number, or a label"),
        ("awsssm:///acme?version=3a", "a number, or a label"),
    ],
)
def test_a_bad_reference_is_explained(text: str, says: str) -> None:
    assert says in lint("awsssm", text)


@pytest.fixture
def stored(moto: Moto) -> int:
    """Three versions of a parameter, of which the first has a label; returns its number."""
    first = moto.put_parameter("/rows/acme", '{"key": "first"}')
    moto.call("ssm", "LabelParameterVersion", Name="/rows/acme", ParameterVersion=first, Labels=["stable"])
    moto.put_parameter("/rows/acme", '{"key": "second"}')
    moto.put_parameter("/rows/acme", '{"key": "third"}')
    moto.put_parameter("rows-plain", "plain", Type="String")
    return first


@pytest.mark.parametrize(
    ("form", "found"),
    [
        ("/rows/acme", '{"key": "third"}'),
        ("/rows/acme#key", "third"),
        ("/rows/acme#kay", "secret_not_found"),
        ("/rows/acme?version=FIRST#key", "first"),
        ("/rows/acme?version=stable#key", "first"),
        ("/rows/acme?version=9999#key", "secret_not_found"),
        ("/rows/acme?version=unstable", "secret_not_found"),
        (f"{ARN}/rows/acme#key", "third"),
        (f"{ARN}/rows/acme?version=FIRST#key", "first"),
        ("rows-plain", "plain"),
        ("rows-plain#key", "secret_malformed"),
        ("/rows/nothing", "secret_not_found"),
    ],
)
def test_a_parameter_is_found(store: StoreConfig, stored: int, form: str, found: str) -> None:
    assert shown(read(store, "awsssm://" + form.replace("FIRST", str(stored)))) == [found]


def test_versions_of_one_parameter_are_told_apart(store: StoreConfig, stored: int, front: Front) -> None:
    texts = (
        "awsssm:///rows/acme#key",
        f"awsssm:///rows/acme?version={stored}#key",
        f"awsssm:///rows/acme?version={stored + 1}#key",
        f"awsssm://{ARN}/rows/acme#key",
        "awsssm://rows-plain",
        "awsssm:///rows/nothing",
    )
    assert shown(read(store, *texts)) == ["third", "first", "second", "third", "plain", "secret_not_found"]
    # An answer tells parameters apart by name: each version of one has a call of its own.
    assert front.calls == ["GetParameters"] * 4


def test_a_parameter_says_its_version_and_when_it_was_written(store: StoreConfig, stored: int) -> None:
    (outcome,) = read(store, "awsssm:///rows/acme")
    assert isinstance(outcome, Fetched)
    assert outcome.version == str(stored + 2)
    assert outcome.since is not None
    assert outcome.since.tzinfo is UTC
    assert abs(datetime.now(UTC) - outcome.since) < timedelta(hours=1)


def test_the_region_of_an_arn_wins_over_that_of_the_store(store: StoreConfig, moto: Moto, front: Front) -> None:
    moto.put_parameter("/rows/abroad", "there", "us-east-1")
    moto.put_parameter("/rows/home", "here")
    there = "awsssm://arn:aws:ssm:us-east-1:123456789012:parameter/rows/abroad"
    assert shown(read(store, there, "awsssm:///rows/home")) == ["there", "here"]
    assert front.regions == {"us-east-1", "eu-central-1"}
    assert "eu-central-1" in failure(store, "awsssm:///rows/abroad").message


@pytest.mark.parametrize(
    ("value", "kind", "says"),
    [(f"{API_KEY},{API_KEY}", "StringList", "a list is no secret"), ("\n", "String", "empty")],
)
def test_what_is_no_secret_is_said_and_hides_nothing(
    store: StoreConfig, moto: Moto, value: str, kind: str, says: str
) -> None:
    name = f"/rows/no-{kind.lower()}"
    moto.put_parameter(name, value, Type=kind)
    moto.put_parameter("/rows/beside", "beside")
    assert shown(read(store, f"awsssm://{name}", "awsssm:///rows/beside")) == ["secret_malformed", "beside"]
    assert says in failure(store, f"awsssm://{name}").message


def test_a_denied_parameter_of_a_batch_hides_no_other(store: StoreConfig, moto: Moto, front: Front) -> None:
    """AWS denies the whole call."""
    names = [f"/some/{number}" for number in range(5)]
    for name in names:
        moto.put_parameter(name, name)
    front.denied.add("2")
    found = shown(read(store, *(f"awsssm://{name}" for name in names)))
    assert found == [*names[:2], "secret_denied", *names[3:]]
    assert front.calls == ["GetParameters"] * 6
