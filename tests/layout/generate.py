"""Manifests by chance that say something ordinary in an odd layout. The same seed gives the same ones.

A comment, and nothing else, ends with `«…»`; its number is its own.
"""

from __future__ import annotations

from itertools import count
from random import Random
from typing import Any

Value = Any
"""A list of values, a list of pairs as a mapping's, or a text."""

_PLAIN = ("us", "env://KEY", "https://acme.example/v1#x", "a b", "1", "no", "x:y", "a#b", "-1", "日本", "~")
_PROSE = (
    "one two three",
    "it's \\ here",
    'say "so"',
    "tab\there",
    "a: b, c",
    "# no comment",
    "{x} [y]",
    "é " * 9,
)
_LINES = (
    "text\n",
    "one\ntwo\n",
    "one\n\n\ntwo\n",
    "one\n  deeper\n\ttab\ntrailing  \n",
    "\n\nafter two\n",
    "  starts deep\nshallow\n",
    "ends without",
    "ends with many\n\n\n",
    "# looks like a comment\nkey: value\n- item\n",
    "   \nblanks first\n",
)


class Oddly:
    """Writes one manifest; every choice that YAML leaves is made by chance."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._numbers = count(1)
        self._names = count(1)
        self._anchors: list[str] = []
        self._remarks = random.choice((0.0, 0.1, 0.5))

    def manifest(self) -> bytes:
        """Return its bytes."""
        chance = self._random.random
        text = self._between(0)
        if chance() < 0.2:
            text += ("%YAML 1.2\n" if chance() < 0.3 else "") + "---" + self._line_end() + self._between(0)
        text += self._mapping(0, 0) if chance() < 0.9 else self._flow(0, 2, brackets="{}") + self._line_end()
        text += self._between(2)
        if chance() < 0.1:
            text += "...\n" + self._between(0)
        text = text.replace("\n", self._random.choice(("\n", "\n", "\r\n")))
        if chance() < 0.2:
            text = text.rstrip("\r\n \t")
        return (b"\xef\xbb\xbf" if chance() < 0.1 else b"") + text.encode()

    def _comment(self) -> str:
        sign = self._random.choice(("#", "# ", "#  ", "#!", "##", "# #"))
        text = self._random.choice(("", " é ", " key: value ", "- x", "\ttab", '"'))
        return f"{sign}«{text}{next(self._numbers)}»" + " " * self._random.choice((0, 0, 2))

    def _line_end(self) -> str:
        """Return what may stand behind anything that ends a line."""
        random = self._random
        if random.random() < self._remarks:
            return random.choice((" ", "   ")) + self._comment() + "\n"
        return random.choice(("", "", "", "  ")) + "\n"

    def _between(self, column: int) -> str:
        """Return blank lines and comments that may stand before a line."""
        random = self._random
        lines = ""
        while random.random() < self._remarks:
            margin = " " * random.choice((column, column, random.randrange(12)))
            lines += random.choice(("", "", "\n", "\n\n \n")) + margin + self._comment() + "\n"
        return lines + random.choice(("", "", "", "\n", "\n\n\n"))

    def _mapping(self, column: int, depth: int) -> str:
        """Return the entries of a mapping, each a line or more."""
        random = self._random
        return "".join(
            (self._between(column) if number else "")
            + " " * (column * bool(number or not depth))
            + self._entry(column, depth)
            for number in range(random.randint(1, 4))
        )

    def _entry(self, column: int, depth: int) -> str:
        random = self._random
        key = random.choice(("", "", "", '"', "'"))
        key = f"{key}{self._name()}{key}"
        if random.random() < 0.05:
            return f"?{self._blank()}{key}{self._line_end()}{self._between(column)}{' ' * column}:" + self._value(
                column, depth, in_list=True
            )
        anchor = self._anchor() if random.random() < 0.03 else ""
        return f"{anchor}{key}{random.choice(('', '', '', ' ', '  '))}:" + self._value(column, depth)

    def _value(self, column: int, depth: int, *, in_list: bool = False) -> str:
        """Return what stands behind `key:` or `-`, to the end of its last line."""
        random = self._random
        kind = random.random()
        if depth < 4 and kind < (0.7 if depth < 2 else 0.3):
            return self._nested(column, depth, in_list=in_list)
        if kind > 0.95:
            return self._line_end()
        if kind > 0.85:
            return self._blank() + self._block_scalar(column)
        if self._anchors and kind > 0.8:
            return f"{self._blank()}*{random.choice(self._anchors)}{self._line_end()}"
        anchor = self._anchor() if random.random() < 0.08 else ""
        lead = self._blank()
        if random.random() < 0.1:
            lead = self._line_end() + self._between(column + 2) + " " * (column + random.randint(1, 5))
        if kind > 0.65:
            return lead + anchor + self._flow(column, depth) + self._line_end()
        if anchor:
            self._anchors.append(anchor[1:].rstrip())
        tab = "\t" if not in_list and random.random() < 0.1 else ""
        return (tab or lead) + anchor + self._scalar(column, flow=False) + self._line_end()

    def _nested(self, column: int, depth: int, *, in_list: bool) -> str:
        random = self._random
        anchor = self._blank() + self._anchor().rstrip() if random.random() < 0.1 else ""
        is_list = random.random() < 0.4
        tight = is_list and not in_list and random.random() < 0.5
        if in_list and not anchor and random.random() < 0.6:
            lead = " " * random.randint(1, 4)
            inner, start = column + 1 + len(lead), lead
        else:
            inner = column if tight else column + random.randint(1, 6)
            start = anchor + self._line_end() + self._between(inner) + " " * inner
        if not is_list:
            return start + self._mapping(inner, depth + 1)
        return start + "".join(
            ((self._between(inner) + " " * inner) if number else "") + "-" + self._value(inner, depth + 1, in_list=True)
            for number in range(random.randint(1, 3))
        )

    def _flow(self, column: int, depth: int, brackets: str = "") -> str:
        """Return a collection in brackets."""
        random = self._random
        brackets = brackets or random.choice(("[]", "{}"))
        is_list = brackets == "[]"
        items = []
        for _ in range(random.randrange(4)):
            value = (
                self._flow(column, depth + 1)
                if depth < 4 and random.random() < 0.2
                else self._scalar(column, flow=True)
            )
            if random.random() < 0.1:
                value = random.choice((self._anchor(), "")) + value
            pair = f"{self._name()}{random.choice(('', '', ' '))}:{self._gap(column, ' ')}{value}"
            items.append(value if is_list and random.random() < 0.9 else pair)
        inside = f"{self._gap(column)},{self._gap(column)}".join(items)
        comma = f"{self._gap(column)}," if items and random.random() < 0.1 else ""
        return f"{brackets[0]}{self._gap(column)}{inside}{comma}{self._gap(column)}{brackets[1]}"

    def _gap(self, column: int, least: str = "") -> str:
        """Return white space that may stand in a flow collection, with a line break sometimes."""
        random = self._random
        if random.random() < 0.08:
            return self._line_end() + self._between(column + 1) + " " * (column + random.randint(1, 6))
        return random.choice((least, least, " ", "   "))

    def _scalar(self, column: int, *, flow: bool) -> str:
        random = self._random
        kind = random.random()
        if kind < 0.5:
            return random.choice([text for text in _PLAIN if not set(text) & set(":,")] if flow else _PLAIN)
        text = random.choice(_PROSE)
        indent = " " * (column + random.randint(1, 9))
        fold = random.choice(("", " ", "\t")) + "\n" + random.choice(("", "", " \n")) + indent
        parts = text.split(" ")
        if kind < 0.6:
            words = random.sample(("alpha", "beta", "gamma", "it's", "x://y"), 3)
            return (fold if random.random() < 0.4 else " ").join(words)
        joined = "".join(part + (fold if random.random() < 0.15 else " ") for part in parts[:-1]) + parts[-1]
        if kind < 0.8:
            escaped = joined.replace("\\", "\\\\").replace('"', '\\"')
            return (
                '"' + escaped + random.choice(("", "", "\\ \n" + " " * (column + 3), "\\\n" + " " * (column + 1))) + '"'
            )
        return "'" + joined.replace("'", "''") + "'"

    def _block_scalar(self, column: int) -> str:
        random = self._random
        text = random.choice(_LINES)
        first = next((line for line in text.split("\n") if line.strip()), "")
        step = random.randint(1, 6)
        explicit = (
            first.startswith(" ") or (not text.split("\n")[0].strip() and text.startswith(" ")) or random.random() < 0.2
        )
        marks = [str(step) if explicit else "", random.choice(("", "-", "+"))]
        random.shuffle(marks)
        margin = " " * (column + step)
        lines = [
            margin + line if line else random.choice(("", "", " " * column)) for line in text.split("\n")[:-1] or [text]
        ]
        comment = " " + self._comment() if random.random() < self._remarks else ""
        return random.choice("|>") + "".join(marks) + comment + "\n" + "\n".join(lines) + "\n"

    def _name(self) -> str:
        return self._random.choice(("region", "auth", "owner", "a-b", "url", "api_key")) + str(next(self._names))

    def _anchor(self) -> str:
        return f"&a{next(self._names)} " + " " * self._random.randrange(2)

    def _blank(self) -> str:
        return self._random.choice((" ", " ", "   "))
