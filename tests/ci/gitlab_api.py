"""What of GitLab's REST API the recipe uses: the merge request of a commit, a job's artifact, notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.ci.rest_api import serving

TOKEN = "synthetic-project-token"


@dataclass
class GitLab:
    """What the API knows."""

    merged: dict[str, int] = field(default_factory=dict)
    """The merge request that led to a commit."""
    plans: dict[int, bytes] = field(default_factory=dict)
    """The artifact of a merge request's job."""
    notes: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0

    def answer(self, method: str, url: str, body: dict[str, str]) -> Any:
        """Return the answer to a request; `None` if there is none."""
        parts = urlsplit(url)
        path = unquote(parts.path).removeprefix("/api/v4/projects/5/")
        if found := re.fullmatch(r"repository/commits/(\w+)/merge_requests", path):
            number = self.merged.get(found[1])
            return [{"iid": 1, "state": "closed"}, {"iid": number, "state": "merged"}] if number else []
        if found := re.fullmatch(r"jobs/artifacts/refs/merge-requests/(\d+)/head/raw/plan\.json", path):
            return self.plans.get(int(found[1])) if parse_qs(parts.query)["job"] == ["connform-plan"] else None
        if path == "merge_requests/7/notes" and method == "GET":
            return self.notes
        if path == "merge_requests/7/notes":
            self.notes.append({"id": len(self.notes), **body})
            return self.notes[-1]
        if found := re.fullmatch(r"merge_requests/7/notes/(\d+)", path):
            self.notes[int(found[1])] |= body
            return self.notes[int(found[1])]
        return None


@contextmanager
def running_gitlab() -> Iterator[GitLab]:
    """Serve the API, for who has the token."""
    gitlab = GitLab()

    def answer(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Any:
        form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        return gitlab.answer(method, url, form) if headers["PRIVATE-TOKEN"] == TOKEN else None

    with serving(answer) as gitlab.port:
        yield gitlab
