"""The public API under pyright, which editors use; mypy reads `api.py` with the rest of the tests."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from tests.conftest import require_peer
from tests.end_to_end.running import run_program


def test_a_typed_program_that_uses_everything_public_has_no_error_in_strict_mode(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).with_name("api.py"), tmp_path / "program.py")
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict", "include": ["program.py"]}))
    ended = run_program(require_peer("pyright"), "--pythonpath", sys.executable, cwd=tmp_path)
    assert ended.out.startswith("0 errors, 0 warnings"), ended.out
