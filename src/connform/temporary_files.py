"""Whether temporary files can be written: not on a read-only root without `/tmp`. Layer 0; looks for a folder."""

from __future__ import annotations

from connform.errors import ConnformError


def require_temporary_folder() -> None:
    """Demand a folder for temporary files.

    Raises:
        ConnformError: none can be written.
    """
    import tempfile

    try:
        tempfile.gettempdir()
    except FileNotFoundError as error:
        message = "no folder for temporary files can be written: name one in TMPDIR, or mount one at /tmp"
        raise ConnformError(message) from error
