"""The examples of docs/reference/auth.md: valid, ready at a vendor that wants just that, refused with other secrets; a provider's entry says the same."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
import yaml

from connform.auth import METHODS
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.running import Run, run_here, start
from tests.end_to_end.vendor import Vendor, running_vendor

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "auth.md").read_text("utf-8")
VENDOR = re.compile(r"https://(?:api|login)\.acme\.example(?=/)")
"""The hosts of the page; an audience without a path is a name."""
CONSENTS = frozenset({"oauth2", "device_code"})


_loaded = cache(yaml.safe_load)


class Example(NamedTuple):
    """A file of the page, and what an entry says instead."""

    inline: str
    """The whole file."""
    fragment: str
    """A part of an entry: `auth`, and `settings` if it has any."""

    @property
    def name(self) -> str:
        (name,) = _loaded(self.inline)["connections"]
        return str(name)

    @property
    def connection(self) -> dict[str, Any]:
        connection: dict[str, Any] = _loaded(self.inline)["connections"][self.name]
        return connection

    @property
    def method(self) -> str:
        return str(self.connection["auth"]["method"])

    def as_entry(self) -> str:
        """Return a file with a provider that has the fragment, and a connection with what is left for it to say."""
        part, inline = _loaded(self.fragment), self.connection
        ((method, said),) = part["auth"].items()
        own = {*said.get("secrets", {}), *({"client_id", "redirect_uri"} if "flow" in said else ())}
        entry = {
            "title": "Acme",
            "root": inline["base_url"],
            "check": {"method": "GET", "path": inline["check"]["path"]},
            "answers": [
                {"status": [200], "means": "ready", "body": {"type": "object", **inline["check"]["expect"]["body"]}},
                {"status": [401], "means": "auth_rejected"},
            ],
            "sources": [{"url": "https://docs.acme.example", "read": "2026-11-29"}],
            **part,
        }
        connection = {
            "provider": "acme/api",
            **{key: inline["auth"][key] for key in part.get("settings", ())},
            **({"tls": inline["tls"]} if "tls" in inline else {}),
            "auth": {"method": method, **{key: text for key, text in inline["auth"].items() if key in own}},
        }
        return yaml.safe_dump({"version": 1, "providers": {"acme/api": entry}, "connections": {self.name: connection}})


BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = [Example(*pair) for pair in zip(BLOCKS[::2], BLOCKS[1::2], strict=True)]
METHODS_OF_PAGE = {one.method for one in EXAMPLES}


def forms(methods: Collection[str]) -> pytest.MarkDecorator:
    """Return the examples of some methods, each in both forms."""
    written = [(form, one) for one in EXAMPLES if one.method in methods for form in ("inline", "entry")]
    rows = [
        pytest.param(one.inline if form == "inline" else one.as_entry(), one, id=f"{one.name}-{form}")
        for form, one in written
    ]
    return pytest.mark.parametrize(("text", "example"), rows)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """One of its own for each test: tokens that were issued for another address are not used."""
    with running_vendor() as running:
        yield running


@pytest.fixture(scope="module")
def strict_vendor(authority: Issuer) -> Iterator[Vendor]:
    """One that knows its customers by their certificates."""
    with running_vendor(authority.trust(authority.loopback())) as running:
        yield running


def test_each_method_has_an_example() -> None:
    assert set(METHODS) == METHODS_OF_PAGE
    assert len({one.name for one in EXAMPLES}) == len(EXAMPLES)


def test_the_table_leads_to_each_method() -> None:
    table = PAGE.partition("## Which method?")[2].partition("\n## ")[0]
    assert [name for name in METHODS if f"[`{name}`" not in table] == []


@forms(METHODS_OF_PAGE)
def test_an_example_is_valid(tmp_path: Path, text: str, example: Example) -> None:
    (tmp_path / "connections.yaml").write_text(text)
    validated = run_here("validate", cwd=tmp_path)
    assert (validated.code, validated.out, validated.err) == (0, "1 connection in 1 file: no errors\n", "")


@forms(METHODS_OF_PAGE - CONSENTS - {"none"})
def test_an_example_is_ready_and_refused_with_other_secrets(
    tmp_path: Path, vendor: Vendor, text: str, example: Example
) -> None:
    declare(tmp_path, text, vendor)
    refused = check(tmp_path, Vendor())
    assert (refused.code, verdict_of(refused)) == (4, refusal(example)), refused.out
    assert verdict_of(check(tmp_path, vendor)) == "ready"


def refusal(example: Example) -> str:
    """Return the verdict of an example with wrong secrets: by the API, or by what issues tokens."""
    return {
        "client_credentials": "client_credentials_rejected",
        "login": "client_credentials_rejected",
        "jwt_bearer": "client_credentials_rejected",
    }.get(example.method, "auth_rejected")


@forms({"none"})
def test_a_client_certificate_is_ready_and_another_one_is_refused(
    tmp_path: Path, strict_vendor: Vendor, authority: Issuer, text: str, example: Example
) -> None:
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    manifest = yaml.safe_load(text)
    manifest["connections"][example.name]["tls"]["ca_file"] = "ca.pem"
    declare(tmp_path, yaml.safe_dump(manifest), strict_vendor)
    for issuer, verdict in ((authority, "ready"), (Issuer(), "tls_protocol")):
        both = issuer.client_certificate()
        for name in ("client.pem", "client.key"):
            (tmp_path / name).write_bytes(both)
        assert verdict_of(check(tmp_path, strict_vendor)) == verdict


@forms(CONSENTS)
def test_a_grant_is_ready_until_the_vendor_ends_it(tmp_path: Path, vendor: Vendor, text: str, example: Example) -> None:
    declare(tmp_path, text, vendor)
    assert verdict_of(check(tmp_path, vendor)) == "login_required"
    log_in(tmp_path, example, vendor)
    assert verdict_of(check(tmp_path, vendor)) == "ready"
    vendor.refuse_tokens()
    assert verdict_of(check(tmp_path, vendor)) == "auth_rejected"


def test_a_login_with_another_client_secret_is_refused(tmp_path: Path, vendor: Vendor) -> None:
    (example,) = [one for one in EXAMPLES if one.name == "customer"]
    declare(tmp_path, example.inline, vendor)
    code, err = log_in(tmp_path, example, vendor, {"ACME_SECRET": "another"})
    assert (code, "client_credentials_rejected" in err) == (4, True), err


def declare(folder: Path, text: str, vendor: Vendor) -> None:
    (folder / "connections.yaml").write_text(VENDOR.sub(vendor.origin, text))


def check(folder: Path, vendor: Vendor) -> Run:
    return run_here("check", "--format", "json", cwd=folder, env=vendor.secrets)


def verdict_of(run: Run) -> str:
    """Return the class of the failure, or `ready`."""
    connection = run.connection
    return str(connection.get("class") or connection["verdict"])


def log_in(folder: Path, example: Example, vendor: Vendor, secrets: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Log in as the person that the login asks, and return how it ended."""
    variables = vendor.secrets if secrets is None else secrets
    with start("login", example.name, cwd=folder, env=variables, stdin=subprocess.PIPE) as process:
        answer, shown = None, ""
        if example.method == "oauth2":
            assert process.stderr is not None
            for line in process.stderr:
                shown += line
                if address := re.search(rf"{re.escape(vendor.origin)}/authorize\S+", line):
                    answer = f"{redirect_of(address[0])}\n"
                    break
        _, err = process.communicate(answer, timeout=60)
    if secrets is None:
        assert process.returncode == 0, shown + err
    return process.returncode, err


def redirect_of(address: str) -> str:
    """Return where a browser that opens an address is sent."""

    class Staying(HTTPRedirectHandler):
        def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> None:
            locations.append(newurl)

    locations: list[str] = []
    with pytest.raises(OSError, match="302"):
        build_opener(Staying).open(address)
    return locations[0]
