"""Only what the simulator issued opens a door, and only the door that it was issued for."""

from __future__ import annotations

import pytest

from connform.simulator import Simulator
from tests.simulator.client import LIST, SANDBOX, ask

OTHER = "sign.syngrafii.eu"
FOREIGN = "api.acme.example"
DENIED = {"error": "user_not_authorized", "message": "The user or API key does not have permission."}


@pytest.mark.parametrize(
    ("host", "header", "status"),
    [
        (SANDBOX, "api_key: <key>", 200),
        (SANDBOX, "API_KEY: <key>", 200),
        (SANDBOX, "Authorization: Bearer <token>", 200),
        (SANDBOX, "authorization: bearer <token>", 200),
        (SANDBOX, "api_key: wrong", 403),
        (SANDBOX, "api_key: <key>x", 403),
        (SANDBOX, "api_key: <token>", 403),
        (SANDBOX, "api_key: <key of another host>", 403),
        (OTHER, "api_key: <key of another host>", 200),
        (SANDBOX, "api-key: <key>", 403),
        (SANDBOX, "X-Api-Key: <key>", 403),
        (SANDBOX, "Authorization: <token>", 403),
        (SANDBOX, "Authorization: Bearer <key>", 403),
        (SANDBOX, "Authorization: Bearer <token of another host>", 403),
        (SANDBOX, "api_key:", 403),
        (SANDBOX, "Accept: */*", 403),
    ],
)
def test_the_two_documented_ways_to_authenticate(simulator: Simulator, host: str, header: str, status: int) -> None:
    answer = ask(simulator, "POST", LIST, _filled(simulator, header), {"take": 1, "skip": 0}, host=host)
    assert answer.status == status
    if status == 403:
        assert answer.json == DENIED


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("X-Api-Key: <key>", 200),
        ("Authorization: Token <key>", 200),
        ("Authorization: Bearer <token>", 200),
        ("X-Api-Key: <key of another host>", 403),
        ("X-Api-Key: wrong", 403),
        ("X-Api-Key:", 403),
    ],
)
def test_other_apis_take_a_credential_in_any_header(simulator: Simulator, header: str, status: int) -> None:
    assert ask(simulator, "GET", "/me", _filled(simulator, header), host=FOREIGN).status == status


def test_unknown_callers_learn_nothing_of_what_exists(simulator: Simulator) -> None:
    assert ask(simulator, "GET", "/api/v1/nothing/here", {}).json == DENIED


def test_credentials_are_random_and_look_synthetic(simulator: Simulator) -> None:
    issued = {simulator.issue_api_key() for _ in range(50)} | {simulator.issue_token() for _ in range(50)}
    assert len(issued) == 100
    assert all(value.startswith("simulated-") for value in issued)


def test_host_names_are_compared_without_case(simulator: Simulator) -> None:
    key = simulator.issue_api_key(SANDBOX.upper())
    assert ask(simulator, "POST", LIST, {"api_key": key}, {}).status == 200


def _filled(simulator: Simulator, header: str) -> dict[str, str]:
    name, _, value = header.partition(":")
    for placeholder, credential in (
        ("<key>", simulator.issue_api_key()),
        ("<token>", simulator.issue_token()),
        ("<key of another host>", simulator.issue_api_key(OTHER)),
        ("<token of another host>", simulator.issue_token(OTHER)),
    ):
        value = value.replace(placeholder, credential)
    return {name: value.strip()}
