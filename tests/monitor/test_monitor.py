"""What a running `connform monitor` checks, records, reads anew and shows: real processes, an API on loopback with real TLS."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.canary import API_KEY, assert_no_canary
from tests.conftest import require_peer
from tests.http.servers import Server
from tests.monitor.watching import KEY, Api, Monitor, manifest, serving

CHECKS = "connform_checks_total"
FAST = ("--interval", "1s")


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def server(api: Api, tmp_path: Path) -> Iterator[Server]:
    with serving(api, tmp_path) as started:
        yield started


def test_verdicts_are_shown_recorded_and_logged_once_and_no_secret_is(api: Api, server: Server, tmp_path: Path) -> None:
    api.statuses |= {"bad": 401, "busy": 429}
    (tmp_path / "connections.yaml").write_text(manifest(server.port, ["good", "bad", "busy"]))
    with Monitor(tmp_path, *FAST, key=API_KEY) as monitor:
        for name, verdict, least in (("good", "ready", 2), ("bad", "failed", 2), ("busy", "unknown", 1)):
            monitor.until(lambda: (monitor.metric(CHECKS, name=name, verdict=verdict) or 0) >= least)  # noqa: B023  (called before the loop goes on)
            for other in ("ready", "failed", "unknown"):
                assert monitor.metric("connform_connection_verdict", name=name, verdict=other) == (other == verdict)
        assert monitor.metric("connform_connection_fault_info", name="busy", **{"class": "rate_limited"}) == 1
        assert monitor.metric("connform_stage_seconds", name="good", stage="tls")
        assert monitor.metric("connform_manifest_last_reload_successful") == monitor.metric("connform_state_up") == 1
        due_at = monitor.metric("connform_next_check_timestamp_seconds", name="busy") or 0
        checked_at = monitor.metric("connform_last_check_timestamp_seconds", name="busy") or 0
        assert due_at - checked_at == pytest.approx(3600, abs=10)
        shown = monitor.connections()
        assert {name: one["verdict"] for name, one in shown.items()} == {
            "good": "ready",
            "bad": "failed",
            "busy": "unknown",
        }
        page = monitor.get("/")
        assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "style-src" in page.headers["content-security-policy"]
        assert all(name.encode() in page.body for name in shown)
        assert_no_canary(page.body, monitor.get("/metrics").body, monitor.get("/report.json").body, monitor.log)
        lines = subprocess.run(
            [require_peer("promtool"), "check", "metrics"],
            input=monitor.get("/metrics").body,
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert (lines.returncode, lines.stdout, lines.stderr) == (0, b"", b"")
        assert monitor.get("/metrics", Accept="application/openmetrics-text").body.endswith(b"# EOF\n")
        assert monitor.end() == 0
    assert len(api.looks["busy"]) == 1
    assert [line.split(" ", 1)[1].partition(":")[0] for line in monitor.log.splitlines()[1:-1]].count("good") == 1
    assert monitor.log.endswith("Z ended\n")


def test_a_second_process_goes_on_with_what_was_recorded(api: Api, server: Server, tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(manifest(server.port, ["one"]))
    for number in (signal.SIGTERM, signal.SIGINT):
        seen = len(api.looks.get("one", []))
        with Monitor(tmp_path, *FAST, log=number.name) as monitor:
            monitor.until(lambda: (monitor.metric(CHECKS, name="one", verdict="ready") or 0) > seen)  # noqa: B023  (called before the loop goes on)
            assert monitor.end(number) == 0
    assert "one: ready" in (tmp_path / "SIGTERM").read_text()
    assert "one: ready" not in (tmp_path / "SIGINT").read_text()  # it was ready before


def test_manifests_are_read_anew_and_the_last_good_one_stays_at_work(api: Api, server: Server, tmp_path: Path) -> None:
    """A mount of Kubernetes: the files are links to links into a folder that is replaced as a whole."""
    mount = tmp_path / "mount"
    mount.mkdir()
    (mount / "connections.yaml").symlink_to("..data/connections.yaml")
    (mount / "ca.pem").symlink_to("..data/ca.pem")

    def swap(text: str, revision: str) -> None:
        (mount / revision).mkdir()
        (mount / revision / "connections.yaml").write_text(text)
        shutil.copy(tmp_path / "ca.pem", mount / revision)
        former = os.path.realpath(mount / "..data")
        (mount / "..data_tmp").symlink_to(revision)
        (mount / "..data_tmp").replace(mount / "..data")
        if former != str(mount / "..data"):
            shutil.rmtree(former)

    swap(manifest(server.port, ["one"]), "..2026_1")
    with Monitor(tmp_path, *FAST, "-f", "mount/connections.yaml") as monitor:
        monitor.until(lambda: "one" in api.looks)
        swap(manifest(server.port, ["one", "two"]), "..2026_2")
        monitor.until(lambda: "two" in api.looks)
        swap(manifest(server.port, ["three"]).replace("bearer", "bearrer"), "..2026_3")
        monitor.until(lambda: monitor.metric("connform_manifest_last_reload_successful") == 0)
        monitor.until_logged("the last good one stays at work: mount/connections.yaml:8")
        seen = len(api.looks["two"])
        monitor.until(lambda: len(api.looks["two"]) > seen)
        assert monitor.get("/readyz").status == 200
        assert b"unknown-auth-method" in monitor.get("/").body
        swap(manifest(server.port, ["three"]), "..2026_4")
        monitor.until(lambda: "three" in api.looks)
        assert b"unknown-auth-method" not in monitor.get("/").body
        assert monitor.metric("connform_manifest_last_reload_successful") == 1
        assert monitor.metric(CHECKS, name="two") is None
        assert monitor.end() == 0


def test_a_checkout_that_is_swapped_and_secrets_after_sighup_are_used(api: Api, server: Server, tmp_path: Path) -> None:
    """git-sync: one link leads to the worktree of a revision."""
    for revision, names in {"rev1": ["one"], "rev2": ["two"]}.items():
        (tmp_path / revision / "manifests").mkdir(parents=True)
        text = manifest(server.port, names, str(tmp_path / "ca.pem")).replace(
            f"env://{KEY}", f"file://{tmp_path}/{names[0]}"
        )
        (tmp_path / revision / "manifests" / "all.yaml").write_text(text)

    def write_key(name: str, text: str) -> None:
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)

    write_key("one", "first")
    (tmp_path / "current").symlink_to("rev1")
    state = ["--state", f"sqlite:///{tmp_path}/state", "--secret-interval", "1h"]
    with Monitor(tmp_path, *FAST, "-f", "current/manifests", *state) as monitor:
        monitor.until(lambda: "one" in api.looks)
        (tmp_path / "next").symlink_to("rev2")
        (tmp_path / "next").replace(tmp_path / "current")
        monitor.until_logged("two: failed secret_not_found")
        write_key("two", "second")  # what could not be read is read again before the others
        monitor.until(lambda: "two" in api.looks)
        write_key("two", "third")
        monitor.process.send_signal(signal.SIGHUP)
        monitor.until(lambda: api.keys[-1] == "Bearer third")
        assert monitor.end() == 0


def test_checks_go_on_while_the_state_is_away_and_are_recorded_later(api: Api, server: Server, tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(manifest(server.port, ["one"]))
    with Monitor(tmp_path, *FAST, "--state", f"sqlite:///{tmp_path}/disk/state") as monitor:
        monitor.until(lambda: len(api.looks.get("one", [])) >= 2)
        assert (monitor.get("/readyz").status, monitor.get("/livez").status) == (503, 200)
        assert (monitor.metric("connform_state_up"), monitor.metric("connform_state_unrecorded_checks")) == (0, 1)
        assert monitor.connections()["one"]["verdict"] == "ready"
        assert b"Not recorded: " in monitor.get("/").body
        (tmp_path / "disk").mkdir()  # as a disk that is mounted at last
        monitor.until_ready()
        monitor.until(lambda: monitor.metric(CHECKS, name="one", verdict="ready"))
        monitor.until(lambda: monitor.metric("connform_state_unrecorded_checks") == 0)
        assert b"Not recorded: " not in monitor.get("/").body
        assert monitor.end() == 0
    assert monitor.log.count("the state database can't be used, checks go on") == 1
    assert monitor.log.count("the state database can be written again") == 1


def test_a_scraper_by_tls_with_a_token_is_served_elsewhere(api: Api, server: Server, tmp_path: Path) -> None:
    """A real Prometheus reads the metrics, and says which connection is not ready."""
    from tests.http.servers import Authority
    from tests.monitor.prometheus import running_prometheus

    api.statuses["bad"] = 401
    authority = Authority()
    (tmp_path / "tls.pem").write_bytes(authority.server_pem("127.0.0.1"))
    (tmp_path / "monitor-ca.pem").write_bytes(authority.pem)
    (tmp_path / "token").write_text("a-token-of-prometheus")
    (tmp_path / "token").chmod(0o600)
    (tmp_path / "connections.yaml").write_text(manifest(server.port, ["good", "bad"]))
    protected = ["--tls-cert", "tls.pem", "--auth-file", "token"]
    with Monitor(tmp_path, *FAST, *protected) as monitor:
        scrape = {
            "scheme": "https",
            "tls_config": {"ca_file": str(tmp_path / "monitor-ca.pem")},
            "authorization": {"credentials_file": str(tmp_path / "token")},
        }
        with running_prometheus(tmp_path, monitor.port, scrape) as prometheus:
            found = prometheus.until('connform_connection_verdict{verdict="failed"} == 1')
            assert [one["metric"]["name"] for one in found] == ["bad"]
            assert prometheus.until("up == 1")
            found = prometheus.until('rate(connform_checks_total{verdict="ready", name="good"}[10s]) > 0')
            assert len(found) == 1
        assert monitor.end() == 0
    assert urlsplit(monitor.log.splitlines()[0].split()[-1]).scheme == "https"
