"""What of GitHub's REST API the recipes use, for the real `gh`: pull requests of commits, runs, artifacts, comments, issues.

`gh` speaks plain HTTP to the host github.localhost, here through a proxy, which is this server.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.ci.rest_api import serving

BOT = {"login": "github-actions[bot]"}
REPOSITORY = "/repos/acme/connections"


@dataclass
class GitHub:
    """What the API knows."""

    pulls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By commit."""
    runs: dict[str, int] = field(default_factory=dict)
    """By the head of a pull request."""
    artifacts: dict[int, dict[str, Path]] = field(default_factory=dict)
    """By run and name: the folder."""
    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which `gh` speaks to this server."""
        return {
            "GH_HOST": "github.localhost",
            "HTTP_PROXY": f"http://127.0.0.1:{self.port}",
            "GH_NO_UPDATE_NOTIFIER": "1",
        }

    def answer(self, method: str, url: str, body: dict[str, Any]) -> Any:
        """Return the answer to a request; `None` if there is none."""
        parts = urlsplit(url)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix(REPOSITORY)
        routes: dict[str, Callable[..., Any]] = {
            r"/commits/(\w+)/pulls": lambda commit: self.pulls.get(commit, []),
            r"/actions/workflows/connform-pull-request\.yml/runs": lambda: self._runs(**query),
            r"/actions/runs/(\d+)/artifacts": self._artifacts,
            r"/zip/(\d+)/([\w-]+)": lambda run, name: _zipped(self.artifacts[int(run)][name]),
            r"/issues/7/comments": lambda: self._listed(self.comments, "id", method, query, body),
            r"/issues": lambda: self._listed(self.issues, "number", method, query, body),
            r"/issues/comments/(\d+)": lambda number: _changed(self.comments, number, body),
            r"/issues/(\d+)": lambda number: _changed(self.issues, number, body),
        }
        for pattern, answer in routes.items():
            if found := re.fullmatch(pattern, path):
                return answer(*found.groups())
        return None

    def _runs(self, event: str, head_sha: str) -> Any:
        number = self.runs.get(head_sha) if event == "pull_request" else None
        return {"workflow_runs": [{"id": number}] if number else []}

    def _artifacts(self, run: str) -> Any:
        names = self.artifacts.get(int(run), {})
        address = f"http://api.github.localhost{REPOSITORY}/zip/{run}"
        listed = [{"name": name, "size_in_bytes": 1, "archive_download_url": f"{address}/{name}"} for name in names]
        return {"total_count": len(listed), "artifacts": listed}

    def _listed(
        self, kept: list[dict[str, Any]], key: str, method: str, query: Mapping[str, str], body: dict[str, Any]
    ) -> Any:
        if method == "GET":
            return [one for one in kept if one.get("state", "") == query.get("state", "")]
        state = {"state": "open"} if kept is self.issues else {}
        kept.append({key: len(kept) + 1, "user": BOT, **state, **body})
        return kept[-1]


def _changed(kept: list[dict[str, Any]], number: str, body: dict[str, Any]) -> Any:
    kept[int(number) - 1] |= body
    return kept[int(number) - 1]


def _zipped(folder: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    return content.getvalue()


@contextmanager
def running_github() -> Iterator[GitHub]:
    """Serve the API."""
    github = GitHub()
    with serving(lambda method, url, body, _: github.answer(method, url, json.loads(body or b"{}"))) as github.port:
        yield github
