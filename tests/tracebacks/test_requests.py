"""No credential is in the tracebacks of requests, however they fail and whoever shows the locals."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from connform.http import Network, OriginRefused, sync_client
from connform.tracebacks import NOTE_START
from tests.http.exchanging import MODES, Mode, exchange, settings_for
from tests.http.servers import Authority, Server, answer
from tests.tracebacks.requests import SECRETS, errors_of, failing
from tests.tracebacks.walk import assert_hidden


@pytest.fixture(scope="module")
def errors(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> dict[str, BaseException]:
    with ExitStack() as stack:
        requests = failing(stack, authority, tmp_path_factory.mktemp("requests"))
        return errors_of(requests, lambda _number, _mode: tuple(SECRETS))


def test_no_failed_request_shows_its_credential(errors: dict[str, BaseException]) -> None:
    for name, error in errors.items():
        assert_hidden(error, name)


def test_every_frame_below_the_transport_is_cut_off(errors: dict[str, BaseException]) -> None:
    below = ("httpcore/", "h11/", "/ssl.py", "http/dial", "http/outgoing.py")
    for name, error in errors.items():
        trace = error.__traceback__
        while trace is not None:
            assert not any(part in trace.tb_frame.f_code.co_filename for part in below), name
            trace = trace.tb_next


def test_an_error_of_the_callers_own_body_keeps_the_callers_own_frames(errors: dict[str, BaseException]) -> None:
    bodies = {name: error for name, error in errors.items() if name.startswith("a body that fails")}
    assert len(bodies) == 9
    for name, error in bodies.items():
        assert isinstance(error, KeyError)
        trace = error.__traceback__
        names = []
        while trace is not None:
            names.append(trace.tb_frame.f_code.co_name)
            trace = trace.tb_next
        assert names[-1] == "body_that_fails", name


@pytest.mark.parametrize("mode", MODES)
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
