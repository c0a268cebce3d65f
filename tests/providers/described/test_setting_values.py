"""No value of a setting leads to another host or another path than the definition means, whatever its pattern fits."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from connform.providers.described.definition import decode
from connform.providers.described.provider import DescribedProvider

NODE: dict[str, Any] = {
    "title": "Acme",
    "root": "https://{site}.acme.example/t/{tenant}/v1",
    "settings": {"site": {"pattern": ".*"}, "domain": {"pattern": ".*", "kind": "host"}, "tenant": {"pattern": ".*"}},
    "auth": {"token": {"secrets": {"token": {}}, "headers": {"Authorization": "Bearer {token}"}}},
    "check": {"method": "GET", "path": "/me"},
    "answers": [],
}
ONE_LABEL = DescribedProvider(decode("acme/one", NODE))
LABELS = DescribedProvider(decode("acme/several", NODE | {"root": "https://{domain}.acme.example/t/{tenant}/v1"}))
HOSTILE = st.one_of(
    st.text(max_size=20),
    st.text("./\\?#@:%[] \t\r\n\0aA1-_é{}", max_size=8),
    st.sampled_from(["evil.example/", "a@evil.example", "a%2eb", "..", ".", "", "a" * 64, "a\n", "127.0.0.1", "{site}", "x" * 254]),
)  # fmt: skip


def _of(provider: DescribedProvider, **values: str) -> tuple[list[str], str]:
    connection = {"auth": {"method": "token", "token": "env://T"}, **values}
    codes = [finding.code for finding in provider.rules(connection)]
    return codes, "" if codes else provider._addresses.of(connection).root


@given(site=HOSTILE, tenant=HOSTILE)
@settings(max_examples=500, deadline=None)
def test_an_accepted_value_stays_in_its_label_and_its_segment(site: str, tenant: str) -> None:
    codes, root = _of(ONE_LABEL, site=site, tenant=tenant)
    if not codes:
        parts = urlsplit(root)
        assert parts.hostname == f"{site}.acme.example".lower()
        assert (parts.scheme, parts.port, parts.username, parts.query, parts.fragment) == ("https", None, None, "", "")
        assert [unquote(part) for part in parts.path.split("/")] == ["", "t", tenant, "v1"]


@given(domain=HOSTILE)
@settings(max_examples=300, deadline=None)
def test_a_host_may_have_several_labels_and_ends_as_the_text_does(domain: str) -> None:
    codes, root = _of(LABELS, domain=domain, tenant="x")
    if not codes:
        assert urlsplit(root).hostname == f"{domain}.acme.example".lower()


def test_good_values_are_accepted() -> None:
    assert _of(ONE_LABEL, site="north-1", tenant="a b/c") == ([], "https://north-1.acme.example/t/a%20b%2Fc/v1")
    assert _of(LABELS, domain="eu.north", tenant="x") == ([], "https://eu.north.acme.example/t/x/v1")
