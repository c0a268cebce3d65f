"""Second places: what is said of each, where it stands."""

from __future__ import annotations

import pytest

from connform.engine.load.manifest import examine
from connform.manifest.files import Source

AUTH = "auth: {method: api_key, api_key: env://KEY}"
CASES = {
    "a key that stands twice": (
        f"version: 1\nconnections:\n  a: {{environment: sandbox, region: us, region: eu, {AUTH}}}\n",
        [
            "3:29 first defined here: `  a: {environment: sandbox, region: us, region: eu, auth: {method: api_key, api_key: env://KEY}}`"
        ],
    ),
    "a value of a template": (
        f"version: 1\ntemplates:\n  ca: {{region: ca}}\nconnections:\n  a:\n    extends: ca\n    environment: sandbox\n    {AUTH}\n",
        [
            "5:3 inherited from template ca by connection a: `  a:`",
            "7:5 `environment` stands here: `    environment: sandbox`",
        ],
    ),
    "a value that defaults decide on": (
        f"version: 1\ndefaults: {{environment: private, instance: a}}\nconnections:\n  a: {{region: us, {AUTH}}}\n",
        ["2:12 `environment` stands here, in defaults: `defaults: {environment: private, instance: a}`"],
    ),
    "two addresses": (
        f"version: 1\ntemplates:\n  own: {{instance: a}}\nconnections:\n  a:\n    extends: own\n    environment: private\n    base_url: https://a.example\n    {AUTH}\n",
        ["3:9 `instance` stands here, in template own: `  own: {instance: a}`"],
    ),
    "a store of another environment": (
        "version: 1\nstores:\n  live: {type: file, path: /run/x, environment: production}\nconnections:\n  a:\n    environment: sandbox\n    region: us\n    auth: {method: api_key, api_key: live://KEY}\n",
        [
            "3:36 the store is bound to production here: `  live: {type: file, path: /run/x, environment: production}`",
            "6:5 `environment` stands here: `    environment: sandbox`",
        ],
    ),
    "an item that stands twice": (
        f"version: 1\nconnections:\n  a:\n    environment: sandbox\n    region: us\n    tags: [b, c, b]\n    {AUTH}\n",
        ["6:12 first stands here: `    tags: [b, c, b]`"],
    ),
    "keys on the wrong level": (
        f"version: 1\nconnections:\n  a:\n  environment: sandbox\n  region: us\n  {AUTH}\n",
        ["3:3 belongs below `a:`: `  a:`"],
    ),
    "a circle": (
        f"version: 1\ntemplates:\n  a: {{extends: b}}\n  b: {{extends: a}}\nconnections:\n  x:\n    extends: a\n    {AUTH}\n",
        ["4:16 template b extends a here: `  b: {extends: a}`"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_second_place_says_what_stands_there(case: str) -> None:
    text, expected = CASES[case]
    found = examine([Source("x.yaml", text.encode(), "")])[1].diagnostics
    said = [
        f"{other.span.line}:{other.span.column} {other.message}: `{other.snippet.text if other.snippet else None}`"
        for one in found
        for other in one.related
    ]
    assert said == expected
