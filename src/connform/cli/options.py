"""`Options`: the values of the shared flags; those that a verb doesn't take have their default. Layer 5, no IO."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from connform.engine.load.selection import Selection


class Options(NamedTuple):
    """The values of the shared flags."""

    files: tuple[str, ...] = ()
    """Manifests, folders, or `-`; empty for the default search."""
    connections: tuple[str, ...] = ()
    """Globs of names; empty for all."""
    exclude: tuple[str, ...] = ()
    """Globs of names left out."""
    tags: tuple[str, ...] = ()
    """Tags; a connection with any of them is selected. Empty for all."""
    changed_since: str = ""
    """A commit, branch or tag: only connections that differ from it are selected. Empty for all."""
    allow_empty: bool = False
    """Whether names and tags may match nothing, and the selection may be empty."""
    policies: tuple[str, ...] = ()
    """Policy files and folders that judge every connection."""
    formats: tuple[tuple[str, str], ...] = ()
    """Format and file; an empty file is standard output or `output`."""
    output: str = ""
    """The file to write instead of standard output, or empty."""
    color: str = "auto"
    """When to use colours: auto, always or never."""
    no_color: bool = False
    """Whether colours are forbidden."""
    no_input: bool = False
    """Whether questions are forbidden."""
    quiet: bool = False
    """Whether only errors and failures are shown."""
    verbose: int = 0
    """How many times `-v` was given."""
    debug: bool = False
    """Whether requests, renewals and reads of secrets are printed as they happen."""
    debug_plugins: bool = False
    """Whether exceptions in plug-ins are printed with their messages and tracebacks."""

    @property
    def verbosity(self) -> int:
        """-1 for quiet, else how many times `-v` was given."""
        return -1 if self.quiet else self.verbose

    @property
    def format(self) -> str:
        """The format of standard output: the last that names no file."""
        return next((name for name, file in reversed(self.formats) if not file), "text")

    @property
    def selection(self) -> "Selection":
        """The flags that select connections."""
        from connform.engine.load.selection import Selection

        return Selection(self.connections, self.exclude, self.tags, self.changed_since, self.allow_empty)
