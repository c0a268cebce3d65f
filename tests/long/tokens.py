"""Tokens without a person: sixteen callers on one and two hosts for a minute, and holders that are killed and stopped: about 9 minutes."""

from tests.repetitions import run_long

if __name__ == "__main__":
    run_long("tests/tokens/test_contention.py", seconds=60, kills=5)
