"""Sixteen callers share a grant, and renewals are killed: `make long ARGS="grants --seconds 60 --kills 40"`, the default: about 25 minutes.

On two servers that rotate refresh tokens (oidc-provider, and one that answers at once), over SQLite, PostgreSQL and PgBouncer in session mode; in
its other modes PgBouncer is refused. The servers count what they were asked. Other arguments are pytest's.
"""

from __future__ import annotations

import argparse

from tests.repetitions import run_long


def main() -> None:
    parser = argparse.ArgumentParser(prog="grants", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--kills", type=int, default=40)
    arguments, more = parser.parse_known_args()
    run_long("tests/oauth/test_contention.py", "tests/database/test_pooler.py", arguments=more, **vars(arguments))


if __name__ == "__main__":
    main()
