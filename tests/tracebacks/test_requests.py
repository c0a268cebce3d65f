"""No credential is in the tracebacks of requests, however they fail and whoever shows the locals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from traceback import walk_tb

import pytest

from connform.http import Network, OriginRefused, sync_client
from connform.tracebacks import NOTE_START
from tests.http.exchanging import CLIENTS, Mode, exchange, settings_for
from tests.http.servers import Authority, Server, answer
from tests.tracebacks.requests import SECRETS, errors_of, failing
from tests.tracebacks.walk import assert_hidden

Errors = Callable[[str], dict[str, BaseException]]


@pytest.fixture
def errors(authority: Authority, tmp_path: Path) -> Iterator[Errors]:
    """Returns what the requests whose names start with a text raise."""
    with ExitStack() as stack:
        requests = failing(stack, authority, tmp_path)
        yield lambda start: errors_of(
            {name: request for name, request in requests.items() if name.startswith(start)},
            lambda _number, _mode: tuple(SECRETS),
        )


def test_no_failed_request_shows_its_credential_or_a_frame_below_the_transport(errors: Errors) -> None:
    below = ("httpcore/", "h11/", "/ssl.py", "net/backend.py", "net/stream.py", "http/outgoing.py")
    for name, error in errors("").items():
        assert_hidden(error, name)
        for frame, _ in walk_tb(error.__traceback__):
            assert not any(part in frame.f_code.co_filename for part in below), name


def test_an_error_of_the_callers_own_body_keeps_the_callers_own_frames(errors: Errors) -> None:
    bodies = errors("a body that fails")
    assert len(bodies) == len(SECRETS) * len(CLIENTS)
    for name, error in bodies.items():
        assert isinstance(error, KeyError)
        names = [frame.f_code.co_name for frame, _ in walk_tb(error.__traceback__)]
        assert names[-1] == "body_that_fails", name


@pytest.mark.parametrize("mode", CLIENTS)
def test_a_mistake_below_the_transport_says_where_it_was(mode: Mode, authority: Authority) -> None:
    def mistaken(host: str, port: int) -> tuple[str, int]:
        raise LookupError(host, port)

    with Server(answer(), tls=authority.server(), ca_pem=authority.pem) as server:
        error = exchange(mode, settings_for(server, network=Network(mistaken, authority.pem))).error

    assert isinstance(error, LookupError)
    (note,) = error.__notes__
    assert note.startswith(NOTE_START)
    assert "connection_pool.py" in note
    assert note.endswith("in mistaken")


def test_what_the_caller_was_handling_stays_behind_the_error(authority: Authority) -> None:
    with Server(answer(), tls=authority.server(), ca_pem=authority.pem) as server:
        client = sync_client(settings_for(server))
        handled = KeyError("of the caller")
        try:
            raise handled
        except KeyError:
            with pytest.raises(OriginRefused) as raised:
                client.get("https://elsewhere.example.test/")
        client.close()

    links: list[BaseException] = [raised.value]
    while links[-1].__context__ is not None:
        links.append(links[-1].__context__)
    assert links[-1] is handled
    assert handled.__traceback__ is not None
