"""Bodies are decoded piece by piece and never get larger than allowed."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connform.http import RequestFailed, async_client, sync_client, transport_base
from connform.http.body import Body
from tests.http.exchanging import Mode, exchange, settings_for
from tests.http.servers import Authority, Server, answer, endless, gzip_of_zeros, head

MEGABYTE = 1_000_000


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP": gzip.compress,
    "deflate": zlib.compress,
    "identity": bytes,
    "unheard-of": bytes,
    "": bytes,
}


def decode(coding: str, chunks: Iterable[bytes], max_bytes: int = MEGABYTE) -> bytes:
    body = Body([(b"Content-Encoding", coding.encode())], "api.example.test", max_bytes, is_empty=False)
    decoded = b"".join(piece for chunk in chunks for piece in body.feed(chunk))
    body.end()
    return decoded


def split(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@given(
    coding=st.sampled_from(sorted(CODINGS)),
    data=st.one_of(st.binary(max_size=300), st.integers(0, 400_000).map(bytes)),
    size=st.integers(1, 70_000),
)
def test_what_was_encoded_is_decoded(coding: str, data: bytes, size: int) -> None:
    assert decode(coding, split(CODINGS[coding](data), max(size, len(data) // 1000 + 1))) == data


@given(data=st.binary(min_size=1, max_size=300), size=st.integers(2, 100))
def test_deflate_without_its_header(data: bytes, size: int) -> None:
    assert decode("deflate", split(raw_deflate(data), size)) == data


@given(parts=st.lists(st.binary(max_size=100), min_size=1, max_size=5), padding=st.integers(0, 20))
def test_members_and_padding(parts: list[bytes], padding: int) -> None:
    encoded = b"".join(gzip.compress(part) for part in parts) + bytes(padding)

    assert decode("gzip", [encoded]) == b"".join(parts)


@given(data=st.binary(min_size=1, max_size=300), cut=st.integers(1, 12))
def test_what_is_cut_is_no_answer(data: bytes, cut: int) -> None:
    with pytest.raises(RequestFailed, match="cut"):
        decode("gzip", [gzip.compress(data)[:-cut]])


@pytest.mark.parametrize("coding", ["gzip", "deflate", ""])
def test_the_limit_is_exact(coding: str) -> None:
    data = bytes(MEGABYTE)

    assert decode(coding, split(CODINGS[coding](data), 65536)) == data
    with pytest.raises(RequestFailed) as raised:
        decode(coding, split(CODINGS[coding](data + b"x"), 65536))
    assert raised.value.fault.name == "http_too_large"


def test_a_bomb_takes_no_memory() -> None:
    bomb = gzip_of_zeros(200)
    body = Body([(b"content-encoding", b"gzip")], "api.example.test", 150 * MEGABYTE, is_empty=False)
    tracemalloc.start()
    with pytest.raises(RequestFailed):
        for _ in body.feed(bomb):
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < MEGABYTE


@pytest.mark.parametrize("kind", ["bomb", "endless"])
def test_memory_of_a_whole_exchange(mode: Mode, authority: Authority, kind: str) -> None:
    bomb = answer(gzip_of_zeros(200), "Content-Encoding: gzip")
    behaviour = bomb if kind == "bomb" else endless(head(200), bytes(65536))
    with Server(behaviour, tls=authority.server(), ca_pem=authority.pem) as server:
        settings = settings_for(server, total_s=50, max_body_bytes=20 * MEGABYTE)
        tracemalloc.start()
        ended = exchange(mode, settings)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert ended.fault == "http_too_large"
    assert peak < 50 * MEGABYTE


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_an_answer_that_is_read_piece_by_piece_may_be_of_any_size(authority: Authority, coding: str) -> None:
    content = bytes(3 * MEGABYTE)
    behaviour = answer(CODINGS[coding](content), *([f"Content-Encoding: {coding}"] if coding else []))
    with Server(behaviour, tls=authority.server(), ca_pem=authority.pem) as server:
        settings = settings_for(server, max_body_bytes=MEGABYTE)
        with sync_client(settings) as client:
            with client.stream("GET", "/") as response:
                assert sum(map(len, response.iter_bytes())) == len(content)
            with pytest.raises(RequestFailed, match="larger than"):
                client.get("/")

        async def use() -> int:
            async with async_client(settings) as client, client.stream("GET", "/") as response:
                return sum([len(piece) async for piece in response.aiter_bytes()])

        assert asyncio.run(use()) == len(content)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br", "gzip,gzip"])
def test_codings_that_httpx_would_decode_without_limit(coding: str) -> None:
    with pytest.raises(RequestFailed) as raised:
        decode(coding, [])
    assert raised.value.fault.name == "http_bad_reply"


def test_headers_fit_the_decoded_body(mode: Mode, authority: Authority) -> None:
    behaviour = answer(gzip.compress(b'{"a": 1}'), "Content-Encoding: gzip", "Content-Type: application/json")
    with Server(behaviour, tls=authority.server(), ca_pem=authority.pem) as server:
        response = exchange(mode, settings_for(server)).response

    assert response is not None
    assert response.json() == {"a": 1}
    assert dict(response.headers) == {"content-type": "application/json"}
    assert b"accept-encoding: gzip, deflate\r\n" in server.requests[0].lower()


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_an_answer_to_head_has_no_body(mode: Mode, authority: Authority, coding: str) -> None:
    def behave(connection: object) -> None:
        connection.read_request()  # type: ignore[attr-defined]  # a Connection
        connection.send(head(200, [f"Content-Encoding: {coding}", "Content-Length: 99999999999"]))  # type: ignore[attr-defined]  # a Connection

    with Server(behave, tls=authority.server(), ca_pem=authority.pem) as server:
        ended = exchange(mode, settings_for(server), method="HEAD")

    assert ended.response is not None, ended.error
    assert ended.response.headers["content-length"] == "99999999999"


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body(mode: Mode, authority: Authority, status: int) -> None:
    behaviour = answer(b"", "Content-Encoding: gzip", status=status)
    with Server(behaviour, tls=authority.server(), ca_pem=authority.pem) as server:
        ended = exchange(mode, settings_for(server))

    assert ended.response is not None, ended.error
    assert ended.response.content == b""


def test_a_refused_body_gives_its_connection_back(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    monkeypatch.setattr(transport_base, "_CONNECTIONS", 2)
    server = Server(answer(bytes(2000)), tls=authority.server(), ca_pem=authority.pem)
    with server, sync_client(settings_for(server, max_body_bytes=1000, pool_s=2)) as client:
        for _ in range(5):  # more than the pool has
            with pytest.raises(RequestFailed) as raised:
                client.get("/")
            assert raised.value.fault.name == "http_too_large"
