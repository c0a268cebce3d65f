"""From a pull request to the applied state, and the look at night: the recipes' own scripts, with a real git, PostgreSQL and simulator."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.ci.conftest import ROOT, commit_all, git
from tests.ci.github_api import GitHub, running_github
from tests.ci.github_runner import Ended, Runner
from tests.ci.gitlab_api import TOKEN, GitLab, running_gitlab
from tests.ci.gitlab_runner import Shell, chosen, pipeline
from tests.conftest import require_library, require_peer
from tests.database.postgres import Postgres
from tests.end_to_end.running import AS_INSTALLED, COMMAND, Run, run_here, start

pytestmark = pytest.mark.timeout(110)  # many processes, one after the other

RECIPES = ROOT / "examples" / "github"
READER = "connform_plan"
NAMES = ("billing", "crm", "tickets", "chat")
"""Two in each of two shards."""


@dataclass
class Team:
    """A team's clone of its repository, with the manifest that it edits."""

    folder: Path
    origin: Path
    simulator: tuple[str, str]
    """Its address and the file of its CA."""
    key: Path
    """The file with the API key."""
    connections: dict[str, dict[str, Any]] = field(default_factory=dict)

    def declare(self, *names: str, **values: Any) -> None:
        address, ca_file = self.simulator
        for name in names:
            self.connections[name] = {
                "environment": "private",
                "base_url": f"{address}/api/v1",
                "tls": {"ca_file": ca_file},
                "auth": {"method": "api_key", "api_key": "env://ACME_KEY" if name == "crm" else f"file://{self.key}"},
                **values,
            }
        content = {"version": 1, "connections": self.connections}
        (self.folder / "connections.yaml").write_text(json.dumps(content, indent=1))

    def commit(self, branch: str) -> str:
        """Commit everything on a branch that begins here, and push it."""
        git(self.folder, "checkout", "--quiet", "-B", branch)
        commit = commit_all(self.folder)
        git(self.folder, "push", "--quiet", "--force", "origin", branch)
        return commit

    def merge(self, branch: str, how: str) -> str:
        """Merge a branch into the main one as a button on the code host does, and return the commit."""
        git(self.folder, "checkout", "--quiet", "main")
        git(self.folder, "merge", "--quiet", how, branch)
        if how == "--squash":
            git(self.folder, "commit", "--quiet", "--message", "Squashed")
        git(self.folder, "push", "--quiet", "origin", "main")
        return git(self.folder, "rev-parse", "HEAD").out.strip()


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    require_library("trustme")
    ca_file = tmp_path_factory.mktemp("simulator") / "ca.pem"
    with start("simulator", "--ca-file", ca_file, cwd=ca_file.parent) as process:
        assert process.stdout is not None
        found = next(found for line in process.stdout if (found := re.match(r"address +(\S+)", line)))
        yield found[1], str(ca_file)
        process.terminate()


@pytest.fixture
def states(postgres: Postgres) -> Mapping[str, str]:
    """The URLs of a fresh database: of the role that applies, and of the one that can only read."""
    import psycopg

    writer = postgres.fresh()
    with psycopg.connect(writer, autocommit=True) as admin:
        admin.execute(f"DROP ROLE IF EXISTS {READER}".encode())
        for statement in _page_statements():
            admin.execute(statement.encode())
    return {"CONNFORM_STATE": writer, "CONNFORM_PLAN_STATE": writer.replace("//connform:", f"//{READER}:")}


def _page_statements() -> list[str]:
    """Return what the page has somebody do who makes the two roles; the first one is there."""
    page = (ROOT / "docs" / "guides" / "pipeline.md").read_text("utf-8")
    (block,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    from tests.database.postgres import PASSWORD

    statements = [" ".join(re.sub("--.*", "", one).split()) for one in block.replace("…", PASSWORD).split(";\n")]
    return [one for one in statements if one and not re.match(r"CREATE (DATABASE|ROLE connform )", one)]


@pytest.fixture
def team(tmp_path: Path, simulator: tuple[str, str], states: Mapping[str, str]) -> Team:
    """Of three connections, which are applied."""
    origin, folder, key = tmp_path / "origin.git", tmp_path / "team", tmp_path / "key"
    key.write_text("simulated-key")
    key.chmod(0o600)
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch", "main", origin)
    git(tmp_path, "clone", "--quiet", origin, folder)
    made = Team(folder, origin, simulator, key)
    made.declare(*NAMES[:3])
    made.commit("main")
    variables = {"CONNFORM_STATE": states["CONNFORM_STATE"], "ACME_KEY": "simulated-key"}
    applied = run_here("apply", "--yes", cwd=folder, env=variables)
    assert applied.code == 0, applied.err
    return made


@pytest.fixture
def github() -> Iterator[GitHub]:
    with running_github() as served:
        yield served


@dataclass
class Hub:
    """The team's repository on GitHub."""

    team: Team
    runner: Runner
    api: GitHub
    states: Mapping[str, str]

    def pull_request(self, branch: str, *jobs: str) -> dict[str, Ended]:
        """Open a pull request of a branch, or push to it."""
        head = git(self.team.folder, "rev-parse", branch).out.strip()
        git(self.team.folder, "checkout", "--quiet", "--detach", "origin/main")
        git(self.team.folder, "merge", "--quiet", "--no-ff", branch)
        git(self.team.folder, "push", "--quiet", "--force", "origin", "HEAD:refs/pull/7/merge")
        event = {"number": 7, "head": {"sha": head, "repo": {"full_name": "acme/connections"}}}
        github: dict[str, Any] = {
            "event_name": "pull_request",
            "sha": git(self.team.folder, "rev-parse", "HEAD").out.strip(),
        }
        github["event"] = {"pull_request": event, "repository": {"private": False}}
        ended = self.runner.run(RECIPES / "connform-pull-request.yml", github, *jobs)
        self.api.runs[head] = len(self.runner.artifacts)
        self.api.artifacts = self.runner.artifacts
        return ended

    def merge(self, branch: str, how: str) -> dict[str, Ended]:
        """Merge the pull request of a branch, and run what follows."""
        head = git(self.team.folder, "rev-parse", branch).out.strip()
        merged = self.team.merge(branch, how)
        self.api.pulls[merged] = [{"merged_at": "2026-11-29T12:00:00Z", "head": {"sha": head}}]
        return self.runner.run(RECIPES / "connform-apply.yml", {"event_name": "push", "sha": merged, "event": {}})

    def by_hand(self, digest: str) -> dict[str, Ended]:
        """Run the workflow that applies by hand."""
        sha = git(self.team.folder, "rev-parse", "origin/main").out.strip()
        github = {"event_name": "workflow_dispatch", "sha": sha, "event": {}}
        inputs = {"digest": digest}
        return self.runner.run(RECIPES / "connform-apply.yml", github, inputs=inputs, shards=["1/1"])

    def night(self, *jobs: str, before: Mapping[str, Ended] | None = None) -> dict[str, Ended]:
        sha = git(self.team.folder, "rev-parse", "origin/main").out.strip()
        github = {"event_name": "schedule", "sha": sha, "event": {}}
        return self.runner.run(RECIPES / "connform-nightly.yml", github, *jobs, before=before)

    def recorded(self) -> dict[str, Any]:
        """What the state says, by name."""
        variables = {"CONNFORM_STATE": self.states["CONNFORM_STATE"]}
        exported = run_here("state", "export", cwd=self.team.folder, env=variables).connections
        return {name: one["recorded"]["specification"]["settings"] for name, one in exported.items()}


@pytest.fixture
def hub(team: Team, github: GitHub, states: Mapping[str, str], tmp_path: Path) -> Hub:
    programs = tmp_path / "github" / "programs"
    programs.mkdir(parents=True)
    (programs / "gh").symlink_to(require_peer("gh"))
    secrets = {**states, "CONNFORM_KEY": "x", "ACME_KEY": "simulated-key"}
    runner = Runner(tmp_path / "github", team.origin, secrets, variables=github.environment)
    return Hub(team, runner, github, states)


def rotate(key: Path) -> None:
    """Store another version of a key: of a file, that is when it was written."""
    written = key.stat()
    os.utime(key, ns=(written.st_atime_ns, written.st_mtime_ns + 60 * 10**9))


def digest_of(text: str) -> str:
    (found,) = {*re.findall(r"sha256:[0-9a-f]{64}", text)}
    return str(found)


def results(ended: Mapping[str, Ended]) -> dict[str, str]:
    return {name: job.result for name, job in ended.items()}


def test_the_story_on_github(hub: Hub) -> None:
    team, api = hub.team, hub.api

    # A branch: its plan is a comment.
    team.declare("chat", owner="support")
    team.declare("crm", owner="support")
    team.commit("chat")
    planned = hub.pull_request("chat", "plan", "comment")
    assert results(planned) == {"plan": "success", "comment": "success"}, planned
    (comment,) = api.comments
    assert comment["body"].startswith("### connform plan: 4 connections, 1 to create, 1 to update\n")
    assert "| create | `chat` |" in comment["body"]
    assert "owner: (none) → support" in comment["body"]

    # The merge applies that plan, in two parts side by side.
    merged = hub.merge("chat", "--squash")
    assert results(merged) == {"plan": "success", "apply": "success", "plan-again": "skipped"}, merged
    owners = {"billing": None, "crm": "support", "tickets": None, "chat": "support"}
    assert {name: one.get("owner") for name, one in hub.recorded().items()} == owners

    # At night, a rotated key opens an issue, which is closed when nothing differs any more.
    rotate(team.key)
    night = hub.night()
    assert results(night) == {"refresh": "success", "issue": "success"}
    (issue,) = api.issues
    assert "| update | `tickets` | the secret file" in issue["body"]
    assert "was rotated" in issue["body"]
    hub.night("issue", before={"refresh": night["refresh"]})
    assert [one["state"] for one in api.issues] == ["open"]
    hub.night("issue", before={"refresh": Ended("success", {"has-changes": "false", "exit-code": "0"})})
    assert [one["state"] for one in api.issues] == ["closed"]

    # A plan that does something else after the merge is refused, and the one of now is shown.
    team.declare("tickets", owner="sales")
    team.commit("tickets")
    assert results(hub.pull_request("tickets", "plan", "comment")) == {"plan": "success", "comment": "success"}
    (comment,) = api.comments
    assert "| update | `tickets` |" in comment["body"], "renewed"
    git(team.folder, "checkout", "--quiet", "main")
    team.declare("tickets")
    team.declare("crm", owner="sales")
    team.commit("main")
    refused = hub.merge("tickets", "--no-ff")
    assert results(refused) == {"plan": "success", "apply": "failure", "plan-again": "success"}
    stale = "::error title=connform apply::error: the plan is stale, since crm is declared otherwise now"
    assert stale in refused["apply"].log
    assert hub.recorded()["tickets"]["owner"] == "sales", "the other part had no other plan"
    assert "| update | `crm` |" in refused["plan-again"].summary

    # Who has looked at it applies it by hand.
    by_hand = hub.by_hand(digest_of(refused["plan-again"].summary))
    assert results(by_hand) == {"plan": "success", "apply": "success", "plan-again": "skipped"}, by_hand
    assert hub.recorded()["crm"]["owner"] == "sales"


@dataclass
class Project:
    """The team's repository on GitLab."""

    team: Team
    api: GitLab
    states: Mapping[str, str]
    folder: Path
    jobs: dict[str, Any] = field(default_factory=lambda: pipeline(ROOT / "examples" / "gitlab" / ".gitlab-ci.yml"))

    def run(self, commit: str, name: str, source: str, **variables: str) -> Run:
        """Run a job of the pipeline of a commit, in a clone that holds the plan of the jobs before it."""
        is_trusted = "environment" in self.jobs[name]
        given = {
            "CI_API_V4_URL": f"http://127.0.0.1:{self.api.port}/api/v4",
            "CI_PROJECT_ID": "5",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "5" if source == "merge_request_event" else "",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_PIPELINE_SOURCE": source,
            "CI_COMMIT_SHA": commit,
            "CI_COMMIT_BRANCH": "main",
            "CI_DEFAULT_BRANCH": "main",
            "CONNFORM_GITLAB_TOKEN": TOKEN,
            "CONNFORM_STATE": self.states["CONNFORM_STATE" if is_trusted else "CONNFORM_PLAN_STATE"],
            **({"ACME_KEY": "simulated-key"} if is_trusted else {}),
            **variables,
        }
        assert name in chosen(self.jobs, given)
        checkout = self.folder / commit
        if not checkout.exists():
            git(self.folder, "clone", "--quiet", self.team.origin, checkout)
            git(checkout, "checkout", "--quiet", commit)
        return Shell(f"{self.folder / 'programs'}:{os.environ['PATH']}", AS_INSTALLED).run(
            self.jobs[name], checkout, given
        )

    def apply(self, commit: str, source: str, **variables: str) -> list[Run]:
        """Run the jobs that apply, side by side."""
        total = self.jobs["connform-apply"]["parallel"]
        nodes = [{"CI_NODE_INDEX": str(index), "CI_NODE_TOTAL": str(total)} for index in range(1, total + 1)]
        with ThreadPoolExecutor(total) as pool:
            return list(pool.map(lambda node: self.run(commit, "connform-apply", source, **node, **variables), nodes))


@pytest.fixture
def project(team: Team, states: Mapping[str, str], tmp_path: Path) -> Iterator[Project]:
    require_peer("curl")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "connform").symlink_to(COMMAND)
    (programs / "pip").symlink_to("/bin/true")  # the image has it already
    with running_gitlab() as api:
        yield Project(team, api, states, tmp_path)


def test_the_story_on_gitlab(project: Project) -> None:
    team, api = project.team, project.api

    # A branch: its plan is a comment, which the next run renews.
    team.declare("chat", owner="support")
    branch = team.commit("chat")
    assert project.run(branch, "connform-plan", "merge_request_event").code == 0
    for _ in range(2):
        commented = project.run(branch, "connform-comment", "merge_request_event")
        assert commented.code == 0, commented.err
    (note,) = api.notes
    assert "| create | `chat` |" in note["body"]
    api.plans[7] = (project.folder / branch / "plan.json").read_bytes()

    # The merge applies that plan, in two parts side by side.
    merged = team.merge("chat", "--squash")
    assert project.run(merged, "connform-reviewed-plan", "push").code == 1, "of no merge request"
    api.merged[merged] = 7
    fetched = project.run(merged, "connform-reviewed-plan", "push")
    assert fetched.code == 0, fetched.err
    assert [one.code for one in project.apply(merged, "push")] == [0, 0]

    # At night, a rotated key fails the pipeline.
    rotate(team.key)
    night = project.run(merged, "nightly-plan", "schedule")
    assert (night.code, "was rotated" in night.out) == (2, True), night.err


@pytest.mark.parametrize(
    ("variables", "jobs"),
    [
        (
            {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "5"},
            {"connform-validate", "connform-plan", "connform-comment"},
        ),
        (
            {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "6"},
            {"connform-validate"},
        ),
        ({"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main"}, {"connform-reviewed-plan", "connform-apply"}),
        ({"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "chat"}, set()),
        ({"CI_PIPELINE_SOURCE": "web", "CI_COMMIT_BRANCH": "main"}, {"connform-plan"}),
        ({"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BRANCH": "main"}, {"nightly-plan"}),
    ],
    ids=["merge request", "of another project", "merge", "branch", "by hand", "at night"],
)
def test_gitlab_runs_a_job_where_it_belongs(variables: dict[str, str], jobs: set[str]) -> None:
    always = {"CI_PROJECT_ID": "5", "CI_DEFAULT_BRANCH": "main", "CONNFORM_GITLAB_TOKEN": TOKEN}
    assert chosen(pipeline(ROOT / "examples" / "gitlab" / ".gitlab-ci.yml"), always | variables) == jobs
