"""200 kills of `connform apply`, each at a random moment: about 3 minutes."""

from tests.repetitions import run_long

if __name__ == "__main__":
    run_long("tests/state/test_interrupted.py", "-k", "kill")
