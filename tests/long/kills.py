"""200 kills of `connform apply` and 20 of a renewal on each store, each at a random moment: about 5 minutes."""

from tests.repetitions import run_long

if __name__ == "__main__":
    run_long("tests/state/test_interrupted.py", "tests/oauth/test_contention.py", "-k", "kill")
