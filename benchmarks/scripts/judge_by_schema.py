"""The peer: PyYAML's C loader and jsonschema-rs. `judge_by_schema.py SCHEMA FILE…` prints how many files are valid; 1 if not all."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jsonschema_rs
import yaml

schema, *files = sys.argv[1:]
validator = jsonschema_rs.validator_for(json.loads(Path(schema).read_text(encoding="utf-8")))
valid = 0
for file in files:
    with Path(file).open(encoding="utf-8") as opened:
        valid += validator.is_valid(yaml.load(opened, yaml.CSafeLoader))
print(f"{valid} valid")
sys.exit(valid != len(files))
