"""Random checkouts: files, folders and links with odd names and odd sizes, in a repository beside another one.

Whatever is in them, a command ends with a documented exit code, reads and writes nothing outside of the repository, and prints nothing
that a terminal or a runner of CI takes for a command.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from random import Random

from tests.end_to_end.running import run_here
from tests.fuzz.generate import manifest
from tests.hostile import SHAPES
from tests.reporters.readers_of_logs import commands, steering

OUTSIDE = "of-another-repository"
"""The name of a connection that lies outside."""
_ONE = "version: 1\nconnections:\n  %s: {environment: sandbox, region: us, auth: {method: api_key, api_key: env://K}}\n"
_POLICY = "version: 1\npolicies:\n  no-owner: {message: an owner, severity: warning, schema: {required: [owner]}}\n"
_FOLDERS = (
    "",
    "connections",
    "policies",
    "shared",
    "envs/prod",
    "connections/deeper",
    "-f",
    "a\nb",
    "caf\udce9",
)
_NAMES = (
    *("connections.yaml", "connections.yml", "a.yaml", "A.YAML", ".yaml", ".#a.yaml", "#a.yaml#", "a.yaml~", "p.yml"),
    *(
        "-f.yaml",
        "--help.yaml",
        "a b.yaml",
        "$(touch x).yaml",
        "`x`.yaml",
        "a\nb.yaml",
        "\x1b[31mred.yaml",
        "\x7f.yaml",
    ),
    *("::error::x.yaml", "##[group]x.yaml", "\u202egnp.yaml", "\u2028.yaml", "caf\udce9.yaml", "x" * 200 + ".yaml"),
)
_TARGETS = (
    "../elsewhere/outside.yaml",
    "../elsewhere",
    "/etc/passwd",
    "/dev/zero",
    "/proc/self/environ",
    "nowhere",
    ".",
    "..",
)
_COMMANDS = (
    ("validate",),
    ("validate", "--format", "json"),
    ("validate", "--format", "github"),
    ("validate", "--format", "sarif"),
    ("validate", "--by-root"),
    ("fmt", "--check"),
    ("fmt", "--diff"),
    ("fmt",),
    ("list",),
    ("plan",),
)
_CODES = {0, 1, 3, 64}


def plant(random: Random, root: Path) -> None:
    """Fill a folder with a checkout, and the one beside it with what is none of its business."""
    elsewhere = root.parent / "elsewhere"
    for repository in (root, elsewhere):
        (repository / ".git").mkdir(parents=True)
    (elsewhere / "outside.yaml").write_text(
        (_ONE % OUTSIDE).replace("region: us", "region:   nowhere")
    )  # shown when read
    entries: list[Path] = []
    for _ in range(random.randrange(1, 9)):
        folder = root / random.choice(_FOLDERS)
        path = folder / random.choice(_NAMES if random.random() < 0.7 else _FOLDERS[1:])
        with contextlib.suppress(OSError):  # a file stands where a folder would be, or it is there already
            folder.mkdir(parents=True, exist_ok=True)
            if random.random() < 0.4:
                outside = os.path.relpath(elsewhere / random.choice(("outside.yaml", ".")), folder)
                targets = [*_TARGETS, *(os.path.relpath(entry, folder) for entry in entries), path.name, *[outside] * 6]
                path.symlink_to(random.choice(targets))
            else:
                with path.open("xb") as file:
                    file.write(_content(random))
            entries.append(path)


def _content(random: Random) -> bytes:
    match random.randrange(5):
        case 0:
            return manifest(random)
        case 1:
            return _POLICY.encode()
        case 2:
            return SHAPES[random.choice(list(SHAPES))](random.randrange(10, 3_000)).encode("utf-8", "surrogatepass")
        case 3:
            return b""
    return (_ONE % "inside").encode()


def examine_tree(random: Random, root: Path) -> str:
    """Return what doesn't hold for one random checkout, with the command; empty if all does."""
    plant(random, root)
    before = (root.parent / "elsewhere" / "outside.yaml").read_bytes()
    for argv in random.sample(_COMMANDS, 3):
        ended = run_here(*argv, cwd=root)
        shown = ended.out + ended.err
        wrong = {
            f"exit code {ended.code}: {ended.err[-2000:]}": ended.code not in _CODES,
            "it read another repository": OUTSIDE in shown or "root:x:0" in shown,
            "a terminal is steered": bool(steering(shown)),
            "a runner takes it for commands": "github" not in argv and bool(commands(shown)),
            "it wrote outside": (root.parent / "elsewhere" / "outside.yaml").read_bytes() != before,
        }
        for what, is_so in wrong.items():
            if is_so:
                files = sorted(str(path.relative_to(root)) for path in root.rglob("*") if ".git" not in path.parts)
                return f"{' '.join(argv)}: {what}\n{files!r}\n{shown[:3000]!r}"
    return ""
