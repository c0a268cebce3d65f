"""A reader of small regular files that hold secrets; its failures are `SecretUnresolved`.

Layer 2; reads files. It never waits: pipes and devices are refused.
"""

from __future__ import annotations

import os
from pathlib import Path

from connform.errors import SecretUnresolved
from connform.manifest.shape import Schema
from connform.regular_files import NotRegularError, TooLargeError, read_regular

PATH_SCHEMA: Schema = {
    "type": "string",
    "pattern": r"^[^\x00-\x1f\x7f]+(?!\n)$",
    "x-compare": "path",
    "errorMessage": "a path is not empty and holds no control characters",
}
"""The JSON Schema of a store's key that names a file or a folder."""
MAX_FILE_BYTES = 1024 * 1024
"""A larger file is refused."""


def read_file(path: Path) -> bytes:
    """Return the content of a regular file of at most `MAX_FILE_BYTES`.

    Raises:
        SecretUnresolved: `secret_not_found`, `secret_denied`, `secret_malformed` or `secret_backend_unavailable`.
    """
    if is_in_proc(os.path.realpath(path)):
        message = f"{path} lies in /proc, which shows what this run itself holds"
        raise SecretUnresolved("secret_denied", message, "name the file into which the secret was put")
    try:
        return read_regular(path, MAX_FILE_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        raise SecretUnresolved("secret_not_found", f"there is no file {path}") from None
    except PermissionError:
        message = f"this user may not read {path}"
        raise SecretUnresolved("secret_denied", message) from None
    except NotRegularError:
        message = f"{path} is not a regular file"
        raise SecretUnresolved("secret_malformed", message, "name a file, not a folder") from None
    except TooLargeError:
        message = f"{path} is larger than 1 MiB"
        raise SecretUnresolved("secret_malformed", message, "name the file that holds the secret alone") from None
    except OSError as error:
        message = f"{path} can't be read: {error.strerror}"
        raise SecretUnresolved("secret_backend_unavailable", message) from None


def is_in_proc(path: str) -> bool:
    """Whether a path, as written, lies in /proc, where Linux shows environments, arguments and open files of processes."""
    return f"/{os.path.normpath(path).lstrip('/')}/".startswith("/proc/") and path.startswith("/")
