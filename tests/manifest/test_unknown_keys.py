"""What an unknown key's message says: which key, and what is allowed; unless it may be a pasted secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from connform.cli.main import main
from connform.diagnostics import MASK
from connform.engine.load.manifest import examine
from connform.manifest.files import Source
from connform.reporters import FORMATS, has_messages

MANIFEST = 'version: 1\nconnections:\n  a:\n    environment: sandbox\n    region: us\n    auth: {method: api_key, api_key: "env://A"}\n'


def said(text: str, form: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    (folder / "m.yaml").write_text(text)
    assert main(["validate", str(folder / "m.yaml"), "--format", form]) == 1
    said = capfd.readouterr()
    return " ".join((said.out if has_messages(FORMATS[form]) else said.err).split())


@pytest.mark.parametrize("form", sorted(FORMATS))
@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("colour: red", "colour"),
        ("regoin: us", "regoin"),
        ("apiVersion: 1", "apiVersion"),
        ("api-key: env://A", "api-key"),
        ("scopes: [a]", "scopes"),
        ("x-common: {a: b}", "x-common"),
    ],
)
def test_it_names_the_key_and_says_allowed_in_every_format(
    form: str, line: str, key: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shown = said(f"{MANIFEST}    {line}\n", form, tmp_path, capfd)
    assert f"`{key}`" in shown.replace("\\\\", "").replace("\\", "")
    assert "allowed" in shown
    assert "unknown-key" in shown


@pytest.mark.parametrize("form", sorted(FORMATS))
@pytest.mark.parametrize("key", ["Big-PASS", "my-pass", "a b", "p4ssw0rd", "pass!", "a:b", "nothing"])
def test_a_key_that_may_be_a_secret_is_not_named(
    form: str, key: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    value = "x" if key != "nothing" else ""
    shown = said(f'{MANIFEST}    "{key}": {value}\n', form, tmp_path, capfd)
    assert "this key is not allowed in this entry; allowed" in shown.replace("\\", "")
    assert key not in shown


def test_the_pointer_of_a_key_that_is_not_named_leads_to_the_object_around_it() -> None:
    text = f"{MANIFEST}    tls: {{Big-PASS: x}}\n"
    (one,) = examine([Source("m.yaml", text.encode(), "")])[1].diagnostics
    assert one.pointer == f"/connections/a/tls/{MASK}"


def test_the_pointer_of_a_key_of_defaults_leads_to_it() -> None:
    text = MANIFEST.replace("connections:", "defaults: {regoin: us}\nconnections:")
    (one,) = examine([Source("m.yaml", text.encode(), "")])[1].diagnostics
    assert one.pointer == "/defaults/regoin"
