"""What neither ruff nor import-linter can say of the rooms in docs/architecture.md."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


HANDED_OVER = {"cli/exec.py", "cli/masking.py", "cli/token.py", "http/header.py", "store/cipher.py"}
"""Where a secret leaves other than by `auth/`: to another program, sealed, or in a header; and `secrets/` logs into stores."""


def test_secrets_are_revealed_where_they_leave(pytestconfig: pytest.Config) -> None:
    package = pytestconfig.rootpath / "src" / "connform"
    callers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Attribute) and node.attr == "reveal"
    }

    assert {caller for caller in callers if not caller.startswith(("auth/", "secrets/", "testing/"))} == HANDED_OVER
