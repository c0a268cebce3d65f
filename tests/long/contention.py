"""Sixteen callers share a grant for 60 s, in one folder and on two hosts; eight runs share a state: about 3 minutes."""

from tests.repetitions import run_long

if __name__ == "__main__":
    run_long("tests/oauth/test_contention.py", "tests/state/test_many_runners.py", "-k", "callers or hosts or runs")
