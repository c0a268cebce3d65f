"""A thousand secrets in AWS and in OpenBao, and the calls that they take: about 1 minute."""

from tests.repetitions import run_long

if __name__ == "__main__":
    run_long("tests/secrets/aws/test_many.py", "tests/secrets/vault/test_many.py")
