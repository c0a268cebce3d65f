"""The format `openmetrics`: metrics of a check, for a textfile collector. Layer 4, no IO.

It is valid as OpenMetrics 1.0 and in Prometheus's text format 0.0.4: gauges only, without units and timestamps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from connform.reporters.metrics import BUILD_INFO, FAMILIES
from connform.reporters.view import View

has_messages = False

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def render_at(view: View, *, now: datetime) -> str:
    """Return the metrics; a check that is not recorded ended now."""
    if view["command"] != "check":
        return render(view, color=False, width=0, verbosity=0)
    just_now = {"checks": {"at": now.isoformat()}}
    connections = [
        connection if connection.get("checks") else {**connection, **just_now} for connection in view["connections"]
    ]
    return render({**view, "connections": connections}, color=False, width=0, verbosity=0)


def render(view: View, *, color: bool, width: int, verbosity: int) -> str:  # noqa: ARG001  (for machines)
    """Return the metrics of the report's connections; none of connections that were not checked."""
    name, text, labels = BUILD_INFO
    lines = [*_family(name, text, [(labels, 1.0)])]
    for family in FAMILIES:
        if not family.is_counter:
            samples = [one for connection in view["connections"] for one in family.samples(connection)]
            named = [(dict(zip(family.labels, values, strict=True)), value) for values, value in samples]
            lines += _family(family.name, family.help, named) if named else ()
    return "".join(f"{line}\n" for line in (*lines, "# EOF"))


def _family(name: str, text: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples:
        pairs = ",".join(f'{label}="{one.translate(_ESCAPES)}"' for label, one in labels.items())
        yield f"{name}{{{pairs}}} {value!r}"
