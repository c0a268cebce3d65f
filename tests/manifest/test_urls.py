from __future__ import annotations

import pytest

from connform.manifest.urls import UrlError, host_of, parse_url, url_findings

CANARY = "s3cr3t"


@pytest.mark.parametrize(
    ("text", "rebuilt"),
    [
        ("https://acme.example", "https://acme.example"),
        ("https://acme.example/", "https://acme.example/"),
        ("HTTPS://Acme.Example/API/v1", "https://acme.example/API/v1"),
        ("https://acme.example:443/x", "https://acme.example/x"),
        ("https://acme.example:8443/x", "https://acme.example:8443/x"),
        ("https://acme.example/a%20b/~c@d", "https://acme.example/a%20b/~c@d"),
        ("https://xn--nxasmq6b.example", "https://xn--nxasmq6b.example"),
        ("https://my_service", "https://my_service"),
        ("https://192.0.2.7/x", "https://192.0.2.7/x"),
        ("https://[2001:DB8:0::1]:8443/x", "https://[2001:db8::1]:8443/x"),
        ("http://localhost:8080/x", "http://localhost:8080/x"),
        ("http://LOCALHOST", "http://localhost"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://127.255.0.9", "http://127.255.0.9"),
        ("http://[::1]:9", "http://[::1]:9"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
    ],
)
def test_a_good_url_is_rebuilt_from_its_parts(text: str, rebuilt: str) -> None:
    assert str(parse_url(text)) == rebuilt


@pytest.mark.parametrize(
    "text",
    [
        "http://acme.example",
        "HTTP://acme.example",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://128.0.0.1",
        "http://[::2]",
        "http://[::ffff:127.0.0.1]",
        "http://localhost-x",
    ],
)
def test_plain_http_is_for_this_machine_alone(text: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse_url(text)
    assert caught.value.code == "insecure-url"


def test_plain_http_can_be_refused_altogether() -> None:
    with pytest.raises(UrlError):
        parse_url("http://localhost", loopback_http=False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        CANARY,
        "acme.example/api",
        "https:",
        "https://",
        "https:///path",
        "https:acme.example",
        "https:/acme.example",
        "//acme.example",
        f"ftp://acme.example/{CANARY}",
        "javascript://acme.example",
        f"https://user:{CANARY}@acme.example",
        f"https://{CANARY}@acme.example",
        "https://@acme.example",
        "https://sandbox.syngrafii.com@evil.example",
        "https://acme.example\\@evil.example",
        "https:\\\\acme.example",
        "https://acme.example/a\\b",
        "https://acme.example/\n",
        "https://acme.example\t",
        " https://acme.example",
        "https://acme.example/a b",
        "https://acme.example/\x00",
        "https://acme.example/\x7f",
        "https://acmé.example",
        "https://ѕandbox.syngrafii.com",
        "https://acme。example",
        f"https://acme.example/?key={CANARY}",
        "https://acme.example?",
        f"https://acme.example/#{CANARY}",
        "https://acme.example#",
        "https://acme.example:",
        "https://acme.example:0",
        "https://acme.example:65536",
        "https://acme.example:99999999999999999999",
        "https://acme.example:https",
        "https://acme.example:1:2",
        "https://acme..example",
        "https://.acme.example",
        "https://acme.example.",
        "https://-acme.example",
        "https://acme%2eexample",
        "https://" + "a" * 64 + ".example",
        "https://" + "a." * 127 + "example",
        "https://127.1",
        "https://2130706433",
        "https://0x7f.0.0.1",
        "https://0x7f000001",
        "https://256.0.0.1",
        "https://010.0.0.1",
        "https://[::1",
        "https://[::1]x",
        "https://[:::]",
        "https://[fe80::1%25eth0]",
        "https://acme.example/../api",
        "https://acme.example/api/..",
        "https://acme.example/./api",
        "https://acme.example/%zz",
        "https://acme.example/<x>",
    ],
    ids=repr,
)
def test_what_is_no_plain_https_url_is_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse_url(text)
    assert caught.value.code == "malformed-url"
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("https://[:::]", "the IPv6 address of the URL is not valid"),
        ("https://256.0.0.1", "an IPv4 address is written as four numbers from 0 to 255"),
        ("http://acme.example", "credentials travel by https only; plain http is for this machine alone"),
    ],
)
def test_a_message_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse_url(text)
    assert str(caught.value).partition(" (")[0] == message


def test_a_query_stands_only_where_it_may() -> None:
    assert str(parse_url("https://acme.example/cb?tenant=7", query=True)) == "https://acme.example/cb?tenant=7"
    with pytest.raises(UrlError):
        parse_url("https://acme.example/cb?tenant=7#x", query=True)


def test_a_finding_points_at_the_value_and_offers_https() -> None:
    (finding,) = url_findings("http://acme.example/api", ("base_url",))
    assert (finding.code, finding.path, finding.hint) == ("insecure-url", ("base_url",), "https://acme.example/api")
    assert list(url_findings("https://acme.example/api", ("base_url",))) == []


def test_no_hint_repeats_a_url_with_a_password() -> None:
    (finding,) = url_findings(f"http://user:{CANARY}@acme.example", ("base_url",))
    assert finding.code == "malformed-url"
    assert CANARY not in finding.detail + finding.hint


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://login.example/x", "login.example"),
        ("http://LOGIN.example:8080", "login.example"),
        ("//login.example", "login.example"),
        ("https://a@b@login.example/", "login.example"),
        ("/x", ""),
        ("x", ""),
        ("https:///x", ""),
        ("https://bad host/", ""),
    ],
)
def test_the_host_of_a_location(location: str, host: str) -> None:
    assert host_of(location) == host
