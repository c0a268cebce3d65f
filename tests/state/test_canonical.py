"""The canonical form of a specification, which digests in recorded states depend on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connform.engine.changes import canonical

VALUES: tuple[Any, ...] = (
    {},
    {"b": [1, 2.5, 1e16, -0.0, True, None], "a": {"é": "“\x00\x7f\ud800", "": []}},
    {"settings": {"tags": ["b", "a"], "auth": {"api_key": "env://KEY"}}, "base_url": "https://api.acme.example"},
    [["one", "create", "", "sha256:0"]],
    "text",
)


@pytest.mark.parametrize("has_c", [True, False])
@pytest.mark.parametrize("value", VALUES, ids=str)
def test_the_canonical_form_is_json_with_sorted_keys(
    value: Any, *, has_c: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_c:
        monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    expected = json.dumps(value, sort_keys=True, separators=(",", ":"))
    assert canonical._encoder()(value) == expected
