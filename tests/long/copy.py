"""10,000 records and 1,000 grants to PostgreSQL and back, and 20 kills of running copies, and of rotations in each: about 10 minutes.

`--records 100 --grants 20 --kills 2` asks for fewer.
"""

import argparse

from tests.repetitions import run_long

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="copy", description=__doc__)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--grants", type=int, default=1_000)
    parser.add_argument("--kills", type=int, default=20, help="of copies, and of rotations in each database")
    given, more = parser.parse_known_args()
    run_long("tests/state/test_large_copy.py", "--show-capture=stdout", arguments=more, **vars(given))
