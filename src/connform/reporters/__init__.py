"""The table of report formats, and the protocol of a format's module. Layer 4, no IO.

A new format is one module with `render` and one line here. Third parties add formats by the entry-point group
`connform.formats`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from connform.registry import FORMATS_GROUP, LazyTable, PluginKind, find, names

if TYPE_CHECKING:
    from connform.reporters.view import View


class Reporter(Protocol):
    """A format: a module, or an object, with this function.

    It may also have `syntax`: `json` or `xml` if control characters must be escaped as that syntax does; and
    `uses_repository_paths`: whether it names a file by its path in the repository; and `render_on_terminal`, a function with
    the further argument `now`, an aware `datetime`: it is called in place of `render` where a person reads the output;
    and `render_at`, a function of the view and of `now`: it is called in place of `render`, for an output that says when it was made.
    `lists_unchanged = False` says that it doesn't list the connections of a plan with nothing to do, which its view then lacks;
    `is_brief = True` says that it gets the changes of a plan from the key `changes` of its view, each once, if no other format
    was asked for; `connections` lacks theirs then;
    `has_messages = False` says that it holds figures alone: where a run fails, the reasons go to standard error.
    """

    def render(self, view: View, *, color: bool, width: int, verbosity: int) -> str:
        """Return the whole output, which ends with a newline unless it is empty.

        Args:
            view: A report, as `view.build` returns it.
            color: Whether ANSI colours may be used; formats for machines ignore the last three arguments.
            width: Columns of the terminal.
            verbosity: -1 for errors and failures only, 0, 1 and more for more facts.
        """


_MODULES = ("text", "concise", "json", "jsonl", "github", "gitlab", "sarif", "junit", "markdown", "html", "openmetrics")

FORMATS: Mapping[str, Reporter] = LazyTable(
    _MODULES, lambda name: cast("Reporter", import_module(f"{__name__}.{name}"))
)
"""By the name on the command line; only the module of a requested format is imported."""
FORMAT_PLUGINS = PluginKind(FORMATS_GROUP, Reporter, {"render": str})
"""Third-party formats."""


def reporter(name: str) -> Reporter:
    """Return the reporter of a format.

    Raises:
        LookupError: there is no such format.
        ConnformError: a plug-in can't be loaded.
    """
    found = find(name, FORMATS, FORMAT_PLUGINS)
    if found is None:
        raise LookupError(name)
    return found


def format_names() -> list[str]:
    """Return the names of all formats, built-in and of plug-ins."""
    return [*FORMATS, *(name for name in names(FORMATS, FORMATS_GROUP) if name not in FORMATS)]


def syntax_of(reporter: Reporter) -> str:
    """Return the syntax of a format: `text`, `json`, `xml`, or `commands` for GitHub's annotations."""
    return getattr(reporter, "syntax", "text")


def renderer_on_terminal(reporter: Reporter) -> Callable[..., str] | None:
    """Return the function of a format that renders for a person at a terminal; `None` if `render` is for all outputs."""
    return getattr(reporter, "render_on_terminal", None)


def dated_renderer(reporter: Reporter) -> Callable[..., str] | None:
    """Return the function of a format whose output says when it was made; `None` for all others."""
    return getattr(reporter, "render_at", None)


def has_messages(reporter: Reporter) -> bool:
    """Whether a format says what is wrong and what to do; one of figures alone doesn't."""
    return getattr(reporter, "has_messages", True)


def lists_unchanged(reporter: Reporter) -> bool:
    """Whether a format lists the connections of a plan for which there is nothing to do."""
    return getattr(reporter, "lists_unchanged", True)


def is_brief(reporter: Reporter) -> bool:
    """Whether a format shows each change of a plan once, and needs no views of its connections."""
    return getattr(reporter, "is_brief", False)


def uses_repository_paths(reporter: Reporter) -> bool:
    """Whether a format names a file by its path in the repository."""
    return getattr(reporter, "uses_repository_paths", False)
