"""Times the refusal of manifests inside of one process, after start-up: `refusals.py WARM FILE…` prints JSON by file."""

from __future__ import annotations

import json
import sys
import time

import connform

warm, *files = sys.argv[1:]
if connform.validate(warm).diagnostics:
    sys.exit("the warming manifest has errors")
found = {}
for file in files:
    started = time.perf_counter()
    report = connform.validate(file)
    seconds = time.perf_counter() - started
    found[file] = {"seconds": seconds, "codes": [one.code for one in report.diagnostics]}
print(json.dumps(found))
