"""Logins that go wrong, and what a callback must hold."""

from __future__ import annotations

import os
import pty
import socket
import ssl
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pexpect
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from connform.auth.oauth import authorization
from connform.auth.oauth.listener import listen_for_redirect
from connform.auth.oauth.server import AuthorizationServer, discover
from connform.auth.oauth.server import settings_for as authorization_server_settings
from connform.database import open_grants
from connform.engine.login import Login, login
from connform.engine.run.state_location import StateLocation
from connform.errors import ConnectionFailed
from connform.faults import FAULTS
from connform.http.settings import ClientSettings
from connform.secret import Secret
from tests.canary import API_KEY, AWKWARD, assert_no_canary
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.running import COMMAND, command_environment, offline, run, start
from tests.http.exchanging import settings_for
from tests.http.servers import HOST, Authority, Connection, Server, answer, head
from tests.oauth.conftest import SECRET
from tests.oauth.provider import Provider
from tests.oauth.test_whole_life import begin_login, declare
from tests.ports import free_ports

NO_ANSWERS = {("listen", "pastes rubbish"), ("listen", "answers another login")}
"""What a browser can't do, for it opens an address; and what a listener waits past."""
REDIRECT = "https://localhost:8443/auth/callback"
ISSUER = "https://login.acme.example"


def begun(redirect_uri: str = REDIRECT) -> authorization.AuthorizationRequest:
    return authorization.start(f"{ISSUER}/authorize?audience=api", "acme", redirect_uri, ["profile"], ISSUER)


def back(request: authorization.AuthorizationRequest, at: str = REDIRECT, **parameters: str) -> str:
    known = {"code": API_KEY, "state": request.state.reveal(), "iss": ISSUER} | parameters
    return f"{at}?{urlencode({key: value for key, value in known.items() if value})}"


def test_the_address_asks_for_all_that_protects_a_login() -> None:
    one, other = begun(), begun()
    query = {name: value for name, (value,) in parse_qs(urlsplit(one.url).query).items()}
    assert query["code_challenge_method"] == "S256"
    digest = urlsafe_b64encode(sha256(one.verifier.reveal().encode()).digest()).decode()
    assert query["code_challenge"] == digest.rstrip("=")  # RFC 7636 §4.2 and appendix A: without padding
    assert (query["audience"], query["redirect_uri"], query["response_type"]) == ("api", REDIRECT, "code")
    assert (query["client_id"], query["state"]) == ("acme", one.state.reveal())
    assert one.verifier.reveal() not in one.url
    assert one.state.reveal() != other.state.reveal()
    assert len(one.verifier.reveal()) >= 43  # RFC 7636 §4.1


def test_without_scopes_no_scope_is_sent() -> None:
    """RFC 6749 §3.3: the server has a default of its own; an empty one would be refused."""
    asked = authorization.start(f"{ISSUER}/authorize", "acme", REDIRECT, [])
    assert "scope" not in parse_qs(urlsplit(asked.url).query, keep_blank_values=True)
    asked = authorization.start(f"{ISSUER}/authorize", "acme", REDIRECT, ["repo", "gist"])
    assert parse_qs(urlsplit(asked.url).query)["scope"] == ["repo gist"]


def test_the_code_is_read_from_where_the_person_ended() -> None:
    request = begun()
    assert authorization.read_callback(request, back(request)).reveal() == API_KEY


WRONG = {
    "the state of another login": (REDIRECT, {"state": "another"}, "login_state_mismatch"),
    "no state": (REDIRECT, {"state": ""}, "login_state_mismatch"),
    "another issuer": (REDIRECT, {"iss": "https://evil.example"}, "login_issuer_mismatch"),
    "another tenant of the issuer": (REDIRECT, {"iss": f"{ISSUER}/tenant/2"}, "login_issuer_mismatch"),
    "a denial": (REDIRECT, {"error": "access_denied", "code": ""}, "login_denied"),
    "an unknown error": (REDIRECT, {"error": API_KEY, "code": ""}, "login_denied"),
    "an invalid request": (REDIRECT, {"error": "invalid_request", "code": ""}, "login_bad_callback"),
    "an app that may not log in": (REDIRECT, {"error": "unauthorized_client"}, "client_credentials_rejected"),
    "an unsupported response type": (REDIRECT, {"error": "unsupported_response_type"}, "login_bad_callback"),
    "a server that failed": (REDIRECT, {"error": "server_error"}, "token_endpoint_unavailable"),
    "a server that is busy": (REDIRECT, {"error": "temporarily_unavailable"}, "token_endpoint_unavailable"),
    "no code": (REDIRECT, {"code": ""}, "login_bad_callback"),
    "another path": (f"{REDIRECT}/more", {}, "login_bad_callback"),
    "another host": ("https://evil.example/auth/callback", {}, "login_bad_callback"),
    "another port": ("https://localhost/auth/callback", {}, "login_bad_callback"),
    "plain http": ("http://localhost:8443/auth/callback", {}, "login_bad_callback"),
    "a password inside": ("https://:word@localhost:8443/auth/callback", {}, "login_bad_callback"),
    "a user inside": ("https://me@localhost:8443/auth/callback", {}, "login_bad_callback"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_address_that_is_not_the_answer_to_this_login_is_refused(case: str) -> None:
    at, parameters, fault = WRONG[case]
    request = begun()
    with pytest.raises(ConnectionFailed) as caught:
        authorization.read_callback(request, back(request, at, **parameters))
    assert caught.value.fault.name == fault
    assert_no_canary(caught.value.message, caught.value.hint)


@pytest.mark.parametrize(
    ("error", "said"), [("access_denied", "access_denied"), (API_KEY, "an error without a known name")]
)
def test_an_error_is_named_where_it_is_a_known_one(error: str, said: str) -> None:
    request = begun()
    with pytest.raises(ConnectionFailed, match=f"the server answered the login with {said}$"):
        authorization.read_callback(request, back(request, error=error))


@pytest.mark.parametrize(
    "text", ["", "yes", API_KEY, "https://", "https://[", "https://localhost:8443/auth/callback?a b"]
)
def test_rubbish_is_refused_and_never_echoed(text: str) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        authorization.read_callback(begun(), text)
    assert caught.value.fault.name == "login_bad_callback"
    assert_no_canary(caught.value.message)


def test_a_parameter_that_comes_twice_is_refused() -> None:
    request = begun()
    with pytest.raises(ConnectionFailed) as caught:
        authorization.read_callback(request, back(request) + "&code=another")
    assert caught.value.fault.name == "login_bad_callback"


@pytest.mark.parametrize("query", ["tenant=1", "tenant="])
def test_a_query_of_the_registered_address_must_come_back(query: str) -> None:
    request = begun(f"{REDIRECT}?{query}")
    with pytest.raises(ConnectionFailed):
        authorization.read_callback(request, back(request))
    assert authorization.read_callback(request, f"{back(request)}&{query}").reveal() == API_KEY


def test_a_browser_adds_the_slash_that_a_registered_address_lacks() -> None:
    request = begun("https://localhost")
    assert authorization.read_callback(request, back(request, "https://localhost/")).reveal() == API_KEY


# Discovery

HERE = f"https://{HOST}"
ENDPOINTS = {
    "issuer": HERE,
    "authorization_endpoint": f"{HERE}/a",
    "token_endpoint": f"{HERE}/t",
    "revocation_endpoint": f"{HERE}/r",
}


def publish(**changes: object) -> bytes:
    import json

    return json.dumps({key: value for key, value in (ENDPOINTS | changes).items() if value}).encode()


@pytest.mark.parametrize("key", ["authorize_url", "token_url", "revoke_url"])
def test_a_server_says_where_its_endpoints_are_and_the_manifest_has_the_last_word(
    authority: Authority, key: str
) -> None:
    known: dict[str, Any] = {key: "https://elsewhere.example/x"}
    with Server(answer(publish()), tls=authority.server(), ca_pem=authority.pem) as server:
        found = discover(AuthorizationServer(issuer=HERE)._replace(**known), settings_for(server))
    assert b"accept: application/json\r\n" in server.requests[0].lower()
    assert found == AuthorizationServer(f"{HERE}/a", f"{HERE}/t", f"{HERE}/r", HERE)._replace(**known)


@pytest.mark.parametrize(("published", "is_named"), [(True, True), (False, False), (None, False), ("true", False)])
def test_a_server_says_whether_its_answers_name_it(authority: Authority, published: object, is_named: bool) -> None:
    metadata = publish(authorization_response_iss_parameter_supported=published)
    with Server(answer(metadata), tls=authority.server(), ca_pem=authority.pem) as server:
        found = discover(AuthorizationServer(issuer=HERE), settings_for(server))
    assert found.is_named_in_answers is is_named


@pytest.mark.parametrize("issuer", [f"{HERE}/tenant", f"{HERE}/tenant/"])
def test_metadata_lie_at_either_of_two_places_and_may_name_no_revocation_endpoint(
    authority: Authority, issuer: str
) -> None:
    metadata = publish(issuer=issuer, revocation_endpoint=None)

    def behave(connection: Connection) -> None:
        while request := connection.read_request():
            is_there = request.startswith(b"GET /.well-known/oauth-authorization-server/tenant ")
            status, content = (200, metadata) if is_there else (404, b"")
            connection.send(head(status, [f"Content-Length: {len(content)}"]) + content)

    with Server(behave, tls=authority.server(), ca_pem=authority.pem) as server:
        found = discover(AuthorizationServer(issuer=issuer), settings_for(server))
    assert found == AuthorizationServer(f"{HERE}/a", f"{HERE}/t", issuer=issuer)


PUBLISHED = {
    "another issuer": (answer(publish(issuer="https://evil.example")), "login_issuer_mismatch"),
    "an issuer with a slash": (answer(publish(issuer=f"{HERE}/")), "login_issuer_mismatch"),
    "an endpoint elsewhere": (answer(publish(token_endpoint="https://evil.example/t")), "login_issuer_mismatch"),
    "an endpoint in plain http": (answer(publish(token_endpoint=f"http://{HOST}/t")), "login_issuer_mismatch"),
    "an endpoint that is no URL": (answer(publish(token_endpoint=f"{HERE}:x/t")), "login_issuer_mismatch"),
    "no endpoint": (answer(publish(token_endpoint=None)), "login_issuer_mismatch"),
    "no metadata": (answer(b"", status=404), "token_endpoint_unavailable"),
    "a page": (answer(b"<html>"), "token_endpoint_unavailable"),
    "a list": (answer(b"[]"), "token_endpoint_unavailable"),
    "a server error": (answer(b"", status=500), "token_endpoint_unavailable"),
}


@pytest.mark.parametrize("case", PUBLISHED)
def test_a_server_is_believed_for_itself_alone(authority: Authority, case: str) -> None:
    behaviour, fault = PUBLISHED[case]
    with Server(behaviour, tls=authority.server(), ca_pem=authority.pem) as server:
        with pytest.raises(ConnectionFailed) as caught:
            discover(AuthorizationServer(issuer=HERE), settings_for(server))
        assert caught.value.fault.name == fault
        assert ("publishes no metadata" in caught.value.message) is (case == "no metadata")


def test_another_server_than_the_api_may_have_a_certificate_that_the_system_trusts() -> None:
    client = ClientSettings(f"{HERE}/api")
    assert not authorization_server_settings(f"{HERE}/t", client).trusts_system
    assert authorization_server_settings("https://elsewhere.example/t", client).trusts_system


def test_a_server_that_nothing_names_is_not_looked_for(authority: Authority) -> None:
    with Server(answer(publish()), tls=authority.server(), ca_pem=authority.pem) as server:
        with pytest.raises(ConnectionFailed) as caught:
            discover(AuthorizationServer(authorize_url=f"{HERE}/a"), settings_for(server))
        assert (caught.value.fault.name, server.requests) == ("config_invalid", [])
        assert "neither the provider nor the manifest" in caught.value.message


@pytest.mark.parametrize(
    ("declared", "is_its_own"),
    [
        (AuthorizationServer(token_url=f"{HERE}/t", issuer="https://elsewhere.example"), True),
        (AuthorizationServer(token_url=f"{HERE}/other", issuer=HERE), False),
        (AuthorizationServer(issuer=f"{HERE}/tenant"), True),
        (AuthorizationServer(issuer="https://elsewhere.example"), False),
        (AuthorizationServer(), False),
    ],
    ids=["its URL", "another URL", "its issuer", "another issuer", "nothing"],
)
def test_a_token_is_renewed_at_the_server_that_is_declared(declared: AuthorizationServer, *, is_its_own: bool) -> None:
    assert declared.may_renew(f"{HERE}/t") is is_its_own


# The command

OAUTH = """\
version: 1
connections:
  customer:
    environment: private
    base_url: https://localhost:1/api/v1
    auth:
      method: oauth2
      client_id: acme-portal
      client_secret: env://PORTAL_SECRET
      redirect_uri: https://localhost:{port}/auth/callback
  key:
    environment: sandbox
    region: us
    auth: {{method: api_key, api_key: "env://PORTAL_SECRET"}}
"""
COMMANDS = {
    "a person is needed": (["login", "customer", "--no-input"], None, 64, "--no-input"),
    "a listener needs a certificate": (["login", "customer", "--listen"], None, 64, "--cert"),
    "an API key needs no login": (["login", "key"], None, 64, "only an OAuth connection"),
    "no such connection": (["login", "custmer"], None, 64, "customer"),
    "rubbish is pasted": (["login", "customer"], "rubbish\n", 4, "login_bad_callback"),
    "nobody pastes anything": (["login", "customer"], "", 64, "standard input ended before an address came"),
    "an empty refresh token": (["login", "customer", "--with-refresh-token"], "", 64, "no refresh token"),
    "a logout without a grant": (["logout", "customer"], None, 0, ""),
    "a logout of an API key": (["logout", "key"], None, 64, "only an OAuth connection"),
    "a token of an API key": (["token", "key"], None, 64, "not with a token"),
    "a token without a grant": (["token", "customer"], None, 4, "login_required"),
    "a server that is away": (
        ["login", "customer", "--state", "postgresql://u@127.0.0.1:1/x"], "x\n", 5, "store_unavailable",
    ),
    "a password that everybody sees": (
        ["login", "customer", "--state", "postgresql://u:hunter2@127.0.0.1:1/x"], "x\n", 64, "CONNFORM_STATE",
    ),
    "a password in the query": (
        ["login", "customer", "--state", "postgresql://db/x?user=u&pass%77ord=hunter2"], "x\n", 64, "PGPASSWORD",
    ),
    "the password of a key": (
        ["token", "customer", "--state=postgresql://db/x?sslpassword=hunter2"], None, 64, "command line",
    ),
    "a password that is not encoded": (
        ["logout", "customer", "--state", "postgresql://u:hunter2/@x@127.0.0.1/x"], None, 64, "command line",
    ),
    "a state that is none": (["login", "customer", "--state", "redis://hunter2"], "x\n", 1, "no known scheme"),
    "a key that is no reference": (["token", "customer", "--state-key", "hunter2"], None, 1, "secret reference"),
    "a key with a user": (["token", "customer", "--state-key", "vault://me:hunter2@kv/k"], None, 1, "no credentials"),
    "a key in an unknown place": (["login", "customer", "--state-key", "nowhere://x"], "x\n", 1, "nowhere://"),
}  # fmt: skip


@pytest.mark.parametrize("case", COMMANDS)
def test_what_a_person_can_do_wrong_is_said(tmp_path: Path, case: str) -> None:
    argv, stdin, code, words = COMMANDS[case]
    (tmp_path / "connections.yaml").write_text(OAUTH.format(port=1))
    ended = run(*argv, cwd=tmp_path, env={"PORTAL_SECRET": SECRET}, stdin=stdin)
    assert (ended.code, words in ended.err) == (code, True), ended.err
    assert "hunter2" not in ended.err + ended.out


# What a person does in their browser, against an OAuth server that was not written here


def changed(address: str, **parameters: str) -> str:
    """Return the address with other parameters; an empty one is left out."""
    parts = urlsplit(address)
    query = {name: value for name, (value,) in parse_qs(parts.query).items()} | parameters
    return parts._replace(query=urlencode({name: value for name, value in query.items() if value})).geturl()


PERSONS: dict[str, tuple[Callable[[Provider, str], str] | None, str, int, str]] = {
    "answers another login": (
        lambda provider, url: changed(provider.consent(url), state="another"), "login_state_mismatch", 4, "`state` of another login",
    ),
    "was led to another server": (
        lambda provider, url: changed(provider.consent(url), iss="https://evil.example"), "login_issuer_mismatch", 4, "another server than",
    ),
    "says no": (Provider.refuse, "login_denied", 4, "access_denied"),
    "brings no code": (lambda provider, url: changed(provider.consent(url), code=""), "login_bad_callback", 4, "no `code`"),
    "pastes rubbish": (lambda provider, url: "rubbish", "login_bad_callback", 4, "not the address of a page"),
    "does nothing": (None, "login_timeout", 6, "within 1 s"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("way", "person"),
    [(way, person) for way in ("paste", "listen") for person in PERSONS if (way, person) not in NO_ANSWERS],
)
def test_a_login_that_goes_wrong_has_its_class_and_leaves_nothing(
    tmp_path: Path, provider: Provider, certificate: Path, way: str, person: str
) -> None:
    act, fault, code, words = PERSONS[person]
    declare(tmp_path, provider, issuer=provider.origin)
    before = provider.counts
    listen = () if way == "paste" else ("--listen", "--cert", str(certificate))
    process, url = begin_login(tmp_path, *listen, "--timeout", "1" if act is None else "60")
    with process:
        if act is None:
            assert process.wait(30) == code  # its standard input is open all the while
        elif way == "paste":
            print(act(provider, url), file=process.stdin, flush=True)
        else:
            provider.open(act(provider, url))
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, ""), err
    assert f"error[{fault}]: " in err
    assert words in err
    assert FAULTS[fault].hint in err
    assert (provider.counts["code"], provider.counts["refused"]) == (before["code"], before["refused"]), "it was sent"
    store = open_grants("", tmp_path / ".connform", None)
    assert list(store.facts()) == []
    store.close()


def test_a_login_is_answered_once(tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(tmp_path, provider)
    monkeypatch.setenv("PORTAL_SECRET", SECRET)
    with login([str(tmp_path / "connections.yaml")], "customer", state=StateLocation()) as started:
        assert isinstance(started, Login)
        address = provider.consent(started.url)
        assert started.finish(Secret(address)).facts.is_renewable
        before = provider.counts
        with pytest.raises(ConnectionFailed) as caught:
            started.finish(Secret(address))
    assert caught.value.fault.name == "login_state_mismatch"
    assert provider.counts == before, "a code that comes twice ends its grant"


PASTED: dict[str, Callable[[str], list[str]]] = {
    "at once": lambda address: [f"{address}\n"],
    "longer than a terminal's line": lambda address: [f"{address}&more={'x' * 6000}\n"],
    "after an empty line": lambda address: [f"\n{address}\n"],
    "wrapped": lambda address: [f"{address[:40]}\n  {address[40:]}\n"],
    "with a key too many, erased": lambda address: [f"{address}x\x7f\n"],
    "after the line was erased": lambda address: [f"rubbish\x15{address}\n"],
    "after another page": lambda address: ["https://evil.example/\n", f"{address}\n"],
    "after rubbish and another login's": lambda address: ["rubbish\n", f"{REDIRECT}?state=x&code=y\n", f"{address}\n"],
}


@pytest.mark.parametrize("case", PASTED)
def test_an_address_is_pasted_at_a_terminal(tmp_path: Path, case: str) -> None:
    """It is the answer, where connform goes on to the token endpoint; nothing listens there."""
    (tmp_path / "connections.yaml").write_text(OAUTH.format(port=8443))
    with pexpect.spawn(
        COMMAND,
        ["login", "customer", "--no-browser"],
        cwd=tmp_path,
        env=command_environment({"PORTAL_SECRET": SECRET}),
        timeout=30,
        encoding="utf-8",
    ) as terminal:
        terminal.expect(r"state=([\w-]+)")
        for text in PASTED[case](f"{REDIRECT}?code=x&state={terminal.match[1]}"):
            terminal.expect("paste that address here: ")
            terminal.send(text)
        terminal.expect(pexpect.EOF)
        terminal.close()
    assert (terminal.exitstatus, "error[tcp_refused]" in terminal.before) == (6, True), terminal.before


@pytest.mark.parametrize("typed", ["", "half of an addr", "rubbish\n"])
def test_a_person_at_a_terminal_is_waited_for_no_longer_than_said(tmp_path: Path, typed: str) -> None:
    (tmp_path / "connections.yaml").write_text(OAUTH.format(port=1))
    here, theirs = pty.openpty()
    argv = ("login", "customer", "--timeout", "1")
    with start(*argv, cwd=tmp_path, env={"PORTAL_SECRET": SECRET}, stdin=theirs) as process:
        os.write(here, typed.encode())
        try:
            _, err = process.communicate(timeout=30)
        finally:
            process.kill()
    os.close(here)
    os.close(theirs)
    assert (process.returncode, "error[login_timeout]" in err) == (6, True), err
    assert ("not the address of a page" in err) == (typed == "rubbish\n")


STRAYS: dict[str, Callable[[str], str]] = {
    "an old tab": lambda address: changed(address, state="another"),
    "a prefetch": lambda address: f"{address.partition('?')[0]}?x=1",
    "a denial without a state": lambda address: f"{address.partition('?')[0]}?error=access_denied",
}


@pytest.mark.parametrize("stray", STRAYS)
def test_a_listener_waits_past_requests_that_are_no_answer(
    tmp_path: Path, provider: Provider, certificate: Path, stray: str
) -> None:
    declare(tmp_path, provider, issuer=provider.origin)
    process, url = begin_login(tmp_path, "--listen", "--cert", str(certificate), "--timeout", "60")
    with process:
        address = provider.consent(url)
        assert provider.open(STRAYS[stray](address)) == 400
        assert provider.open(address) == 200
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err


def test_a_listener_that_nobody_answers_says_what_came(certificate: Path, authority: Issuer) -> None:
    address = f"https://localhost:{free_ports(1)[0]}/callback"
    with (
        listen_for_redirect(address, lambda query: False, certificate, None) as wait,
        httpx.Client(verify=ssl.create_default_context(cadata=authority.pem.decode())) as browser,
    ):
        assert browser.get(f"{address}?state=another").status_code == 400
        with pytest.raises(ConnectionFailed, match="; requests without the `state` of this login: 1"):
            wait(0.1)


def test_a_listener_says_that_its_port_is_taken(tmp_path: Path, certificate: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "connections.yaml").write_text(OAUTH.format(port=port))
        listen = ("login", "customer", "--listen", "--cert", certificate)
        ended = run(*listen, cwd=tmp_path, env={"PORTAL_SECRET": SECRET})
    assert (ended.code, "Address already in use" in ended.err) == (1, True), ended.err
    assert f"lsof -i :{port}" in ended.err


def test_a_listener_does_without_addresses_that_this_machine_lacks(tmp_path: Path, certificate: Path) -> None:
    """Containers name `::1 localhost` in /etc/hosts, and have no IPv6."""
    (tmp_path / "connections.yaml").write_text(OAUTH.format(port=free_ports(1)[0]))
    (tmp_path / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    script = 'PATH=$PATH:/usr/sbin:/sbin; mount --bind hosts /etc/hosts && ip addr del ::1/128 dev lo && exec "$@"'
    listen = ("login", "customer", "--listen", "--cert", certificate, "--timeout", "0.5")
    before = [*offline(), "sh", "-c", script, "sh"]
    ended = run(*listen, cwd=tmp_path, env={"PORTAL_SECRET": SECRET}, before=before)
    assert (ended.code, "login_timeout" in ended.err) == (6, True), ended.err


def test_nobody_is_asked_for_the_pass_phrase_of_a_listener(tmp_path: Path, authority: Issuer) -> None:
    (tmp_path / "connections.yaml").write_text(OAUTH.format(port=free_ports(1)[0]))
    pem = authority.pem_for("localhost")
    key = load_pem_private_key(pem, None)
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(AWKWARD.encode()))
    files = {"certificate.pem": pem[pem.index(b"-----BEGIN CERTIFICATE") :], "key.pem": sealed}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    listen = ("login", "customer", "--listen", "--cert", "certificate.pem", "--key", "key.pem", "--no-input")
    ended = run(*listen, cwd=tmp_path, env={"PORTAL_SECRET": SECRET}, stdin=f"{AWKWARD}\n")
    assert (ended.code, "its private key is encrypted" in ended.err) == (1, True), ended.err
    assert "openssl pkey -in key.pem" in ended.err
    assert "Enter PEM" not in ended.err


def test_a_listener_without_a_usable_certificate(tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(OAUTH.format(port=free_ports(1)[0]))
    (tmp_path / "empty.pem").touch()
    for file, words in (("missing.pem", "No such file"), ("empty.pem", "it is empty")):
        ended = run("login", "customer", "--listen", "--cert", file, cwd=tmp_path, env={"PORTAL_SECRET": SECRET})
        assert (ended.code, words in ended.err) == (1, True), ended.err
