"""The access log: one JSON object for each request, without query, body, header or secret. Layer 4; IO: its file."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from time import monotonic

from connform.http.shown_url import shown_path

_MODE = 0o600


class LoggedRequest:
    """What is known of a request; each attribute is set as soon as it is."""

    __slots__ = ("answer_bytes", "began_at", "code", "connection", "method", "path", "status")

    def __init__(self, method: str) -> None:
        self.began_at = monotonic()
        self.method = method
        self.connection = ""
        """The connection's name, once the random path was right."""
        self.path = ""
        """The path below its base URL, in normal form."""
        self.status = 0
        """Of the answer; 0 where the client went away before there was one."""
        self.answer_bytes = 0
        """Of the answer's body."""
        self.code = ""
        """Why the proxy answered itself."""

    def line(self) -> bytes:
        """Return the line of the log."""
        fields = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "connection": self.connection,
            "method": self.method,
            "path": shown_path(self.path),
            "status": self.status,
            "bytes": self.answer_bytes,
            "ms": round((monotonic() - self.began_at) * 1000, 1),
            **({"error": self.code} if self.code else {}),
        }
        return json.dumps(fields).encode() + b"\n"


class AccessLog:
    """Appends lines to a file, or to standard error."""

    def __init__(self, file: str) -> None:
        """Open it; `-` is standard error. A pipe that nobody reads is an error, and not waited for.

        Raises:
            OSError: it can't be written.
        """
        self._descriptor = (
            2
            if file == "-"
            else os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, _MODE)
        )

    def write(self, entry: LoggedRequest) -> None:
        """Append the line of a request; one that can't be written, as on a full disk, is lost."""
        try:
            os.write(self._descriptor, entry.line())
        except OSError:
            return

    def close(self) -> None:
        """Close the file."""
        if self._descriptor > 2:  # noqa: PLR2004  (the standard streams)
            os.close(self._descriptor)
