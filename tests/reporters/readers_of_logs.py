"""What reads a log besides people: GitHub's runner, which obeys commands in it, and a terminal, which obeys sequences."""

from __future__ import annotations

import re

COMMANDS = {
    *("add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "internal-set-repo-path"),
    *("notice", "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning"),
}
"""What the runner knows (actions/runner, `ActionCommandManager` and its extensions)."""
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_COLOR = re.compile(r"\x1b\[[0-9;]*m")


def commands(log: str) -> list[str]:
    """Return the names of the commands that GitHub's runner would carry out: `ActionCommand.TryParseV2`, then `TryParse`."""
    return [name for line in re.split("\r\n|\r|\n", log) if (name := _second_form(line) or _first_form(line))]


def _second_form(line: str) -> str:
    line = line.lstrip()
    end = line.find("::", 2)
    return _known(line[2:end]) if line.startswith("::") and end >= 0 else ""


def _first_form(line: str) -> str:
    start = line.find("##[")
    end = line.find("]", start)
    return _known(line[start + 3 : end]) if start >= 0 and end >= 0 else ""


def _known(command: str) -> str:
    name = command.partition(" ")[0]
    return name if name in COMMANDS else ""


def steering(shown: str, *, color: bool = False) -> list[str]:
    """Return the characters by which a terminal would be steered; colours don't count where they are allowed."""
    return _STEERING.findall(_COLOR.sub("", shown) if color else shown)
