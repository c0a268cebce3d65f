"""PostgreSQL goes away when new tokens arrive, for less than the minute that a process waits, and for more: about 8 minutes."""

from tests.repetitions import run_long

if __name__ == "__main__":
    run_long("tests/oauth/test_unsaved.py", "-k", "back or lost")
