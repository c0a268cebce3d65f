"""Looking at recorded state: what it says, whose state it is, and that nothing is in its way."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from connform.database import open_state
from connform.engine.run.state_location import StateLocation
from connform.engine.state import report_state
from connform.recorded import Actor, AppliedRecord, Attempt
from connform.reporters.schemas import SCHEMAS
from tests.end_to_end.running import environment
from tests.end_to_end.running import run_here as run
from tests.state.conftest import Repository

_SPAWN = multiprocessing.get_context("spawn")


@pytest.mark.parametrize(
    ("what", "named"),
    [
        (("list",), "typo/connections.yaml"),
        (("show", "one"), "typo"),
        (("history", "one"), "typo/connections.yaml"),
        (("export",), "empty"),
        (("rm", "one"), "typo/connections.yaml"),
    ],
)
def test_the_state_of_a_file_that_is_not_there_is_not_that_of_this_folder(
    sqlite_repository: Repository, what: tuple[str, ...], named: str
) -> None:
    repository = sqlite_repository
    (repository.folder / "empty").mkdir()
    repository.declare("one")
    with closing(open_state("", repository.folder / ".connform")) as states, states.lock_parts(["00"], 5) as changes:
        changes.write([_record("one", "ready")])
    refused = repository.run("state", *what, "-f", named)
    assert (refused.code, refused.out) == (1, "")
    assert "file-not-found" in refused.err
    assert named in refused.err
    assert repository.recorded().keys() == {"one"}


def test_a_list_is_the_same_whatever_else_is_asked_for(repository: Repository) -> None:
    """Alone it is made of much less than what other formats need."""
    repository.declare("one")
    records = [_record(f"team-{number}", "ready") for number in range(3)]
    failed = records[1].latest._replace(
        by=Actor("zoe\udce9", "höst", "job 7"),
        verdict="failed",
        fault="tcp_refused",
        certificate_expires_at="2027-03-01T12:00:00+00:00",
        latency_ms=12.54,
    )
    with closing(open_state(repository.state, repository.folder / ".connform")) as states:
        with states.lock_parts(["00"], 5) as changes:
            changes.write([records[0], records[1]._replace(latest=failed), records[2]])
        briefs = states.list_rows()
        assert briefs == [record.row for record in states.read().values()]
    alone = repository.run("state", "list")
    beside = repository.run("state", "list", "--format", "text", "--format", "json=all.json")
    assert (alone.code, alone.out) == (0, beside.out)
    assert "team-1" in alone.out
    assert "tcp_refused" in alone.out


def test_a_name_in_two_states_is_one_line_whatever_else_is_asked_for(sqlite_repository: Repository) -> None:
    repository = sqlite_repository
    for team in ("east", "west"):
        (repository.folder / team).mkdir()
        repository.declare("one")
        (repository.folder / "connections.yaml").rename(repository.folder / team / "connections.yaml")
        with (
            closing(open_state("", repository.folder / team / ".connform")) as states,
            states.lock_parts(["00"], 5) as held,
        ):
            held.write([_record("one", "ready")])
    listing = ("state", "list", "-f", "east/connections.yaml", "-f", "west/connections.yaml")
    alone = repository.run(*listing)
    beside = repository.run(*listing, "--format", "text", "--format", "json=all.json")
    assert (alone.code, alone.out) == (0, beside.out)
    assert alone.out.splitlines()[-1].startswith("1 connection in 2 files")


def test_a_state_can_be_looked_at_where_no_manifest_is_left(sqlite_repository: Repository) -> None:
    repository = sqlite_repository
    with closing(open_state("", repository.folder / ".connform")) as states, states.lock_parts(["00"], 5) as changes:
        changes.write([_record("one", "ready")])
    assert repository.recorded().keys() == {"one"}


def _record(name: str, verdict: str) -> AppliedRecord:
    latest = Attempt(datetime.now(UTC), Actor("user", "host"), "create", "", "https://x.example", "api_key", verdict)
    spec = {"settings": {"auth": {"method": "api_key"}}, "base_url": "https://x.example", "stores": {}}
    return AppliedRecord(name, "connections.yaml", "", spec, latest)


def _come_and_go(url: str, folder: Path, begun: Event, ended: Event) -> None:
    """Record connections and forget them, as an apply does, until told to end."""
    records = [_record(f"team-{number}", "ready") for number in range(20)]
    with closing(open_state(url, folder)) as states, states.lock_parts(["00"], 5) as changes:
        while not ended.is_set():
            changes.write(records)
            begun.set()
            changes.write((), [record.connection for record in records])


@pytest.mark.parametrize("with_specifications", [True, False])
def test_records_that_vanish_meanwhile_are_in_nobodys_way(repository: Repository, with_specifications: bool) -> None:
    repository.declare("one")
    file = str(repository.folder / "connections.yaml")
    begun, ended = _SPAWN.Event(), _SPAWN.Event()
    writer = _SPAWN.Process(target=_come_and_go, args=(repository.state, repository.folder / ".connform", begun, ended))
    writer.start()
    try:
        assert begun.wait(30)
        seen = {
            report_state(
                [file],
                state=StateLocation(repository.state),
                command="state list",
                with_specifications=with_specifications,
            ).connection_count
            for _ in range(150)
        }
    finally:
        ended.set()
        writer.join()
    assert seen <= {0, 20}, "all of a transaction, or nothing"


def test_an_export_is_what_its_schema_says(repository: Repository) -> None:
    repository.declare("one", "two")
    repository.declare("bad", base_url="https://localhost:1/bad")
    assert repository.run("apply", "--yes").code == 6
    assert repository.run("apply", "--yes").code == 6
    exported = repository.run("state", "export")
    Draft202012Validator(SCHEMAS["report"]()).validate(exported.report)
    assert {name: len(one["history"]) for name, one in exported.connections.items()} == {"one": 1, "two": 1, "bad": 2}
    only = repository.run("state", "export", "-c", "bad").connections
    assert {name: len(one["history"]) for name, one in only.items()} == {"bad": 2}


@pytest.mark.parametrize(
    ("variables", "job"),
    [
        (
            {"GITHUB_RUN_ID": "7", "GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "acme/shop"},
            "https://github.example/acme/shop/actions/runs/7",
        ),
        ({"CI_JOB_URL": "https://gitlab.example/acme/-/jobs/7"}, "https://gitlab.example/acme/-/jobs/7"),
        ({"BUILD_URL": "https://jenkins.example/job/7/"}, "https://jenkins.example/job/7/"),
    ],
    ids=["github", "gitlab", "jenkins"],
)
def test_the_job_of_a_pipeline_is_recorded(sqlite_repository: Repository, variables: dict[str, str], job: str) -> None:
    repository = sqlite_repository
    repository.declare("one")
    done = run("apply", "--yes", cwd=repository.folder, env=repository.environment | variables)
    assert done.code == 0, done.err
    assert repository.recorded()["one"]["latest"]["by"].endswith(f" ({job})")


@pytest.mark.parametrize("what", [("list",), ("show", "one"), ("history", "one")], ids=" ".join)
def test_a_look_imports_neither_a_parser_nor_the_network(sqlite_repository: Repository, what: tuple[str, ...]) -> None:
    repository = sqlite_repository
    repository.declare("one")
    with closing(open_state("", repository.folder / ".connform")) as states, states.lock_parts(["00"], 5) as changes:
        changes.write([_record("one", "ready")])
    program = (
        "import sys; from connform.cli.main import main; code = main(sys.argv[1:]); "
        "print(code, *sys.modules, file=sys.stderr)"
    )
    looked = subprocess.run(
        [sys.executable, "-c", program, "state", *what],
        cwd=repository.folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    code, *modules = looked.stderr.split()
    assert code == "0"
    unneeded = {
        "yaml",
        "jsonschema",
        "httpx",
        "asyncio",
        "ssl",
        "cryptography",
        "psycopg",
        "connform.engine.load.catalog",
    }
    assert not unneeded.intersection(modules)


@pytest.mark.parametrize("verb", ["plan", "state list"])
def test_a_url_that_leads_to_no_state_is_told(sqlite_repository: Repository, tmp_path: Path, verb: str) -> None:
    repository = sqlite_repository
    repository.declare("a")
    url = f"sqlite://{tmp_path}/typo"
    told = repository.run(*verb.split(), "--state", url)
    assert told.code == 0
    every = ": every connection is new" if verb == "plan" else ""
    assert told.err == f"note: no state in {tmp_path}/typo/state.sqlite3 yet{every}\n"
    assert not (tmp_path / "typo").exists()
    assert repository.run(*verb.split(), "--state", url, "-q").err == ""
    assert repository.run("apply", "--yes", "--state", url).err == ""
    assert repository.run(*verb.split(), "--state", url).err == ""
