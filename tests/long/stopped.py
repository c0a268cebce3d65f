"""A process that is stopped while it renews, and the process that takes over after 90 s: about 4 minutes."""

from tests.repetitions import run_long

if __name__ == "__main__":
    run_long("tests/oauth/test_stopped.py", "-k", "took_over")
