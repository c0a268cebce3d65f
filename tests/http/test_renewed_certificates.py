"""Certificate files that are replaced under a ready client: its next connections use them."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest

from connform.http.client import async_client, sync_client
from connform.http.failures import RequestFailed
from connform.http.net import tls
from connform.http.settings import ClientSettings
from tests.http.exchanging import asking, settings_for
from tests.http.servers import Authority, Server, answer

Make: TypeAlias = "Callable[[ClientSettings], httpx.Client | httpx.AsyncClient]"
CLOSES = answer(b"{}", "Connection: close")


@pytest.fixture(params=[sync_client, async_client])
def make(request: pytest.FixtureRequest) -> Make:
    return request.param  # type: ignore[no-any-return]


def test_an_authority_that_is_added_to_its_file_is_trusted(make: Make, authority: Authority, tmp_path: Path) -> None:
    following, ca_file = Authority("the next one"), tmp_path / "ca.pem"
    ca_file.write_bytes(authority.pem)
    with Server(CLOSES, tls=authority.server()) as server, asking(make(settings_for(server, ca_file=ca_file))) as ask:
        assert ask() == 200
        ca_file.write_bytes(authority.pem + following.pem)
        server.tls = following.server()
        assert ask() == 200


def test_a_client_certificate_that_is_renewed_is_shown(make: Make, authority: Authority, tmp_path: Path) -> None:
    following = Authority("the next one")
    ca_file, client_cert = tmp_path / "ca.pem", tmp_path / "client.pem"
    ca_file.write_bytes(authority.pem)
    client_cert.write_bytes(authority.client_certificate())
    with (
        Server(CLOSES, tls=authority.trust(authority.server())) as server,
        asking(make(settings_for(server, ca_file=ca_file, client_cert=client_cert))) as ask,
    ):
        assert ask() == 200
        for half_written in (b"", authority.client_certificate()[:100]):
            client_cert.write_bytes(half_written)
            assert ask() == 200, "the certificate of before is no longer shown"
        client_cert.unlink()
        assert ask() == 200, "the certificate of before is no longer shown"
        server.tls = following.trust(authority.server())
        with pytest.raises(RequestFailed, match="ended the TLS connection: tlsv1 alert unknown ca") as refused:
            ask()
        assert "authority that issued" in refused.value.hint
        client_cert.write_bytes(following.client_certificate())
        assert ask() == 200


def test_a_certificate_that_was_renewed_leaves_no_context_behind(authority: Authority, tmp_path: Path) -> None:
    client_cert = tmp_path / "client.pem"
    client_cert.write_bytes(authority.client_certificate())
    settings = ClientSettings("https://api.example.test", client_cert=client_cert)
    with sync_client(settings):
        first = weakref.ref(tls.context_for(settings))
    renewed = tmp_path / "renewed.pem"
    renewed.write_bytes(authority.client_certificate())
    renewed.replace(client_cert)
    assert tls.context_for(settings) is not first()
    gc.collect()
    assert first() is None


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_client_certificate_that_has_expired_is_told(authority: Authority, tmp_path: Path, version: str) -> None:
    context = authority.trust(authority.server())
    context.maximum_version = getattr(context.maximum_version, version)
    ca_file, client_cert = tmp_path / "ca.pem", tmp_path / "client.pem"
    ca_file.write_bytes(authority.pem)
    client_cert.write_bytes(authority.client_certificate(ends_in=timedelta(days=-1)))
    with (
        Server(CLOSES, tls=context) as server,
        asking(sync_client(settings_for(server, ca_file=ca_file, client_cert=client_cert))) as ask,
        pytest.raises(RequestFailed) as refused,
    ):
        ask()
    assert (refused.value.fault.name, refused.value.hint) == (
        "tls_protocol",
        "the certificate in `tls: {client_cert}` has expired: renew it",
    )
