"""Reads at a real OpenBao, and the message of each refusal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any

import pytest

from connform.errors import SecretUnresolved
from connform.secret import SecretReference
from connform.secrets.kit.interface import Fetched
from connform.secrets.vault.backend import VAULT
from tests.canary import API_KEY, AWKWARD
from tests.secrets.vault.openbao import OpenBao, Unexpected
from tests.secrets.vault.stores import failure, fetched, read, store_at, value

FIELDS = {"client_id": "portal", "client_secret": AWKWARD}


@pytest.fixture(scope="module", autouse=True)
def written(bao: OpenBao) -> None:
    """What the tests read."""
    for path, fields in (
        ("secret/data/pair", FIELDS),
        ("secret/data/one", {"value": API_KEY}),
        ("secret/data/number", {"value": 12}),
        ("secret/data/object", {"value": {"inner": API_KEY}}),
        ("secret/data/none", {"value": None}),
        ("secret/data/nothing", {}),
        ("secret/data/a:b+c%20d~é", {"value": API_KEY}),
        ("secret/data/data/odd", {"value": API_KEY}),
        ("team/deep/kv/data/one", {"value": API_KEY}),
    ):
        bao.call("POST", path.replace("%", "%25").replace("é", "%C3%A9"), {"data": fields})
    bao.call("POST", "old/pair", FIELDS)
    bao.call("POST", "old/data/one", {"value": API_KEY})


@pytest.mark.parametrize(
    ("text", "settings", "found"),
    [
        ("vault://secret/pair#client_secret", {}, AWKWARD),
        ("vault://secret/one", {}, API_KEY),
        ("vault://secret/a:b+c%20d~é#value", {}, API_KEY),
        ("vault://secret/data/odd", {}, API_KEY),
        ("vault://team/deep/kv/one", {}, API_KEY),
        ("vault://old/pair#client_id", {}, "portal"),
        ("vault://old/data/one", {}, API_KEY),
        ("vault://one", {"mount": "secret"}, API_KEY),
        ("vault://one", {"mount": "team/deep/kv"}, API_KEY),
        ("vault://kv/one", {"mount": "team/deep"}, API_KEY),
        ("vault://secret/one", {"kv_version": 2}, API_KEY),
        ("vault://one", {"mount": "team/deep/kv", "kv_version": 2}, API_KEY),
        ("vault://old/data/one", {"kv_version": 1}, API_KEY),
    ],
)
def test_a_path_leads_to_its_secret_wherever_its_mount_ends(
    bao: OpenBao, reader: str, text: str, settings: dict[str, Any], found: str
) -> None:
    assert value(store_at(bao, reader, **settings), text) == found


def test_version_and_time_are_the_servers_own(bao: OpenBao, reader: str) -> None:
    for number in ("first", "second"):
        bao.call("POST", "secret/data/dated", {"data": {"value": number}})

    newest = fetched(store_at(bao, reader), "vault://secret/dated")
    older = fetched(store_at(bao, reader), "vault://secret/dated?version=1")

    assert (older.version, older.secret.reveal()) == ("1", "first")
    assert (newest.version, newest.secret.reveal()) == ("2", "second")
    assert older.since is not None
    assert newest.since is not None
    assert older.since < newest.since
    assert abs(datetime.now(UTC) - newest.since) < timedelta(minutes=5)
    assert fetched(store_at(bao, reader), "vault://old/pair#client_id")[1:] == ("", None)


@pytest.mark.parametrize(
    ("text", "fault", "message", "hint"),
    [
        ("vault://secret/pair", "secret_malformed", "2 fields", "#client_id, #client_secret"),
        ("vault://old/pair", "secret_malformed", "2 fields", "#client_id, #client_secret"),
        ("vault://secret/nothing", "secret_malformed", "no fields", "store"),
        ("vault://secret/number", "secret_malformed", "no text", "quotes"),
        ("vault://secret/object#value", "secret_malformed", "no text", "quotes"),
        ("vault://secret/none", "secret_malformed", "no text", "quotes"),
        ("vault://secret/absent", "secret_not_found", "the mount secret has no secret absent", "create"),
        ("vault://secret/data/one", "secret_not_found", "no secret data/one", "leave out `data/`"),
        ("vault://secret/one?version=7", "secret_not_found", "in version 7", "create"),
        ("vault://old/absent", "secret_not_found", "the mount old has no secret absent", "create"),
        ("vault://old/pair?version=1#client_id", "secret_not_found", "old is KV version 1", "leave out"),
        ("vault://team/deep/kv", "secret_not_found", "the whole mount", "name a secret"),
        ("vault://secret/forbidden", "secret_denied", "read secret/data/forbidden", 'path "secret/data/forbidden"'),
        ("vault://old/forbidden", "secret_denied", "read old/forbidden", 'path "old/forbidden"'),
        ("vault://nowhere/one", "secret_denied", "no rights in the mount nowhere", "correct the mount"),
        ("vault://cubbyhole/one", "secret_not_found", "no KV store", "correct the mount"),
    ],
)
def test_a_refusal_says_what_is_wrong(
    bao: OpenBao, reader: str, text: str, fault: str, message: str, hint: str
) -> None:
    refused = failure(store_at(bao, reader), text)

    assert refused.fault.name == fault
    assert message in refused.message
    assert hint in refused.hint


def test_a_mount_that_does_not_exist_is_said_to_whoever_may_know(bao: OpenBao) -> None:
    refused = failure(store_at(bao, bao.root), "vault://nowhere/one")

    assert (refused.fault.name, "no mount nowhere" in refused.message) == ("secret_not_found", True)


@pytest.mark.parametrize(
    ("action", "message", "hint"),
    [
        (("DELETE", "secret/data/gone"), "version 1 of it was deleted", "vault kv undelete -mount=secret -versions=1 gone"),
        (("PUT", "secret/destroy/gone"), "version 1 of it was destroyed", "write the secret again"),
    ],
)  # fmt: skip
def test_a_version_that_is_gone_says_how(
    bao: OpenBao, reader: str, action: tuple[str, str], message: str, hint: str
) -> None:
    bao.call("DELETE", "secret/metadata/gone")
    bao.call("POST", "secret/data/gone", {"data": {"value": API_KEY}})
    bao.call(*action, {"versions": [1]})

    refused = failure(store_at(bao, reader), "vault://secret/gone")

    assert refused.fault.name == "secret_not_found"
    assert message in refused.message
    assert hint in refused.hint


def _revoked(bao: OpenBao) -> str:
    token = bao.token("reader")
    bao.call("POST", "auth/token/revoke", {"token": token})
    return token


def _expired(bao: OpenBao) -> str:
    token = bao.token("reader", ttl="1s")
    try:
        while True:
            bao.call("GET", "auth/token/lookup-self", token=token)
            sleep(0.1)
    except Unexpected:
        return token


def _unknown(bao: OpenBao) -> str:
    return API_KEY


@pytest.mark.parametrize("settings", [{}, {"kv_version": 2}], ids=["asked", "told"])
@pytest.mark.parametrize("end", [_revoked, _expired, _unknown])
def test_a_token_that_is_no_good_is_told_from_a_denied_path(bao: OpenBao, end: Any, settings: dict[str, Any]) -> None:
    refused = failure(store_at(bao, end(bao), **settings), "vault://secret/one")

    assert refused.fault.name == "secret_denied"
    assert "does not know the token" in refused.message
    assert "obtain a new token" in refused.hint


def test_a_good_token_that_may_not_look_at_itself_is_not_taken_for_a_bad_one(bao: OpenBao) -> None:
    token = bao.token("reader", no_default_policy=True)

    found, denied = read(store_at(bao, token), "vault://secret/one", "vault://secret/forbidden")

    assert isinstance(found, Fetched)
    assert isinstance(denied, SecretUnresolved)
    assert "policies" in denied.message


def test_a_bad_token_is_sent_twice_however_many_secrets_it_was_for(bao: OpenBao) -> None:
    with bao.watched() as asked:
        outcomes = read(store_at(bao, _unknown(bao)), *(f"vault://secret/s{number}" for number in range(40)))

    assert {outcome.fault.name for outcome in outcomes if isinstance(outcome, SecretUnresolved)} == {"secret_denied"}
    assert len(outcomes) == 40
    assert [path.rstrip("0123456789") for _, path in asked] == [
        "sys/internal/ui/mounts/secret/s",
        "auth/token/lookup-self",
    ]


def test_a_bad_token_is_sent_no_more_where_nothing_is_asked_about_mounts(bao: OpenBao) -> None:
    opened = VAULT.open(store_at(bao, _unknown(bao), kv_version=2))
    references = [SecretReference.parse(f"vault://secret/s{number}") for number in range(5)]
    with bao.watched() as asked:
        outcomes = opened.read(references)
        opened.close()

    assert {one.fault.name for one in outcomes if isinstance(one, SecretUnresolved)} == {"secret_denied"}
    assert [path for _, path in asked] == ["secret/data/s0", "auth/token/lookup-self"]


def test_a_mount_is_looked_at_once_and_each_secret_once(bao: OpenBao, reader: str) -> None:
    texts = ("vault://secret/pair#client_id", "vault://secret/pair#client_secret", "vault://secret/one")
    with bao.watched() as asked:
        read(store_at(bao, reader), *texts, "vault://team/deep/kv/one", "vault://old/pair#client_id")

    looked_at_first = next(path for _, path in asked if path.startswith("sys/internal/ui/mounts/secret/"))
    assert looked_at_first.removeprefix("sys/internal/ui/mounts/secret/") in {"pair", "one"}
    assert sorted(asked) == sorted(
        ("read", path)
        for path in (
            looked_at_first,
            "sys/internal/ui/mounts/team/deep/kv/one",
            "sys/internal/ui/mounts/old/pair",
            "secret/data/pair",
            "secret/data/one",
            "team/deep/kv/data/one",
            "old/pair",
        )
    )


@pytest.fixture(scope="module")
def team(bao: OpenBao) -> Iterator[str]:
    """A namespace with a secret of the same path."""
    bao.call("POST", "sys/namespaces/team-a", {})
    bao.mount("secret", 2, namespace="team-a")
    bao.call("POST", "secret/data/one", {"data": {"value": "of team-a"}}, namespace="team-a")
    yield "team-a"
    bao.call("DELETE", "sys/namespaces/team-a")


@pytest.mark.parametrize(
    ("text", "settings"),
    [("vault://secret/one", {"namespace": "team-a"}), ("vault://team-a/secret/one", {})],
    ids=["header", "path"],
)
def test_a_namespace_has_secrets_of_its_own(bao: OpenBao, team: str, text: str, settings: dict[str, Any]) -> None:
    assert value(store_at(bao, bao.root, **settings), text) == f"of {team}"


def test_a_namespace_that_does_not_exist_is_said(bao: OpenBao) -> None:
    refused = failure(store_at(bao, bao.root, namespace="team-z"), "vault://secret/one")

    assert refused.fault.name == "secret_not_found"
    assert "namespace" in refused.message


def test_a_server_that_nobody_has_set_up_says_so(untouched: OpenBao) -> None:
    refused = failure(store_at(untouched, "some-token"), "vault://secret/one")

    assert refused.fault.name == "secret_backend_unavailable"
    assert "not initialised" in refused.message


def test_a_certificate_of_another_authority_is_refused(bao: OpenBao, reader: str) -> None:
    store = store_at(bao, reader)
    stranger = {key: setting for key, setting in store.settings.items() if key != "ca_file"}

    refused = failure(store._replace(settings=stranger), "vault://secret/one")

    assert refused.fault.name == "secret_backend_unavailable"
    assert "the store's `ca_file`" in refused.hint


@pytest.mark.parametrize("token", ["two words", "lïne", "\u0000"], ids=["space", "non-ASCII", "control"])
def test_what_no_header_can_carry_is_refused_before_it_is_sent(bao: OpenBao, token: str) -> None:
    with bao.watched() as asked:
        refused = failure(store_at(bao, token), "vault://secret/one")

    assert refused.fault.name == "secret_malformed"
    assert token not in str(refused)
    assert asked == []
