"""Interface to libyaml, PyYAML's C parser: events of a document, extents of its scalars, context of a syntax error.

Layer 1, no IO. Besides `layout.printer`, this is the only module that imports `yaml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, TypeAlias

import yaml
from yaml import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    MarkedYAMLError,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)
from yaml._yaml import CParser

from connform.manifest.text import Mistake, decode, without_surrogates
from connform.manifest.yaml_errors import NotYamlError

__all__ = [
    "AliasEvent",
    "Event",
    "MappingEndEvent",
    "MappingStartEvent",
    "MarkedYAMLError",
    "ScalarEvent",
    "SequenceEndEvent",
    "StreamEndEvent",
    "event_reader",
    "explain_error",
    "scalar_extents",
]

Event: TypeAlias = Any
"""An event of the parser. The type stubs say that its marks may be missing, but the C parser sets each."""
Place: TypeAlias = tuple[int, int]
"""Line and column, 0-based."""
Extent: TypeAlias = tuple[Place, Place]
"""Start and end."""


def event_reader(data: bytes, text: str, name: str) -> Callable[[], Event]:
    """Return the function that returns the next event of a document.

    Args:
        data: the document.
        text: the same, decoded.
        name: the file's name, which each mark then has.
    """
    parsed_text = without_surrogates(text)
    stream = BytesIO(data if parsed_text is text else parsed_text.encode())
    stream.name = name
    get_event: Callable[[], Event] = CParser(stream).get_event
    return get_event if parsed_text is text else _with_surrogates(get_event, text)


def _with_surrogates(get_event: Callable[[], Any], text: str) -> Callable[[], Any]:
    """Return `get_event` for a JSON document; quoted texts have the characters that `without_surrogates` replaced."""
    import json

    def get() -> Any:
        event: Event = get_event()
        kind = type(event)
        if kind is ScalarEvent and event.style == '"':
            start, end = event.start_mark, event.end_mark
            event.value = json.loads(text[start.index : end.index])
        return event

    return get


def scalar_extents(data: bytes) -> Iterator[Extent]:
    """Yield the start and the end of each scalar's text.

    Raises:
        NotYamlError: the text is not YAML, from here on.
    """
    if decode(data)[1]:
        raise NotYamlError
    parser = CParser(data)
    try:
        while parser.check_event():
            event: Event = parser.get_event()
            kind = type(event)
            if kind is ScalarEvent:
                start, end = event.start_mark, event.end_mark
                begin = (start.line + 1, 0) if event.style in ("|", ">") else (start.line, start.column)
                yield begin, (end.line, end.column)
    except yaml.YAMLError:
        raise NotYamlError from None


def explain_error(error: MarkedYAMLError, text: str) -> Mistake:
    """Return what is wrong where the parser stopped with an error."""
    from connform.manifest.syntax import explain  # only mistakes need it
    from connform.manifest.syntax_failure import SyntaxFailure

    problem: Any = error.problem_mark  # the C parser sets it
    context: Any = error.context_mark or problem
    position, context_start = problem.index, context.index
    last_scalar, bracket = _scan_until(text, position)
    return explain(SyntaxFailure(text, error.problem or "", position, context_start, last_scalar, bracket))


def _scan_until(text: str, position: int) -> tuple[tuple[int, int, str], int]:
    """Return the last scalar before an offset, and the offset of the innermost bracket that is open there, or -1."""
    parser = CParser(without_surrogates(text))
    last, brackets = (0, 0, ""), [-1]
    try:
        while parser.check_token():
            token: Any = parser.get_token()
            start, end = token.start_mark.index, token.end_mark.index
            if end > position:
                break
            if isinstance(token, yaml.ScalarToken):
                last = (start, end, token.style if token.style in ("'", '"') else "")
            elif isinstance(token, yaml.FlowMappingStartToken | yaml.FlowSequenceStartToken):
                brackets.append(start)
            elif isinstance(token, yaml.FlowMappingEndToken | yaml.FlowSequenceEndToken) and brackets[1:]:
                brackets.pop()
    except yaml.YAMLError:
        pass  # this is the error that is being explained
    return last, brackets[-1]
