from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import pprint
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connform.secret import PATTERN, MalformedReferenceError, Secret, SecretReference
from tests.canary import API_KEY, assert_no_canary

# ------------------------------------------------------------------------------------------------------------- Secret


def test_no_way_of_showing_shows_it() -> None:
    secret = Secret(API_KEY)
    holder = {"key": [secret]}
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", "%s" % secret, "{:.3}".format(secret)]  # noqa: UP031, UP032  (old ways to format are ways to leak)
    shown += [repr(holder), pprint.pformat(holder), repr(dir(secret)), ascii(secret)]
    assert_no_canary(*shown)
    assert "secret" in shown[0]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError) as caught:
        pickle.dumps(Secret(API_KEY), protocol)
    assert_no_canary(str(caught.value))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, Secret.__getstate__, json.dumps, vars])
def test_it_cannot_be_copied_or_serialised(copied: object) -> None:
    with pytest.raises(TypeError) as caught:
        copied(Secret(API_KEY))  # type: ignore[operator]  # each is a function that copies
    assert_no_canary(str(caught.value))


def test_a_dataclass_that_holds_one_shows_nothing_and_cannot_be_taken_apart() -> None:
    @dataclasses.dataclass
    class Holder:
        secret: Secret

    holder = Holder(Secret(API_KEY))
    assert_no_canary(repr(holder))
    with pytest.raises(TypeError):
        dataclasses.asdict(holder)


def test_a_log_line_and_a_traceback_show_nothing(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(API_KEY)
    logging.getLogger("tested").warning("using %s and %r", secret, [secret])

    def fail() -> None:
        held = {"key": secret}
        raise ValueError(secret, held)

    with pytest.raises(ValueError, match="secret") as caught:
        fail()
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert_no_canary(caplog.text, "".join(report.format()))


def test_equal_secrets_are_not_equal_and_hash_apart() -> None:
    one: object = Secret(API_KEY)
    other: object = Secret(API_KEY)
    assert one != other
    assert one != API_KEY
    assert len({one, other}) == 2


def test_it_is_true_unless_empty_and_reveals_on_request() -> None:
    assert Secret(API_KEY)
    assert not Secret("")
    assert Secret(API_KEY).reveal() == API_KEY


def test_it_takes_no_further_attributes() -> None:
    with pytest.raises(AttributeError):
        Secret(API_KEY).shown = True  # type: ignore[attr-defined]  # that is the point


# --------------------------------------------------------------------------------------------------------- references


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("env://NAME", ("env", "NAME", "", "")),
        ("dotenv://.env#NAME", ("dotenv", ".env", "NAME", "")),
        ("file:///run/secrets/x", ("file", "/run/secrets/x", "", "")),
        ("file://relative/x", ("file", "relative/x", "", "")),
        ("vault://kv/team/app#client_secret", ("vault", "kv/team/app", "client_secret", "")),
        ("vault://kv/app?version=3#field", ("vault", "kv/app", "field", "3")),
        ("awsssm:///path/name", ("awsssm", "/path/name", "", "")),
        ("sops://secrets.enc.yaml#/a/b", ("sops", "secrets.enc.yaml", "/a/b", "")),
        ("keyring://service/me@acme.example", ("keyring", "service/me@acme.example", "", "")),
        ("op://vault/item/field", ("op", "vault/item/field", "", "")),
        ("corp-vault://iinked/portal#client_secret", ("corp-vault", "iinked/portal", "client_secret", "")),
        ("vault://a#b#c", ("vault", "a", "b#c", "")),
        ("vault://a#b?version=1", ("vault", "a", "b?version=1", "")),
        ("env://", ("env", "", "", "")),
    ],
)
def test_a_reference_has_four_parts(text: str, parts: tuple[str, ...]) -> None:
    reference = SecretReference.parse(text)
    assert (reference.scheme, reference.path, reference.field, reference.version) == parts
    assert str(reference) == text


def test_the_prefix_of_vals_is_taken_and_dropped() -> None:
    assert str(SecretReference.parse("ref+vault://kv/app#x")) == "vault://kv/app#x"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        "env:NAME",
        "env:/NAME",
        "://NAME",
        "ENV://NAME",
        "1env://NAME",
        "en_v://NAME",
        " env://NAME",
        "env://NAME ",
        "env://NAME\n",
        "env://NA ME",
        "env://NA\tME",
        "env://NA\x00ME",
        "env://NAME\x7f",
        "env://NAME\u00a0",
        "ref+ref+env://NAME",
        "vault://kv/app?version=",
        "vault://kv/app?",
        "vault://kv/app?v=1",
        "vault://kv/app?version=1&version=2",
        "vault://kv/app?version=1&region=us",
        "vault://kv/app#",
    ],
    ids=repr,
)
def test_what_is_no_reference_is_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(MalformedReferenceError) as caught:
        SecretReference.parse(text)
    assert "hunter2" not in str(caught.value)
    assert "NAME" not in str(caught.value)


@pytest.mark.parametrize("option", ["attribute=otp", "ssh-format=openssh"])
def test_what_1password_computes_is_refused_as_such(option: str) -> None:
    with pytest.raises(MalformedReferenceError, match="1Password is not supported"):
        SecretReference.parse(f"op://vault/item/field?{option}")


@given(st.from_regex(PATTERN) | st.text())
def test_whatever_parses_is_written_back_as_it_was(text: str) -> None:
    try:
        reference = SecretReference.parse(text)
    except MalformedReferenceError:
        return
    assert str(reference) == text.removeprefix("ref+")
    assert SecretReference.parse(str(reference)) == reference
