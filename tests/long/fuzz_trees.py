"""Examines as many random checkouts, with odd names and links, as are asked for: `make long ARGS="fuzz_trees --count 5000 --seed 1"`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from random import Random

from tests.fuzz.trees import examine_tree


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    failures = 0
    for number in range(options.count):
        with tempfile.TemporaryDirectory() as folder:
            wrong = examine_tree(Random(f"{options.seed}:{number}"), Path(folder) / "checkout")
        if wrong:
            failures += 1
            print(f"=== seed {options.seed}:{number}: {wrong}", flush=True)
    print(f"{options.count} checkouts, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
