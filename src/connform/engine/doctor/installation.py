"""The section `connform` of `doctor`: version, place and kind of the installation; Python and platform.

Layer 3; reads the metadata of the installed package.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import connform
from connform.engine.doctor.finding import good
from connform.engine.doctor.situation import Situation
from connform.engine.report_parts import DoctorFinding


def look(_: Situation) -> Iterator[DoctorFinding]:
    """Yield the findings. An older Python than the metadata require can't install connform."""
    yield good("version", f"{connform.__version__} in {Path(connform.__file__).parent}{_kind()}")
    yield good("python", f"{platform.python_version()} at {sys.executable}")
    yield good("platform", f"{platform.system()} {platform.release()}, {platform.machine()}")


def _kind() -> str:
    """Return how it was installed, as pip and uv record it (PEP 610), in brackets; empty where nothing is recorded."""
    try:
        recorded = json.loads(distribution("connform").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return ""
    if recorded.get("dir_info", {}).get("editable"):
        return " (editable)"
    kinds = {"vcs_info": "from Git", "archive_info": "from a file", "dir_info": "from a folder"}
    return next((f" ({text})" for key, text in kinds.items() if key in recorded), "")
