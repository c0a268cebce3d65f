"""Every documented answer of Connect, and every known complaint of `op`, has its class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connform.secret import SecretReference
from connform.secrets.kit.interface import Fetched
from connform.secrets.onepassword.backend import OP
from tests.secrets.api_server import Request
from tests.secrets.documented_answers import answers, content_of
from tests.secrets.fetching import failure
from tests.secrets.onepassword.stand_ins import Connect, Program

ITEM = {
    "id": "p" * 26,
    "title": "Portal",
    "vault": {"id": "v" * 26},
    "fields": [{"id": "f", "label": "key", "value": "text"}],
    "files": [{"id": "f1", "name": "key.pem", "size": 4}],
}
CALLS = {2: "vaults", 4: "items", 5: "item", 7: "file"}
"""How many parts the path of a call has."""


@pytest.mark.parametrize("row", answers("1Password Connect"))
def test_an_answer_of_connect_has_its_class(connect: Connect, row: Mapping[str, str]) -> None:
    given = connect.server.handle

    def handle(request: Request) -> Any:
        is_asked = CALLS[len(request.path.strip("/").split("/"))] == row["call"]
        return (int(row["status"]), content_of(row["body"])) if is_asked else given(request)

    connect.items, connect.files = [ITEM], {"f1": b"text"}
    connect.server.handle = handle
    opened = OP.open(connect.store)
    (outcome,) = opened.read(
        [SecretReference.parse(f"op://acme/Portal/{'key.pem' if row['call'] == 'file' else 'key'}")]
    )
    opened.close()
    if isinstance(outcome, Fetched):
        assert (row["class"], outcome.secret.reveal()) == ("–", "text")
    else:
        assert outcome.fault.name == row["class"]


@pytest.mark.parametrize("row", answers("The program `op`"))
def test_a_complaint_of_the_program_has_its_class(program: Program, tmp_path: Path, row: Mapping[str, str]) -> None:
    program.answer("otherwise", stderr=f"[ERROR] 2026/03/01 12:00:00 {row['standard error']}\n", status=1)
    error = failure("op", tmp_path, "op://acme/Portal/key")
    assert error.fault.name == row["class"]
    assert row["standard error"][:20] not in f"{error.message}{error.hint}"
