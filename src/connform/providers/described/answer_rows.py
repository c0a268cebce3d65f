"""The judgement of an answer by the rows of a definition: the first that fits says what the answer means.

Layer 2, no IO.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from connform.auth.described.definition import NO_VALUES, frozen
from connform.json_pointer import at_pointer
from connform.lazy_property import lazy_property
from connform.manifest.pattern import Meter, Pattern
from connform.providers.answers import judge_status, with_wait
from connform.providers.bodies import PAGE, has_text, is_page
from connform.providers.body_schema import compile_body
from connform.providers.described.definition import Definition
from connform.providers.interface import Answer, Judgement

_MAX_CODE_LENGTH = 64
_OWN = "/"
"""What the names of declared providers have."""
_NO_ROW = "correct the address; if this API answers so, add a row to `answers` of its provider"


class ErrorCode(NamedTuple):
    """Where an error's code stands in a body."""

    at: str
    """A JSON Pointer (RFC 6901)."""
    pattern: str
    """A regular expression that fits the whole code; any other text is none."""


class AnswerRow(NamedTuple):
    """What an answer to the check means. A condition that isn't given fits every answer."""

    means: str
    """`ready`, or a key of `connform.faults.FAULTS`."""
    status: tuple[int, ...]
    """The statuses that it fits."""
    code: str = ""
    """A regular expression that fits the whole error code."""
    header: Mapping[str, str] = NO_VALUES
    """Header → a text that it contains."""
    body: Mapping[str, Any] | None = None
    """A JSON Schema of the body (`body_schema.py`)."""
    empty: bool = False
    """Whether the body must be empty."""
    text: str = ""
    """The whole body, without the white space around it."""
    own_root: bool = False
    """Whether the connection must give the root itself."""
    hint: str = ""
    """What to do; empty for the fault's own hint."""


class AnswerRows:
    """The rows of one definition, compiled."""

    def __init__(
        self,
        definition: Definition,
        compile_code: Callable[[str], Pattern] | None = None,
        meter: Meter | None = None,
    ) -> None:
        """Take a definition.

        Args:
            definition: the definition.
            compile_code: makes a pattern of whole codes; by default without a limit of steps, because codes are short.
            meter: counts the steps of the patterns of bodies; by default those of each body by itself.
        """
        self._definition = definition
        self._compile_code = compile_code or _whole
        self._meter = meter

    @lazy_property
    def _rows(self) -> list[tuple[AnswerRow, Callable[[str], bool]]]:
        rows = [AnswerRow(**frozen(row)) for row in self._definition.answers]
        return [(row, self._fits(row.code)) for row in rows]

    @lazy_property
    def _bodies(self) -> dict[int, Callable[[Any, Meter | None], bool]]:
        """What says whether a value matches the body of a row, by the row's identity; compiled when the row is first compared."""
        return {}

    @lazy_property
    def _error_code(self) -> ErrorCode | None:
        code = self._definition.error_code
        return ErrorCode(**code) if code else None

    @property
    def ready(self) -> AnswerRow:
        """The first row for ready answers."""
        return next(row for row, _ in self._rows if row.means == "ready")

    @lazy_property
    def _is_code(self) -> Callable[[str], bool]:
        return self._fits(self._error_code.pattern if self._error_code else "")

    def _fits(self, pattern: str) -> Callable[[str], bool]:
        return self._compile_code(pattern).search if pattern else lambda _: False

    def judge(self, settings: Mapping[str, Any], answer: Answer) -> Judgement:
        """Return the judgement of an answer to the check of a connection with these effective values."""
        code = self._code(answer)
        for row, fits_code in self._rows:
            if (
                answer.status in row.status
                and (not row.code or (code and fits_code(code)))
                and (not row.own_root or "base_url" in settings)
                and all(text in answer.headers.get(name.lower(), "") for name, text in row.header.items())
                and self._fits_body(row, answer)
            ):
                return self._judgement(row, answer, code)
        return self._without_row(answer, code)

    def _fits_body(self, row: AnswerRow, answer: Answer) -> bool:
        return (
            not (row.means == "ready" and is_page(answer))
            and (not row.empty or answer.body == b"")
            and (not row.text or has_text(answer, row.text))
            and (row.body is None or (answer.is_json and self._matches(row, answer.json)))
        )

    def _matches(self, row: AnswerRow, content: Any) -> bool:
        if (fits := self._bodies.get(id(row))) is None:
            fits = self._bodies[id(row)] = compile_body(row.body or {})
        return fits(content, self._meter)

    def _judgement(self, row: AnswerRow, answer: Answer, code: str) -> Judgement:
        if row.means == "ready":
            return Judgement()
        if row.means == "rate_limited":
            return with_wait(row.means, answer)._replace(hint=row.hint)
        message = f"the API answered {answer.status} {code}".rstrip()
        if row.means == "denied_by_intermediary":
            message = f"the server answered {answer.status} without the API's own error body"
        return Judgement(row.means, message, row.hint)

    def _without_row(self, answer: Answer, code: str) -> Judgement:
        title, expected = self._definition.title, self._definition.check_answer or "the check"
        if is_page(answer):
            message = f"the server answered {answer.status} with a page ({PAGE}), not with {expected}"
        elif any(row.means == "ready" and answer.status in row.status for row, _ in self._rows):
            found = f"JSON, but not {expected}" if answer.is_json else "no JSON"
            message = f"the server answered {answer.status} with {found} that {title} would send"
        else:
            message = (
                f"the server answered {f'{answer.status} {code}'.rstrip()}, which {title} never does for {expected}"
            )
        hint = _NO_ROW if _OWN in self._definition.name else ""
        return judge_status(answer) or Judgement("http_not_this_api", message, hint)

    def _code(self, answer: Answer) -> str:
        """Return the error code of a body; nothing else of a body is ever shown."""
        definition = self._error_code
        if definition is None or not answer.is_json:
            return ""
        code = at_pointer(answer.json, definition.at)
        if isinstance(code, int) and not isinstance(code, bool):
            code = str(code)
        return code if isinstance(code, str) and len(code) <= _MAX_CODE_LENGTH and self._is_code(code) else ""


def _whole(pattern: str) -> Pattern:
    return Pattern(rf"^(?:{pattern})\Z", Meter(float("inf")))
