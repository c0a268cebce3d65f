"""Somebody pastes a secret into a manifest, wherever: no verb shows it in any format."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from connform.cli.main import main
from connform.reporters import FORMATS

SECRETS = ("CANARY-hunter-pass", "CANARYhunter!7", 'p4ssw0rd-Hunter"<ü>', "cnry.x9Kf82LmQw71Zp0T")
"""As people choose them, and as machines do; the runs of letters by which they are found."""
NEEDLES = ("CANARY", "hunter", "Hunter", "p4ssw0rd", "x9Kf82", "Zp0T", "5f2b3c", "4b5c6d")
HEAD = "version: 1\n"
CONNECTION = 'version: 1\nconnections:\n  a:\n    environment: sandbox\n    region: us\n    auth: {method: api_key, api_key: "env://A"}\n'
AUTH = "version: 1\nconnections:\n  a:\n    environment: sandbox\n    region: us\n    auth: "
HTTP = 'version: 1\nconnections:\n  a:\n    provider: http\n    auth: {method: api_key, api_key: "env://A"}\n'
PLACES = {
    # Braces and lists
    "in braces without its key": AUTH + "{method: api_key, §}\n",
    "first in braces": AUTH + "{§, method: api_key}\n",
    "alone in braces": AUTH + "{§}\n",
    "in braces with a colon inside": AUTH + '{method: api_key, "api_key:§"}\n',
    "in braces with a colon and no blank": AUTH + "{method: api_key, api_key:§}\n",
    "in braces as a key of nothing": AUTH + "{method: api_key, '§': }\n",
    "in braces as a key of a key": AUTH + "{method: api_key, '§': api_key}\n",
    "in braces behind a list": AUTH + "{tags: [ci], '§'}\n",
    "in braces that never close": AUTH + "{method: api_key, §\n",
    "in braces over several lines": AUTH + "{\n      method: api_key,\n      '§',\n      api_key: env://A}\n",
    "in braces behind the comma of a line": AUTH + "{\n      method: api_key, '§',\n      region: us}\n",
    "in braces as a list": AUTH + "{method: api_key, api_key: ['§']}\n",
    "in braces inside of braces": AUTH + "{method: api_key, api_key: {value: '§'}}\n",
    "in a wrong bracket": AUTH + "[method: api_key, '§']\n",
    "as a list below the key": AUTH + "\n      method: api_key\n      api_key:\n        - '§'\n",
    "as a list of auth": AUTH + "['§']\n",
    # Keys and values
    "in plain": AUTH + "{method: api_key, api_key: '§'}\n",
    "under a misspelt key": AUTH + "{method: api_key, api_kye: '§'}\n",
    "under an unknown key": AUTH + "{method: api_key, password: '§'}\n",
    "as a key": CONNECTION + "    '§': true\n",
    "as a key of a mapping": CONNECTION + "    '§': {a: b}\n",
    "as a key at the top": HEAD + "'§': x\nconnections: {}\n",
    "as a key without a value at the top": HEAD + "'§':\nconnections: {}\n",
    "as a key twice": CONNECTION + "    '§': x\n    '§': y\n",
    "as a key one level too far left": "version: 1\nconnections:\n  '§':\n  region: us\n",
    "as the whole of auth": AUTH + "'§'\n",
    "as the method": AUTH + "{method: '§'}\n",
    "as the environment": "version: 1\nconnections:\n  a: {environment: '§', region: us}\n",
    "as the region": CONNECTION.replace("region: us", "region: '§'"),
    "as the provider": CONNECTION + "    provider: '§'\n",
    "as a template": CONNECTION + "    extends: '§'\n",
    "as a template that is misspelt": CONNECTION + "    extends: '§x'\ntemplates:\n  '§': {}\n",
    "as templates in a circle": CONNECTION + "    extends: '§'\ntemplates:\n  '§': {extends: '§'}\n",
    "as a number's value": CONNECTION + "    timeouts: {read_s: '§'}\n",
    "as an unknown key of time-outs": CONNECTION + "    timeouts: {'§': 3}\n",
    "as a file's name": CONNECTION + "    tls: {client_cert: '§'}\n",
    # Over several lines
    "in a block": AUTH + "\n      method: api_key\n      api_key: |\n        §\n",
    "in quotes over two lines": AUTH + '\n      method: api_key\n      api_key: "x\n        §"\n',
    "in quotes that never close": AUTH + '\n      method: api_key\n      api_key: "§\n',
    "on a line of its own": AUTH + "\n      §\n",
    "behind a tab": AUTH + "\n\t§\n",
    "behind a colon": AUTH + "\n      api_key: x: §\n",
    "as an anchor": AUTH + "{method: api_key, api_key: &§ x}\n",
    "as an alias": AUTH + "{method: api_key, api_key: *§}\n",
    "behind a tag": AUTH + "{method: api_key, api_key: !secret '§'}\n",
    "as a document": "§\n",
    "as a second document": CONNECTION + "---\n§\n",
    "as a complex key": CONNECTION + "    ? ['§']\n    : x\n",
    # References
    "as a wrong reference": AUTH + "{method: api_key, api_key: 'basic://§'}\n",
    "as a scheme": AUTH + "{method: api_key, api_key: '§://x'}\n",
    "as a malformed reference": AUTH + "{method: api_key, api_key: 'env://§'}\n",
    "in a reference that is mended in words": AUTH + "{method: api_key, api_key: 'awsssm://acme/§'}\n",
    "in a reference without its key": AUTH + "{method: api_key, api_key: 'sops://§'}\n",
    "as the field of a variable": AUTH + "{method: api_key, api_key: 'env://A#§'}\n",
    "as the user of a reference": AUTH + "{method: api_key, api_key: 'file://u:§@host/x'}\n",
    "as an option of a reference": AUTH + "{method: api_key, api_key: 'file://x?token=§'}\n",
    "in the words of vals": AUTH + "{method: api_key, api_key: 'ref+echo://§'}\n",
    "in a store": CONNECTION + "stores:\n  corp: {type: vault, address: 'https://vault.acme.example', auth: {method: token, token: '§'}}\n",
    "as a store's type": CONNECTION + "stores:\n  corp: {type: '§'}\n",
    # Names, tags, URLs
    "as a connection's name": "version: 1\nconnections:\n  '§': {environment: sandbox, region: mars}\n",
    "as the name of an empty connection": "version: 1\nconnections:\n  '§':\n",
    "as a store's name": CONNECTION + "stores:\n  '§': {type: dotenv, path: .env}\n",
    "as the name of an unused template": CONNECTION + "templates:\n  '§': {region: us}\n",
    "as a tag that is none": CONNECTION + "    tags: ['§ x']\n",
    "as tags in place of a list": CONNECTION + "    tags: '§'\n",
    "twice among the tags": CONNECTION + "    tags: ['§', '§']\n",
    "in the query of a URL": HTTP + "    base_url: 'https://api.acme.example/?token=§'\n    check: {path: /}\n",
    "as the user of a URL": HTTP + "    base_url: 'https://§@api.acme.example/'\n    check: {path: /}\n",
    "as the password of a URL": HTTP + "    base_url: 'https://u:§@api.acme.example/'\n    check: {path: /}\n",
    "in the path of a URL by http": HTTP + "    base_url: 'http://api.acme.example/§/x'\n    check: {path: /}\n",
    "as the fragment of a URL": HTTP + "    base_url: 'https://api.acme.example/#§'\n    check: {path: /}\n",
    "in the path of a check": HTTP + "    base_url: https://api.acme.example\n    check: {path: '§'}\n",
    "under an unknown keyword of a body's schema": HTTP + "    base_url: https://api.acme.example\n    check: {path: /, expect: {body: {token: '§'}}}\n",
    "as a keyword of a body's schema": HTTP + "    base_url: https://api.acme.example\n    check: {path: /, expect: {body: {'§': 1}}}\n",
    "as a pattern of a body's schema": HTTP + "    base_url: https://api.acme.example\n    check: {path: /, expect: {body: {pattern: '§('}}}\n",
    "as a type of a body's schema": HTTP + "    base_url: https://api.acme.example\n    check: {path: /, expect: {body: {type: '§'}}}\n",
    "in the body of a GET": HTTP + "    base_url: https://api.acme.example\n    check: {path: /, json: {token: '§'}}\n",
    "as the body of a POST": HTTP + "    base_url: https://api.acme.example\n    check: {path: /, method: POST, json: '§'}\n",
    "as the password of a proxy": CONNECTION + "    proxy: 'http://u:§@proxy:3128'\n",
    "as the password of a proxy in an object": CONNECTION + "    proxy: {url: 'http://proxy:3128', username: u, password: '§'}\n",
    "in the URL of a proxy in an object": CONNECTION + "    proxy: {url: 'http://u:§@proxy:3128', username: u, password: env://A}\n",
    "as the user of a proxy": CONNECTION + "    proxy: {url: 'http://proxy:3128', username: 'u:§', password: env://A}\n",
    "under a misspelt key of a proxy": CONNECTION + "    proxy: {url: 'http://proxy:3128', username: u, passwort: '§'}\n",
    "as the password of a proxy without a scheme": CONNECTION + "    proxy: 'u:§@proxy:3128'\n",
    "in a comment with a key": CONNECTION.replace("region: us", "region:   us # api_key: §"),
    "in a comment as an assignment": CONNECTION.replace("region: us", "region:   us") + "# export KEY=§\n",
    "in an ignore comment": CONNECTION + "    # connform: ignore[§]\n",
    "in a link's line": "root:§:19000:0:99999:7::\n",
}  # fmt: skip
ALLOWED = {
    "in a folded block of a list": CONNECTION + "    tags:\n      - >-\n        §\n",
    "as a tag": CONNECTION + "    tags: [ci, '§']\n",
    "in a description": CONNECTION + "    description: 'the key is §'\n",
    "as the owner": CONNECTION + "    owner: '§'\n",
    "as an environment": HTTP + "    environment: '§'\n    base_url: https://api.acme.example\n    check: {path: /}\n",
    "as a store's environment": CONNECTION.replace("env:", "corp:")
    + "stores:\n  corp: {type: env, environment: '§'}\n",
    "among a store's environments": CONNECTION.replace("env:", "corp:")
    + "stores:\n  corp: {type: env, environment: [sandbox, '§']}\n",
    "as the host of a URL": HTTP + "    base_url: 'https://§.acme.example'\n    check: {path: /}\n",
    "in the path of a URL": HTTP + "    base_url: 'https://hooks.acme.example/services/§'\n    check: {path: /}\n",
    "in the path of a check": HTTP + "    base_url: https://api.acme.example\n    check: {path: '/x/§'}\n",
    "in the body of a check": HTTP
    + "    base_url: https://api.acme.example\n    check: {path: /, method: POST, json: {note: '§'}}\n",
    "in the text that a check expects": HTTP
    + "    base_url: https://api.acme.example\n    check: {path: /, expect: {text: 'a § b'}}\n",
    "in the query of a check": HTTP + "    base_url: https://api.acme.example\n    check: {path: '/x?token=§'}\n",
}
"""Where a text of the writer's own may stand: only what a machine made is known for a secret there."""
REPORTS = {form: f"report.{form}" for form in FORMATS}
"""Format → the file that one command writes it to, beside the text on standard output."""
VERBS = [
    ["validate", "-v", *(flag for form, file in REPORTS.items() for flag in ("--format", f"{form}={file}"))],
    *(["fmt", "--diff"], ["fmt", "--check"], ["list", "-v"], ["show", "a"], ["plan"], ["graph"], ["login"]),
    *(["secrets", "check"], ["check"], ["apply", "--yes"], ["token", "a"], ["logout", "a"], ["explain", "unknown-key"]),
    *(["validate", "--fix"], ["state", "list"], ["exec", "a", "--", "true"], ["request", "a", "GET", "/"], ["list", "-c", "b"]),
]  # fmt: skip

BRIEFLY = [["validate", "-v"], ["fmt", "--diff"]]


def forms(text: str) -> set[str]:
    found = {text, quote(text, safe=""), json.dumps(text)[1:-1], text.lower()}
    return found | {
        base64.b64encode(b"x" * before + text.encode()).decode()[(0, 2, 3)[before] :].rstrip("=")[:-1]
        for before in range(3)
    }


NEEDED = {form for needle in NEEDLES for form in forms(needle)}


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    return tmp_path / "connections.yaml"


def assert_hidden(manifest: Path, text: str, verbs: list[list[str]], capfd: pytest.CaptureFixture[str]) -> None:
    for argv in verbs:
        manifest.write_text(text, encoding="utf-8")
        main(argv)
        reports = [Path(file) for file in REPORTS.values() if f"={file}" in " ".join(argv)]
        shown = "".join((*capfd.readouterr(), *(one.read_text("utf-8") for one in reports)))
        for one in reports:
            one.unlink()
        assert not [needle for needle in NEEDED if needle in shown], (argv, shown)


@pytest.mark.parametrize("place", PLACES)
def test_a_pasted_secret_is_shown_nowhere(place: str, checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    every = VERBS if list(PLACES).index(place) % 6 == 0 else VERBS[:2]  # they say the same
    for number, secret in enumerate(SECRETS):
        text = PLACES[place].replace("§", secret)
        assert_hidden(checkout, text, BRIEFLY if number else every, capfd)


@pytest.mark.parametrize("place", ALLOWED)
def test_what_a_machine_made_is_not_even_shown_where_any_text_may_stand(
    place: str, checkout: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for secret in (SECRETS[-1], "5f2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d"):
        text = ALLOWED[place].replace("§", secret)
        offline = [argv for argv in VERBS if argv[0] not in {"check", "apply", "request", "exec", "secrets"}]
        formats = [[*verb, *VERBS[0][2:]] for verb in (["list"], ["show", "a"], ["plan"])]
        assert_hidden(checkout, text, [*offline, *formats], capfd)
