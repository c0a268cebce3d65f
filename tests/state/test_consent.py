"""Who is asked, and what an answer does: on a real terminal."""

from __future__ import annotations

import pexpect
import pytest

from tests.end_to_end.running import COMMAND, command_environment, environment
from tests.state.conftest import Repository


@pytest.mark.parametrize(("answer", "code", "recorded"), [("y", 0, {"one"}), ("n", 7, set()), ("", 7, set())])
def test_a_person_is_shown_the_plan_and_asked(
    sqlite_repository: Repository, answer: str, code: int, recorded: set[str]
) -> None:
    repository = sqlite_repository
    repository.declare("one")
    terminal = pexpect.spawn(
        COMMAND, ["apply"], cwd=str(repository.folder), env=environment(repository.environment), timeout=30
    )
    terminal.expect("create.*one.*1 to create.*Apply these changes")
    terminal.sendline(answer)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert (terminal.exitstatus, set(repository.recorded())) == (code, recorded)


def test_nobody_is_asked_where_there_is_nothing_to_do(sqlite_repository: Repository) -> None:
    sqlite_repository.declare("one")
    assert sqlite_repository.run("apply", "--yes").code == 0
    assert sqlite_repository.run("apply").code == 0


def test_a_person_who_forbade_questions_is_not_asked(sqlite_repository: Repository) -> None:
    repository = sqlite_repository
    repository.declare("one")
    terminal = pexpect.spawn(
        COMMAND,
        ["apply", "--no-input"],
        cwd=str(repository.folder),
        env=command_environment(repository.environment),
        timeout=30,
    )
    terminal.expect("give --yes")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 7
