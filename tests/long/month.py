"""Two simulated months of checks every five minutes, in SQLite and PostgreSQL: `make long ARGS="month --connections 100"`, the default: about 15 minutes.

The database has stopped growing after the first, and the attempts of `apply` are still there. Other arguments are pytest's.
"""

from __future__ import annotations

import argparse

from tests.repetitions import run_long


def main() -> None:
    parser = argparse.ArgumentParser(prog="month", description=__doc__)
    parser.add_argument("--connections", type=int, default=100)
    arguments, more = parser.parse_known_args()
    run_long("tests/database/test_month.py", arguments=more, **vars(arguments))


if __name__ == "__main__":
    main()
