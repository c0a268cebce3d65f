"""Turns a manifest into ready clients: validate, resolve, check, build, report.

Layer 3; uses the network. This version records nothing.
"""

from __future__ import annotations

from functools import partial

from connform.engine.check import check

apply = partial(check, command="apply")
"""Check the selected connections by building the ready client of each; arguments and errors as for `check`."""
