"""Stand-ins of 1Password: a Connect server and a program `op` that imitate the documented ones. There was no real 1Password."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from connform.secret import Secret
from connform.secrets.kit.interface import StoreConfig
from tests.canary import API_KEY
from tests.end_to_end.conftest import Issuer
from tests.secrets.api_server import ApiServer, Request

TOKEN = API_KEY
MAX_INLINE_BYTES = 100_000
VAULTS = {"acme": "v" * 26, "closed": "c" * 26}


class Connect:
    """Vaults and items by `filter` and by id, and files, as the specification of Connect's API (version 1) describes them.

    Its filter ignores upper and lower case, unless a test replaces `handle_titles`; the specification doesn't say whether it does.
    """

    def __init__(self, issuer: Issuer, ca_file: Path) -> None:
        self.items: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.handle_titles: Callable[[str, str], bool] = str.__eq__
        self.vaults = [{"id": id_, "name": name} for name, id_ in VAULTS.items()]
        self.server = ApiServer(self.handle, issuer.loopback())
        settings = {"address": self.server.address, "ca_file": str(ca_file), "token": "env://TOKEN"}
        self.store = StoreConfig(ca_file.parent, settings, {"token": Secret(TOKEN)})

    def put(self, title: str, fields: Mapping[str, str]) -> None:
        old = [item for item in self.items if item["title"] == title]
        self.items = [item for item in self.items if item["title"] != title]
        self.items.append(
            {
                "id": title.ljust(26, "x"),
                "title": title,
                "version": old[0]["version"] + 1 if old else 1,
                "updatedAt": "2026-03-01T12:00:00Z",
                "sections": [{"id": "s1", "label": "login"}],
                "fields": [
                    {"id": f"f{index}", "label": label, "value": value, "section": {"id": "s1"}}
                    for index, (label, value) in enumerate(fields.items())
                ],
            }
        )

    def handle(self, request: Request) -> tuple[int, Any]:
        _, *parts = request.path.strip("/").split("/")
        if request.authorization != f"Bearer {TOKEN}":
            return 401, {"status": 401, "message": API_KEY}
        wanted = request.query.get("filter", "").partition(' eq "')[2].rstrip('"').casefold()
        if parts == ["vaults"]:
            return 200, [one for one in self.vaults if one["name"].casefold() == wanted]
        if parts[1] == VAULTS["closed"]:
            return 403, {"status": 403, "message": API_KEY}
        return self._items(wanted) if len(parts) == 3 else self._item(parts, request)

    def _items(self, wanted: str) -> tuple[int, Any]:
        hidden = ("fields", "files", "sections")
        summaries = [{key: value for key, value in item.items() if key not in hidden} for item in self.items]
        return 200, [one for one in summaries if self.handle_titles(one["title"].casefold(), wanted)]

    def _item(self, parts: Sequence[str], request: Request) -> tuple[int, Any]:
        found = [item for item in self.items if item["id"] == parts[3]]
        missing = 404, {"status": 404, "message": API_KEY}
        if len(parts) == 4:
            return (200, found[0]) if found else missing
        return self._file(parts[5]) if parts[5] in self.files and request.query == {"inline_files": "true"} else missing

    def _file(self, id_: str) -> tuple[int, Any]:
        content = self.files[id_]
        if len(content) > MAX_INLINE_BYTES:
            return 413, {"status": 413, "message": API_KEY}
        return 200, {"id": id_, "size": len(content), "content": base64.b64encode(content).decode()}


_PROGRAM = """#!{python}
import json, os, sys
answers = json.load(open({answers!r}))
with open({calls!r}, "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
answer = answers.get(" ".join(sys.argv[1:])) or answers["otherwise"]
sys.stdout.write(answer.get("stdout", ""))
sys.stderr.write(answer.get("stderr", ""))
sys.exit(answer.get("status", 0))
"""


class Program:
    """An executable `op` that gives prepared answers."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self._answers: dict[str, Mapping[str, Any]] = {"otherwise": {"stderr": "not prepared", "status": 99}}
        self._file, self._calls = folder / "answers.json", folder / "calls.jsonl"
        script = _PROGRAM.format(python=sys.executable, answers=str(self._file), calls=str(self._calls))
        (folder / "op").write_text(script)
        (folder / "op").chmod(0o755)

    def answer(self, arguments: str, **answer: Any) -> None:
        """Prepare what it prints, and its exit status; `otherwise` is for all other arguments."""
        self._answers[arguments] = answer
        self._file.write_text(json.dumps(self._answers))

    def put(self, vault: str, name: str, item: Mapping[str, Any]) -> None:
        """Prepare an item, as `op item get --format json` prints it."""
        self.answer(f"item get {name} --vault {vault} --format json --reveal", stdout=json.dumps(item))

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call."""
        return [json.loads(line) for line in self._calls.read_text().splitlines()]
