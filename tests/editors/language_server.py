"""Speaks the Language Server Protocol with yaml-language-server, as an editor does, over standard input and output."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections import defaultdict
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import Any, Self

import pytest

from tests.conftest import require_peer

PATIENCE_S = 30.0
SETTINGS = {
    "yaml": {
        "validate": True,
        "completion": True,
        "hover": True,
        "schemaStore": {"enable": False},  # nothing is fetched
        "kubernetesCRDStore": {"enable": False},
    }
}


class LanguageServer:
    """A running yaml-language-server; a context manager."""

    def __init__(self) -> None:
        require_peer("node")
        program = require_peer("yaml-language-server")
        self._process = subprocess.Popen(
            [program, "--stdio"],
            env={"PATH": os.environ.get("PATH", os.defpath)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._answers: Queue[Any] = Queue()
        self._diagnostics: defaultdict[str, Queue[list[Any]]] = defaultdict(Queue)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._last_id = 0

    def __enter__(self) -> Self:
        self._reader.start()
        snippets = {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}}
        capabilities = {
            "workspace": {"configuration": True},
            "textDocument": {"completion": snippets, "hover": {"contentFormat": ["markdown"]}},
        }
        self._ask("initialize", {"processId": None, "rootUri": None, "capabilities": capabilities})
        self._say("initialized", {})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process:
            self._ask("shutdown", None)
            self._say("exit", None)
            self._reader.join(PATIENCE_S)

    def open(self, file: Path) -> list[dict[str, Any]]:
        """Open a document and return its diagnostics."""
        document = {"uri": file.as_uri(), "languageId": "yaml", "version": 1, "text": file.read_text("utf-8")}
        self._say("textDocument/didOpen", {"textDocument": document})
        return self._diagnostics[file.as_uri()].get(timeout=PATIENCE_S)

    def complete(self, file: Path, line: int, column: int) -> dict[str, dict[str, Any]]:
        """Return what is offered at a 1-based place of an open document, by label."""
        found = self._ask("textDocument/completion", _place(file, line, column))
        return {item["label"]: item for item in found["items"]}

    def hover(self, file: Path, line: int, column: int) -> str:
        """Return what is shown at a 1-based place of an open document."""
        found = self._ask("textDocument/hover", _place(file, line, column))
        return str(found["contents"]["value"]) if found else ""

    def _ask(self, method: str, params: Any) -> Any:
        self._last_id += 1
        self._write({"id": self._last_id, "method": method, "params": params})
        try:
            return self._answers.get(timeout=PATIENCE_S)
        except Empty:
            pytest.fail(f"yaml-language-server gave no answer to {method}")

    def _say(self, method: str, params: Any) -> None:
        self._write({"method": method, "params": params})

    def _write(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while header := stream.readline():
            length = int(header.removeprefix(b"Content-Length: "))
            stream.readline()
            message = json.loads(stream.read(length))
            match message:
                case {"method": "textDocument/publishDiagnostics", "params": params}:
                    self._diagnostics[params["uri"]].put(params["diagnostics"])
                case {"method": "workspace/configuration", "id": number, "params": {"items": items}}:
                    self._write({"id": number, "result": [SETTINGS.get(item["section"]) for item in items]})
                case {"method": _, "id": number}:
                    self._write({"id": number, "result": None})
                case {"id": _}:
                    self._answers.put(message.get("result"))


def _place(file: Path, line: int, column: int) -> dict[str, Any]:
    return {"textDocument": {"uri": file.as_uri()}, "position": {"line": line - 1, "character": column - 1}}
