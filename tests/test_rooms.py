"""What neither ruff nor import-linter can say of the rooms in docs/explanation/architecture.md."""

from __future__ import annotations

import ast

import pytest

HANDED_OVER = {
    "cli/exec_proxy.py",
    "cli/exec_variables.py",
    "cli/masking.py",
    "cli/token.py",
    "engine/export.py",
    "engine/login.py",
    "engine/run/simulated_api.py",
    "engine/run/simulated_client.py",
    "database/cipher.py",
}
"""Where a secret leaves other than by `auth/` and `http/`: to another program, sealed, to who reads it, or to the simulator; and `secrets/` logs into stores."""


def test_secrets_are_revealed_where_they_leave(pytestconfig: pytest.Config) -> None:
    package = pytestconfig.rootpath / "src" / "connform"
    callers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Attribute) and node.attr == "reveal"
    }

    assert {
        caller for caller in callers if not caller.startswith(("auth/", "http/", "secrets/", "testing/"))
    } == HANDED_OVER


MADE_AT_ONCE = {
    "auth/oauth/authorization.py",  # taken without waiting, once and for all
    "auth/oauth/renewed_credential.py",  # in an object of which each process has its own
    "http/net/resolver.py",  # the same
    "database/postgres.py",  # in the function that a ProcessLocal calls
}
"""Where locks are made by hand: everywhere else, `ProcessLocal(Lock)` makes one for each process."""


def test_no_child_waits_for_a_lock_that_a_thread_of_its_parent_holds(pytestconfig: pytest.Config) -> None:
    package = pytestconfig.rootpath / "src" / "connform"
    locks = {"Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore"}
    makers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in locks
    }

    assert makers == MADE_AT_ONCE


def test_a_name_stands_for_one_class(pytestconfig: pytest.Config) -> None:
    package = pytestconfig.rootpath / "src" / "connform"
    homes: dict[str, list[str]] = {}
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, []).append(path.relative_to(package).as_posix())

    assert {name: files for name, files in homes.items() if len(files) > 1} == {}


def test_the_map_names_every_room(pytestconfig: pytest.Config) -> None:
    package = pytestconfig.rootpath / "src" / "connform"
    rooms = {path.name for path in package.iterdir() if path.is_dir() and path.name != "__pycache__"}
    rooms |= {path.stem for path in package.glob("*.py")} - {"__init__"}
    text = (pytestconfig.rootpath / "docs" / "explanation" / "architecture.md").read_text()

    assert [room for room in sorted(rooms) if f"`{room}" not in text] == []
