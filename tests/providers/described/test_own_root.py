"""A connection to an environment with `own_root: only` gives the root, and none of the settings of other environments."""

from __future__ import annotations

import pytest

from connform.engine.load.manifest import examine
from connform.manifest.files import Source

ENTRY = """\
version: 1
providers:
  acme/crm:
    title: Acme CRM
    environments: {own: {own_root: only}, cloud: {}}
    settings: {tenant: {pattern: "[a-z]+"}}
    root: https://{tenant}.acme.example/v1
    auth: {key: {secrets: {key: {}}, headers: {X-Api-Key: "{key}"}}}
    check: {method: GET, path: /me}
    answers: [{status: [200], means: ready, body: {type: object, required: [id]}}]
    sources: [{url: https://docs.acme.example/api, read: 2026-11-29}]
connections:
  a: {provider: acme/crm, environment: own, auth: {method: key, key: "env://A_KEY"}, REST}
"""


@pytest.mark.parametrize(
    ("rest", "codes"),
    [
        ("base_url: https://crm.example", []),
        ("owner: ops", ["missing-key"]),
        ("base_url: https://crm.example, tenant: zoo", ["unknown-key"]),
    ],
    ids=["a root", "nothing", "a root and a setting"],
)
def test_what_a_connection_gives(rest: str, codes: list[str]) -> None:
    text = ENTRY.replace("REST", rest)
    assert [one.code for one in examine([Source("m.yaml", text.encode(), "/manifests")])[1].diagnostics] == codes
