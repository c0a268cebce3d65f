"""Which file is which: checkouts with and without `.git`, roots that are named, links. Nothing of another folder is removed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.inside import mount_files
from tests.end_to_end.running import Run, run_here
from tests.state.conftest import ENVIRONMENT, Repository

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.test", "-c", "commit.gpgsign=false")


class Team:
    """A repository with two folders, whose jobs share a database."""

    def __init__(self, repository: Repository) -> None:
        repository.declare("globex", "initech", "crm")
        (repository.folder / "connections.yaml").unlink()
        self.repository = repository
        self.folder = repository.folder
        self.state = repository.state or f"sqlite://{self.folder.parent}/shared"
        self.write("customers", "globex", "initech")
        self.write("internal", "crm")
        self.git("init", "-q")
        self.git("add", ".")
        self.git("commit", "-qm", "x")

    def write(self, folder: str, *names: str) -> None:
        (self.folder / folder).mkdir(exist_ok=True)
        content = {"version": 1, "connections": {name: self.repository.connections[name] for name in names}}
        (self.folder / folder / "connections.yaml").write_text(json.dumps(content))

    def git(self, *argv: str, cwd: Path | None = None) -> None:
        subprocess.run([*GIT, *argv], cwd=cwd or self.folder, check=True, capture_output=True)

    def archive(self) -> Path:
        """Return another checkout, without `.git`."""
        job = self.folder.parent / "job"
        shutil.copytree(self.folder, job, ignore=lambda *_: [".git", ".connform"])
        return job

    def run(self, *argv: str, cwd: Path | None = None, **variables: str) -> Run:
        env = ENVIRONMENT | {"CONNFORM_STATE": self.state} | variables
        return run_here(*argv, cwd=cwd or self.folder, env=env)

    def other(self, *names: str, history: bool = True) -> Path:
        """Return another repository, with a manifest at its top."""
        folder = self.folder.parent / "another"
        folder.mkdir()
        content = {"version": 1, "connections": {name: self.repository.connections[name] for name in names}}
        (folder / "connections.yaml").write_text(json.dumps(content))
        self.git("init", "-q", cwd=folder)
        if history:
            self.git("add", ".", cwd=folder)
            self.git("commit", "-qm", "another", cwd=folder)
        return folder

    @property
    def files(self) -> dict[str, str]:
        exported = self.run("state", "export", "-f", "internal", "--format", "json").connections
        return {name: one["recorded"]["file"] for name, one in exported.items()}


FILES = {
    "globex": "customers/connections.yaml",
    "initech": "customers/connections.yaml",
    "crm": "internal/connections.yaml",
}
JOBS = ("customers/connections.yaml", "internal/connections.yaml")


@pytest.fixture
def team(repository: Repository) -> Team:
    return Team(repository)


@pytest.mark.parametrize("how", ["GITHUB_WORKSPACE", "CI_PROJECT_DIR", "CONNFORM_ROOT", "--root"])
def test_jobs_without_git_are_told_their_root(team: Team, how: str) -> None:
    job = team.archive()
    flag = ("--root", str(job)) if how == "--root" else ()
    variables = {} if flag else {how: str(job)}
    for file in JOBS:
        ended = team.run("apply", "--yes", "-f", file, *flag, cwd=job, **variables)
        assert (ended.code, "removed" in ended.out) == (0, False)
    assert team.files == FILES
    assert "no changes" in team.run("plan", *(part for file in JOBS for part in ("-f", file))).out, "with .git as well"


def test_jobs_that_know_no_root_remove_nothing(team: Team) -> None:
    job = team.archive()
    assert team.run("apply", "--yes", "-f", JOBS[0], cwd=job).code == 0
    refused = team.run("apply", "--yes", "-f", JOBS[1], cwd=job)
    assert refused.code == 7
    assert "it removes globex, initech of a database that others may use" in refused.err
    assert "--root (CONNFORM_ROOT)" in refused.err
    assert team.run("apply", "--yes", "--force", "-f", JOBS[1], cwd=job).code == 0
    assert team.files == {"crm": "?/connections.yaml"}


def test_a_manifest_without_a_root_is_none_at_the_top(team: Team) -> None:
    shutil.copy(team.folder / JOBS[0], team.folder / "connections.yaml")
    assert team.run("apply", "--yes", "-f", "connections.yaml").code == 0
    job = team.archive()
    assert team.run("apply", "--yes", "-f", JOBS[1], cwd=job).code == 0
    assert team.files == {"globex": "connections.yaml", "initech": "connections.yaml", "crm": "?/connections.yaml"}


def test_a_root_elsewhere_is_none(team: Team) -> None:
    job = team.archive()
    variables = {"GITHUB_WORKSPACE": "/nowhere", "CI_PROJECT_DIR": str(job / "internal")}
    assert team.run("apply", "--yes", "-f", JOBS[0], cwd=job, **variables).code == 0
    assert set(team.files.values()) == {"?/connections.yaml"}


@pytest.mark.parametrize("how", ["clone", "worktree", "submodule", "sparse", "archive"])
def test_the_same_in_another_checkout(team: Team, how: str) -> None:
    assert team.run("apply", "--yes", "-f", "customers", "-f", "internal").code == 0
    other = team.folder.parent / "other"
    variables: dict[str, str] = {}
    match how:
        case "clone":
            team.git("clone", "-q", ".", str(other))
        case "worktree":
            team.git("worktree", "add", "-q", str(other))
        case "submodule":
            (team.folder.parent / "outer").mkdir()
            team.git("init", "-q", cwd=team.folder.parent / "outer")
            argv = ("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(team.folder), "inner")
            team.git(*argv, cwd=team.folder.parent / "outer")
            other = team.folder.parent / "outer" / "inner"
        case "sparse":
            team.git("clone", "-q", "--sparse", ".", str(other))
            team.git("sparse-checkout", "set", "customers", cwd=other)
        case "archive":
            other = team.archive()
            variables = {"CONNFORM_ROOT": str(other)}
    for file in JOBS[:1] if how == "sparse" else JOBS:
        assert "no changes" in team.run("plan", "-f", file, cwd=other, **variables).out


@pytest.mark.parametrize("named", ["linked/connections.yaml", "linked", "current.yaml", "../outside"])
def test_a_path_through_a_link_is_the_same_file(team: Team, named: str) -> None:
    (team.folder / "linked").symlink_to("customers")
    (team.folder / "current.yaml").symlink_to("customers/connections.yaml")
    (team.folder.parent / "outside").symlink_to(team.folder / "customers")
    assert team.run("apply", "--yes", "-f", "customers").code == 0
    assert "no changes" in team.run("plan", "-f", named).out
    assert team.run("apply", "--yes", "-f", named).code == 0
    assert "no changes" in team.run("plan", "-f", "customers").out


@pytest.fixture
def top(team: Team) -> Team:
    """A team with a manifest at the top of its repository, that was applied."""
    shutil.copy(team.folder / JOBS[0], team.folder / "connections.yaml")
    assert team.run("apply", "--yes", "-f", "connections.yaml").code == 0
    return team


def test_another_repository_is_refused(top: Team) -> None:
    other = top.other("crm", "globex")
    planned = top.run("plan", cwd=other)
    assert "needs --force: the database belongs to another repository, the one that begins with commit" in planned.out
    refused = top.run("apply", "--yes", cwd=other)
    assert refused.code == 7
    assert "CONNFORM_REPOSITORY" in refused.err
    assert "no changes" in top.run("plan").out
    assert top.run("apply", "--yes", "--force", cwd=other).code == 0
    assert "belongs to another repository" in top.run("plan").out, "the other one has it now"


def test_repositories_are_told_apart_by_their_origin(top: Team) -> None:
    top.git("remote", "add", "origin", "https://user:pa55@git.acme.example/team/one.git")
    top.git("add", ".")
    top.repository.declare("globex", "initech", tags=["x"])
    assert top.run("apply", "--yes").code == 0
    other = top.other("crm")
    top.git("remote", "add", "origin", "git@git.acme.example:team/two.git", cwd=other)
    refused = top.run("apply", "--yes", cwd=other)
    assert refused.code == 7
    assert "another repository, git.acme.example/team/one:" in refused.err
    shallow = top.folder.parent / "shallow"
    top.git("clone", "-q", "--depth", "1", f"file://{top.folder}", str(shallow))
    top.git("remote", "set-url", "origin", "ssh://git@GIT.acme.example:22/team/one", cwd=shallow)
    shutil.copy(top.folder / "connections.yaml", shallow / "connections.yaml")
    assert "no changes" in top.run("plan", cwd=shallow).out
    top.repository.declare("globex", "initech", tags=["y"])
    shutil.copy(top.folder / "connections.yaml", shallow / "connections.yaml")
    assert top.run("apply", "--yes", cwd=shallow).code == 0
    archive = top.archive()
    job = {"GITHUB_SERVER_URL": "https://git.acme.example", "GITHUB_REPOSITORY": "team/two"}
    (archive / "connections.yaml").write_text((other / "connections.yaml").read_text())
    refused = top.run("apply", "--yes", cwd=archive, **job, GITHUB_WORKSPACE=str(archive))
    assert refused.code == 7


def test_repositories_of_one_name_share_a_database(team: Team) -> None:
    shared = {"CONNFORM_REPOSITORY": "platform"}
    assert team.run("apply", "--yes", "-f", JOBS[0], cwd=team.folder, **shared).code == 0
    other = team.other("crm")
    assert team.run("apply", "--yes", cwd=other, **shared).code == 0
    assert team.files == FILES | {"crm": "connections.yaml"}
    refused = team.run("apply", "--yes", "-f", JOBS[1], "--repository", "another")
    assert (refused.code, "another repository, platform" in refused.err) == (7, True)


def test_a_repository_without_a_history_claims_nothing(team: Team) -> None:
    new = team.other("crm", history=False)
    assert team.run("apply", "--yes", cwd=new).code == 0
    assert team.run("apply", "--yes", "-f", JOBS[0]).code == 0
    assert team.run("apply", "--yes", cwd=new).code == 0, "what it is can't be told yet"


def test_state_beside_manifests_belongs_to_nobody(repository: Repository) -> None:
    repository.state = ""
    team = Team(repository)
    assert team.run("apply", "--yes", "-f", JOBS[0], CONNFORM_STATE="", CONNFORM_REPOSITORY="a").code == 0
    (team.folder / JOBS[0]).write_text((team.folder / JOBS[1]).read_text())
    assert team.run("apply", "--yes", "-f", JOBS[0], CONNFORM_STATE="", CONNFORM_REPOSITORY="b").code == 0


@pytest.mark.parametrize("root", [{"CONNFORM_ROOT": "srv"}, {}], ids=["with a root", "without one"])
def test_a_configmap_is_the_same_manifest_when_its_content_is_replaced(team: Team, root: dict[str, str]) -> None:
    srv = team.folder.parent / "srv"
    variables = {name: str(srv) for name in root}
    manifest = (team.folder / "internal" / "connections.yaml").read_bytes()
    mount_files(srv, "2026_11_29", **{"connections.yaml": manifest})
    assert team.run("apply", "--yes", cwd=srv, **variables).code == 0
    mount_files(srv, "2026_11_30", **{"connections.yaml": manifest.replace(b"crm", b"cms")})
    shutil.rmtree(srv / "..2026_11_29")
    planned = team.run("plan", cwd=srv, **variables)
    assert "1 to create, 1 to remove" in planned.out, planned
