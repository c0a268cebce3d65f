"""Regular expressions without backtracking: a search's work is at most the pattern's length times the text's.

Layer 1, no IO. Python's `re` backtracks: with a pattern such as `(a+)+$` its time grows exponentially. Here, all states
are followed at once, character by character (Thompson's construction). Python's own parser reads the pattern, which
means the same as for `re.search`. Back-references, atomic groups and look-behind are not supported, and are refused.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]  # the parser has no public name; the stubs have none at all
from string import ascii_letters, digits, punctuation
from typing import Any, Self

from connform.lazy_property import lazy_property

MAX_STATES = 5_000
"""The limit of a pattern's states, with each repetition written out."""
MAX_STEPS = 2_000_000
"""The limit of states that are visited in all searches of a run; they take two seconds."""

_MATCH = 0
_PRINTABLE = f"{ascii_letters}{digits}{punctuation} "


class UnusablePatternError(Exception):
    """The pattern can't be applied; the message says why."""


class TooManyStepsError(Exception):
    """The patterns take too long."""


class Meter:
    """Counts the steps of searches."""

    def __init__(self, limit: float | None = None) -> None:
        """Allow so many steps; `None` for `MAX_STEPS`."""
        self._left = MAX_STEPS if limit is None else limit

    @property
    def is_spent(self) -> bool:
        """Whether there were too many."""
        return self._left < 0

    def step(self) -> None:
        """Count one step.

        Raises:
            TooManyStepsError: there are too many.
        """
        self._left -= 1
        if self._left < 0:
            raise TooManyStepsError


class Pattern(str):
    """A regular expression with a search that doesn't backtrack."""

    __slots__ = ("_search", "size")

    size: int
    """How many states it has, with each repetition written out."""
    _search: Callable[[str], object]

    def __new__(cls, text: str, meter: Meter) -> Self:
        """Return the pattern; the meter counts the steps of its searches.

        Raises:
            UnusablePatternError: the text is no pattern, too large, or has parts that aren't supported.
        """
        pattern = super().__new__(cls, text)
        try:
            parsed = _parser.parse(text)
            search: Callable[[str], object] = re.compile(text).search
        except re.error as error:
            raise UnusablePatternError(f"not a regular expression: {error.msg}") from None
        except (OverflowError, RecursionError):
            raise UnusablePatternError("too large a pattern") from None
        program = _Program(parsed.state)
        start = program.sequence(parsed.data, parsed.state.flags, _MATCH)
        pattern.size = len(program.states)
        pattern._search = search if _is_fast_in_re(parsed) else partial(_search_states, program.states, start, meter)
        return pattern

    def search(self, text: str) -> bool:
        """Whether the pattern matches anywhere in a text.

        Raises:
            TooManyStepsError: all searches together take too long.
        """
        return bool(self._search(text))


def example(text: str) -> str:
    """Return a short, printable text that a usable pattern matches; empty where none is found, and with look-ahead maybe a wrong one."""
    parsed = _parser.parse(text)
    program = _Program(parsed.state)
    waiting = deque([(program.sequence(parsed.data, parsed.state.flags, _MATCH), "")])
    seen = set()
    while waiting:
        number, written = waiting.popleft()
        if number in seen:
            continue
        seen.add(number)
        match program.states[number]:
            case ("match",):
                return written
            case ("character", test, following):
                waiting += [(following, written + one) for one in filter(test.accepts, _PRINTABLE)][:1]
            case ("split", ways):
                waiting += [(way, written) for way in ways]
            case ("place", _, following) | ("ahead", _, _, following):
                waiting.append((following, written))
    return ""


def _search_states(states: list[tuple[Any, ...]], start: int, meter: Meter, text: str) -> bool:
    return _Search(states, text, meter).finds(start, 0, anywhere=True)


def _is_fast_in_re(parsed: Any) -> bool:
    """Whether `re` can be used, because it backtracks over one choice at most: most patterns are like this."""
    parts = parsed.data
    choices = [part for part in _flat(parts) if part[0] not in _CHARACTERS and part[0] is not _constants.AT]
    if not choices:
        return True
    kind, value = choices[0]
    if len(choices) > 1 or kind not in {_constants.MAX_REPEAT, _constants.BRANCH}:
        return False
    if kind is _constants.BRANCH:
        return all(part[0] in _CHARACTERS for branch in value[1] for part in branch)
    starts_at_the_start = parts[0] == (_constants.AT, _constants.AT_BEGINNING) and not parsed.state.flags & re.MULTILINE
    return starts_at_the_start and len(value[2]) == 1 and value[2][0][0] in _CHARACTERS


def _flat(parts: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the parts of a pattern; a plain group is replaced by its parts."""
    for kind, value in parts:
        if kind is _constants.SUBPATTERN and not value[1]:
            yield from _flat(value[3])
        else:
            yield kind, value


class _Test:
    """Whether a character or a position matches one part of the pattern; the result is that of `re`."""

    def __init__(self, part: tuple[Any, Any], state: Any, flags: int) -> None:
        self._part = _parser.SubPattern(state, [part])
        self._flags = flags
        self._known: dict[str, bool] = {}

    @lazy_property
    def _match(self) -> Any:
        return _compiler.compile(self._part, self._flags).match

    def accepts(self, character: str) -> bool:
        if character not in self._known:
            self._known[character] = self._match(character) is not None
        return self._known[character]

    def holds(self, text: str, position: int) -> bool:
        return self._match(text, position) is not None


class _Program:
    """The states of a pattern; each is added after its following state."""

    def __init__(self, state: Any) -> None:
        self._state = state
        self.states: list[tuple[Any, ...]] = [("match",)]

    def _add(self, *state: Any) -> int:
        if len(self.states) == MAX_STATES:
            message = f"too large a pattern: with each repetition written out it has more than {MAX_STATES} parts"
            raise UnusablePatternError(message)
        self.states.append(state)
        return len(self.states) - 1

    def sequence(self, parts: Any, flags: int, following: int) -> int:
        """Return the state at which a sequence of parts begins."""
        for part in reversed(list(parts)):
            following = self._part(part, flags, following)
        return following

    def _part(self, part: tuple[Any, Any], flags: int, following: int) -> int:
        kind, value = part
        if kind in _CHARACTERS:
            return self._add("character", _Test(part, self._state, flags), following)
        if kind is _constants.AT:
            return self._add("place", _Test(part, self._state, flags), following)
        if kind is _constants.SUBPATTERN:
            _, added, dropped, inner = value
            return self.sequence(inner, (flags | added) & ~dropped, following)
        if kind is _constants.BRANCH:
            return self._add("split", [self.sequence(branch, flags, following) for branch in value[1]])
        if kind in {_constants.MAX_REPEAT, _constants.MIN_REPEAT}:
            return self._repetition(value, flags, following)
        if kind in {_constants.ASSERT, _constants.ASSERT_NOT} and value[0] > 0:
            return self._add("ahead", self.sequence(value[1], flags, _MATCH), kind is _constants.ASSERT, following)
        raise UnusablePatternError("back-references, atomic groups and looking behind are not supported")

    def _repetition(self, repeat: tuple[int, int, Any], flags: int, following: int) -> int:
        least, most, inner = repeat
        if most is _constants.MAXREPEAT:
            loop = self._add("split", [])
            self.states[loop][1].extend((self.sequence(inner, flags, loop), following))
            following = loop
        else:
            end = following
            for _ in range(most - least):
                following = self._add("split", [self.sequence(inner, flags, following), end])
        for _ in range(least):
            behind, following = following, self.sequence(inner, flags, following)
            if following == behind:  # a repeated empty pattern adds no states
                break
        return following


_CHARACTERS = {_constants.LITERAL, _constants.NOT_LITERAL, _constants.ANY, _constants.IN}


class _Search:
    """One search of a text by the states of a pattern."""

    def __init__(self, states: list[tuple[Any, ...]], text: str, meter: Meter) -> None:
        self._states = states
        self._text = text
        self._meter = meter

    def finds(self, start: int, position: int, *, anywhere: bool) -> bool:
        """Whether the states from `start` on match at a position, or anywhere after it."""
        waiting = [start]
        while True:
            reached = self._reached(waiting, position)
            if reached is None:
                return True
            if position == len(self._text) or not (reached or anywhere):
                return False
            character = self._text[position]
            waiting = [following for test, following in reached if test.accepts(character)]
            waiting += [start] if anywhere else []
            position += 1

    def _reached(self, waiting: list[int], position: int) -> list[tuple[_Test, int]] | None:
        """Return the tests of the next character, each with its following state; `None` if the pattern has matched."""
        seen: set[int] = set()
        reached = []
        while waiting:
            number = waiting.pop()
            if number in seen:
                continue
            seen.add(number)
            self._meter.step()
            match self._states[number]:
                case ("match",):
                    return None
                case ("character", test, following):
                    reached.append((test, following))
                case ("split", ways):
                    waiting += ways
                case ("place", test, following) if test.holds(self._text, position):
                    waiting.append(following)
                case ("ahead", inner, wanted, following) if self.finds(inner, position, anywhere=False) is wanted:
                    waiting.append(following)
        return reached
