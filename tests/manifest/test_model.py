"""The typed model of a connection: what a copy of it has."""

from __future__ import annotations

from copy import copy
from pathlib import Path

from connform.engine.load.manifest import read_manifest

MANIFEST = """\
version: 1
connections:
  a: {environment: sandbox, region: us, auth: {method: api_key, api_key: env://KEY}, tags: [batch, eu]}
  b: {environment: sandbox, region: us, auth: {method: api_key, api_key: env://KEY}, tags: [batch, eu]}
"""


def test_a_copy_has_every_value_and_nothing_that_was_decoded(tmp_path: Path) -> None:
    file = tmp_path / "connections.yaml"
    file.write_text(MANIFEST)
    manifest, _ = read_manifest([str(file)])
    assert manifest is not None
    first, second = manifest.values()
    declared = {**vars(first)}
    assert [str(one) for one in first.references.values()] == ["env://KEY"]  # decodes it
    assert vars(first).keys() > declared.keys()
    assert vars(copy(first)) == declared
    assert first.tags == ("batch", "eu")
    assert first.tags is second.tags  # one object for thousands
