"""300 rotations of a pair of secrets in every backend, while it is read: about 2 minutes."""

from tests.repetitions import run_long

if __name__ == "__main__":
    run_long("tests/secrets", "-k", "two_fields_come_from_one_look")
