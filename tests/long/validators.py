"""Asks validators in four languages about every manifest of the tests: `python -m tests.long.validators`; needs Go.

Prints how many documents each validator accepts, beside connform itself, and ends with 1 where two validators differ.
Debian's `golang-go` and `golang-github-xeipuuv-gojsonschema-dev` have what is compiled.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.editors.test_validators import is_accepted
from tests.editors.validators import by_ajv, by_jsonschema, by_rust, documents, go_validator, published


def main() -> int:
    given = documents()
    own = [is_accepted(one) for one in given]
    print(f"{len(given)} documents, connform accepts {own.count(True)}")
    schema = published()
    with tempfile.TemporaryDirectory() as folder:
        by_go = go_validator(Path(folder))
        by_go.__doc__ = "Go: gojsonschema"
        answers = {str(ask.__doc__): ask(schema, given) for ask in (by_jsonschema, by_rust, by_ajv, by_go)}
    for name, verdicts in answers.items():
        print(f"{name} accepts {verdicts.count(True)}")
    wrong = sum(mine and not all(verdicts) for mine, *verdicts in zip(own, *answers.values(), strict=True))
    unequal = sum(len(set(verdicts)) > 1 for verdicts in zip(*answers.values(), strict=True))
    print(f"{unequal} with different answers, {wrong} refused that connform accepts")
    return bool(unequal or wrong)


if __name__ == "__main__":
    sys.exit(main())
