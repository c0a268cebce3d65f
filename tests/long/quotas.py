"""OpenBao and AWS that permit five calls a second, 1,000 secrets of the one; 1,000 over five stores, some in trouble: about 9 minutes.

`--secrets 40 --each 40` asks for fewer.
"""

import argparse

from tests.repetitions import run_long

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--secrets", type=int, default=1000, help="of the store with the limit")
    parser.add_argument("--each", type=int, default=200, help="of each of five stores")
    parser.add_argument("--throttled", type=int, default=60, help="of AWS")
    given, more = parser.parse_known_args()
    files = ("vault/test_quotas.py", "vault/test_troubled_stores.py", "aws/test_throttling.py")
    run_long(
        *(f"tests/secrets/{file}" for file in files),
        "--show-capture=stdout",
        arguments=more,
        rate=5,
        **vars(given),
    )
