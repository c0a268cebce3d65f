"""curl, Node, Java and Go through `exec --proxy`: 1 GB up and down in constant memory; 20,000 spellings of paths: about 5 minutes.

`--megabytes 64 --spellings 1000` takes half a minute.
"""

import argparse

from tests.repetitions import run_long

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1024, help="of each body")
    parser.add_argument("--spellings", type=int, default=20_000, help="of random paths")
    given, more = parser.parse_known_args()
    files = ("test_programs.py", "test_memory.py", "test_paths.py")
    chosen = ("-k", "program or large or random")
    run_long(*(f"tests/proxy/{file}" for file in files), *chosen, arguments=more, **vars(given))
