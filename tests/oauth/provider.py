"""Starts an OAuth server that was not written here, and plays the person who logs in and consents."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from tests.conftest import do_without, require_peer
from tests.private_keys import pem_of

_MODULES = Path(__file__).parent.parent / "node_modules"
_STEPS = 20


class Provider:
    """A running oidc-provider."""

    def __init__(
        self,
        port: int,
        ca_file: Path,
        redirect_uri: str,
        client_secret: str,
        loopback_uris: tuple[str, ...],
        service_key: str = "",
    ) -> None:
        self.origin = f"https://localhost:{port}"
        self.ca_file = ca_file
        self._trust = ssl.create_default_context(cafile=ca_file)
        self.redirect_uri = redirect_uri
        self.client_secret = client_secret
        self.service_key = service_key
        """The private key of the client `service-key`, PEM."""
        self.loopback_uris = loopback_uris
        """Where the public client `acme-cli` is sent back to, by http."""

    def manifest(self, **auth: Any) -> str:
        """Return a manifest with the connection `customer`, an instance on this server."""
        oauth = {
            "method": "oauth2",
            "client_id": "acme-basic",
            "client_secret": "env://PORTAL_SECRET",
            "redirect_uri": self.redirect_uri,
            "authorize_url": f"{self.origin}/connect/authorize?prompt=consent",
            **auth,
        }
        customer = {
            "environment": "private",
            "base_url": f"{self.origin}/api/v1",
            "tls": {"ca_file": str(self.ca_file)},
            "auth": oauth,
        }
        return json.dumps({"version": 1, "connections": {"customer": customer}})

    def public_manifest(self, redirect_uri: str, **auth: Any) -> str:
        """Return a manifest with the connection `customer`, an API on this server for a public client."""
        oauth = {
            "method": "oauth2",
            "client_id": "acme-cli",
            "redirect_uri": redirect_uri,
            "scopes": ["profile", "offline_access"],
            "authorize_url": f"{self.origin}/connect/authorize?prompt=consent",
            "token_url": f"{self.origin}/connect/token",
            "revoke_url": f"{self.origin}/connect/revocation",
            **auth,
        }
        customer = {
            "provider": "http",
            "base_url": f"{self.origin}/api/v1",
            "check": {"path": "/me", "expect": {"body": {"type": "object", "required": ["items"]}}},
            "tls": {"ca_file": str(self.ca_file)},
            "auth": oauth,
        }
        return json.dumps({"version": 1, "connections": {"customer": customer}})

    def device_manifest(self, **auth: Any) -> str:
        """Return a manifest with the connection `customer`, whose person consents on another device."""
        manifest = json.loads(self.public_manifest(""))
        settings = {
            "method": "device_code",
            "client_id": "acme-cli",
            "scopes": ["profile", "offline_access"],
            "device_authorization_url": f"{self.origin}/device/auth",
            "token_url": f"{self.origin}/connect/token",
            "revoke_url": f"{self.origin}/connect/revocation",
        }
        manifest["connections"]["customer"]["auth"] = {**settings, **auth}
        return json.dumps(manifest)

    @property
    def counts(self) -> dict[str, int]:
        """How often it issued tokens for a code or a refresh token, refused, revoked a grant; its API's answers."""
        counts: dict[str, int] = httpx.get(f"{self.origin}/stats", verify=self._trust).json()
        return counts

    @property
    def refreshed_at(self) -> list[float]:
        """When it issued tokens for a refresh token, in seconds."""
        times: list[float] = httpx.get(f"{self.origin}/refreshed", verify=self._trust).json()
        return times

    def consent(self, url: str) -> str:
        """Do what a person does in a browser, and return the address on which they end."""
        return self._browse(url, lambda browser, page: browser.post(str(page.url), data=self._filled_in(page.text)))

    def refuse(self, url: str) -> str:
        """Do what a person does who cancels, and return the address on which they end."""
        return self._browse(url, lambda browser, page: browser.get(f"{page.url}/abort"))

    def consent_on_another_device(self, address: str, code: str = "", *, refuses: bool = False) -> str:
        """Do what a person does at the address of a device login, and return the text of the last page."""
        form: dict[str, str] = {}
        with httpx.Client(verify=self._trust, follow_redirects=True) as browser:
            page = browser.get(address)
            for _ in range(_STEPS):
                if "was successful" in page.text or form.get("abort"):
                    return page.text
                form = self._device_form(page.text, code)
                if refuses and "confirm" in form:
                    form["abort"] = "yes"
                target = re.search(r'<form[^>]*action="([^"]+)"', page.text)
                assert target is not None, page.text
                page = browser.post(urljoin(str(page.url), target[1]), data=form)
        pytest.fail("the login leads nowhere")

    @classmethod
    def _device_form(cls, page: str, code: str) -> dict[str, str]:
        if "prompt" in page and 'name="xsrf"' not in page:
            return cls._filled_in(page)
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        return hidden if "user_code" in hidden else {**hidden, "user_code": code}

    def open(self, address: str) -> int:
        """Open an address, as a browser does at the end of a redirect, and return the status of the page."""
        with httpx.Client(verify=self._trust) as browser:
            return browser.get(address).status_code

    def _browse(self, url: str, act: Callable[[httpx.Client, httpx.Response], httpx.Response]) -> str:
        with httpx.Client(verify=self._trust) as browser:
            answer = browser.get(url)
            for _ in range(_STEPS):
                if answer.is_redirect:
                    address = urljoin(str(answer.url), answer.headers["location"])
                    if address.startswith((self.redirect_uri, *self.loopback_uris)):
                        return address
                    answer = browser.get(address)
                else:
                    answer = act(browser, answer)
        pytest.fail("the login leads nowhere")

    @staticmethod
    def _filled_in(page: str) -> dict[str, str]:
        prompt = re.search(r'name="prompt" value="(\w+)"', page)
        assert prompt is not None, page
        return {"prompt": prompt[1], "login": "customer", "password": "synthetic"}


@contextmanager
def running_provider(
    folder: Path,
    certificate: bytes,
    ca_file: Path,
    *,
    redirect_uri: str,
    client_secret: str,
    lifetime_s: int,
    loopback_port: int = 1,
) -> Iterator[Provider]:
    """Run one; `certificate` is its key and chain for localhost, PEM."""
    node = require_peer("node")
    if not (_MODULES / "oidc-provider").is_dir():
        do_without("oidc-provider is not installed (npm install --prefix tests)")
    key = ec.generate_private_key(ec.SECP256R1())
    service_keys = {"keys": [json.loads(ECAlgorithm.to_jwk(key.public_key())) | {"alg": "ES256", "use": "sig"}]}
    pem = folder / "provider.pem"
    pem.write_bytes(certificate)
    pem.chmod(0o600)
    script = Path(__file__).with_name("provider.mjs")
    hosts = ("127.0.0.1", "[::1]", "localhost")
    loopback_uris = tuple(f"http://{host}:{loopback_port}/callback" for host in hosts)
    environment = {
        "PATH": os.environ["PATH"],
        "CA_FILE": str(ca_file),
        "CLIENT_SECRET": client_secret,
        "SERVICE_KEYS": json.dumps(service_keys),
        "REDIRECT_URIS": json.dumps([redirect_uri]),
        "LOOPBACK_URIS": json.dumps(loopback_uris),
        "NODE_NO_WARNINGS": "1",
    }
    with (
        (folder / "provider.log").open("wb") as log,
        subprocess.Popen(
            [node, script, pem, pem, str(lifetime_s)], env=environment, stdout=subprocess.PIPE, stderr=log
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, (folder / "provider.log").read_text()
            yield Provider(int(line), ca_file, redirect_uri, client_secret, loopback_uris, pem_of(key))
        finally:
            process.kill()
