"""Asks validators in four languages about every manifest of the tests: `python -m tests.long.validators`; needs Go.

Prints for each edition of the schema how many documents each validator accepts, beside connform itself, and ends with 1 where two
validators differ. Debian's `golang-go` and `golang-github-xeipuuv-gojsonschema-dev` have what is compiled; gojsonschema reads
draft-07 at most.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.editors.test_validators import is_accepted
from tests.editors.validators import EDITIONS, by_ajv, by_jsonschema, by_rust, documents, go_validator, published


def main() -> int:
    given = documents()
    own = [is_accepted(one) for one in given]
    print(f"{len(given)} documents, connform accepts {own.count(True)}")
    differ = 0
    with tempfile.TemporaryDirectory() as folder:
        by_go = go_validator(Path(folder))
        by_go.__doc__ = "Go: gojsonschema"
        for edition in EDITIONS:
            schema = published(edition)
            asked = [by_jsonschema, by_rust, by_ajv, *([by_go] if "draft-07" in edition else [])]
            answers = {str(ask.__doc__): ask(schema, given) for ask in asked}
            for name, verdicts in answers.items():
                print(f"{edition}: {name} accepts {verdicts.count(True)}")
            wrong = sum(mine and not all(verdicts) for mine, *verdicts in zip(own, *answers.values(), strict=True))
            unequal = sum(len(set(verdicts)) > 1 for verdicts in zip(*answers.values(), strict=True))
            print(f"{edition}: {unequal} with different answers, {wrong} refused that connform accepts")
            differ += unequal + wrong
    return bool(differ)


if __name__ == "__main__":
    sys.exit(main())
