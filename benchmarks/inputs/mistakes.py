"""Writes manifests with known mistakes at known lines."""

from __future__ import annotations

from pathlib import Path

from benchmarks.inputs.manifests import HEAD, connection, name_of, yaml_lines

MISTAKES = (
    ("environment: ", "environment: prodution", "unknown-environment"),
    ("method: ", "method: magic", "unknown-auth-method"),
    ("total_s: ", "total_s: soon", "wrong-type"),
    ("owner: ", "ownr: team@acme.example", "unknown-key"),
    ("tags: ", "tags: {batch: customer}", "wrong-type"),
)
"""The start of a line, what stands there instead, and what connform calls it."""


def write_manifest_with_mistakes(path: Path, count: int, every: int) -> set[tuple[int, str]]:
    """Write one manifest with one mistake in one of `every` connections; return lines and codes of the mistakes."""
    planted = set()
    number_of_line = HEAD.count("\n")
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD)
        for number in range(count):
            lines = list(yaml_lines({name_of(number): connection(number)}, "  "))
            if number % every == every // 2:
                start, instead, code = MISTAKES[number // every % len(MISTAKES)]
                at = next(index for index, line in enumerate(lines) if line.lstrip().startswith(start))
                lines[at] = lines[at].partition(start)[0] + instead + "\n"
                planted.add((number_of_line + at + 1, code))
            file.writelines(lines)
            number_of_line += len(lines)
    return planted
