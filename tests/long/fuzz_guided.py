"""Examines manifests that a coverage-guided fuzzer makes: `make long ARGS="fuzz_guided --seconds 600"`.

Needs the package `atheris` (libFuzzer). The broken manifests of the tests, their texts that are no YAML, and some kilobytes of each hostile one are its first corpus. It ends with 0 when the time is up, and otherwise
prints the manifest that crashed, took longer than two seconds of processor time or more than 500 MB, and leaves it in the corpus.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

import atheris

from tests.hostile import SHAPES

with atheris.instrument_imports(include=["connform", "yaml"]):
    from tests.fuzz.oracle import examine, examine_layout
    from tests.manifest.syntax_cases import CASES

MOST_BYTES = 1 << 16
LIMIT_S = 2
"""How much processor time one manifest may take, with the code that counts branches."""
MANIFESTS = Path(__file__).parents[1] / "manifest" / "broken"
EXAMPLE = Path(__file__).parents[2] / "connections.yaml.example"


def examine_both(text: bytes) -> None:
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
    try:
        examine(text)
        examine_layout(text)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _give_up(*_: object) -> None:
    message = f"took more than {LIMIT_S} s of processor time"
    raise TimeoutError(message)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--corpus", type=Path, default=Path(".fuzz"), help="a folder that is kept for the next run")
    options = parser.parse_args()
    options.corpus.mkdir(exist_ok=True)
    for file in (EXAMPLE, *MANIFESTS.rglob("*.yaml")):
        (options.corpus / f"seed-{file.stem.replace(' ', '-')}").write_bytes(file.read_bytes()[:MOST_BYTES])
    for number, (case, *_) in enumerate(CASES.values()):
        (options.corpus / f"seed-syntax-{number}").write_text(case, "utf-8", newline="")
    for number, make in enumerate(SHAPES.values()):
        for size in (1_000, MOST_BYTES // 4):
            (options.corpus / f"seed-hostile-{number}-{size}").write_bytes(make(size).encode()[:MOST_BYTES])
    limits = [
        f"-max_total_time={options.seconds}",
        "-timeout=60",  # of the clock, however busy the machine is
        "-rss_limit_mb=500",
        f"-max_len={MOST_BYTES}",
        "-len_control=0",
    ]
    signal.signal(signal.SIGVTALRM, _give_up)
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={options.corpus}/", str(options.corpus)], examine_both)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
