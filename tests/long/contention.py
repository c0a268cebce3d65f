"""Eight runs of `connform apply` share a state: about 1 minute."""

from tests.repetitions import run_long

if __name__ == "__main__":
    run_long("tests/state/test_many_runners.py")
