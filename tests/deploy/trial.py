"""Starts the units in a booted container, and writes what came of it as JSON. Run by `tests/long/systemd.py`, with Debian's Python."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

PAGE = "http://127.0.0.1:9877"
STATE = "/var/lib/private/connform"
AS_SERVICE = ("DynamicUser=yes", "User=connform", "StateDirectory=connform", "StateDirectoryMode=0700")
PATIENCE_S = 30.0


def said(*command: str) -> str:
    """Return what a command printed, on both streams."""
    return subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


def systemctl(*arguments: str) -> str:
    return said("systemctl", *arguments)


def answer(path: str) -> str:
    """Return what the monitor answers, as soon as it does."""
    found, until = "", time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{PAGE}{path}") as response:
                return str(response.read().decode())
        except urllib.error.URLError as error:
            found = repr(error)
            time.sleep(0.1)
    return found


def state_of(unit: str) -> str:
    properties = ("Result", "ExecMainStatus", "ActiveState", "MemoryPeak", "NRestarts")
    return systemctl("show", unit, *(f"--property={name}" for name in properties))


def main() -> None:
    found = {"simulator": systemctl("start", "simulator.service")}
    systemctl("start", "connform-check.service")
    found["check"] = state_of("connform-check.service") + said(
        "journalctl", "--no-pager", "-u", "connform-check.service"
    )
    found["files"] = said("ls", "-lan", STATE)
    as_service = (f"--property={one}" for one in AS_SERVICE)
    history = ("/opt/connform/bin/connform", "state", "history", "sandbox-us", "--state", f"sqlite://{STATE}")
    found["history"] = said("systemd-run", "--quiet", "--pipe", "--wait", *as_service, *history)
    found["start"] = systemctl("start", "connform-monitor.service")
    found["ready"] = answer("/readyz")
    found["report"] = answer("/report.json")
    found["environment"] = said(
        "sh", "-c", "tr '\\0' '\\n' < /proc/$(systemctl show --value --property=MainPID connform-monitor)/environ"
    )
    found["refused"] = said(
        "setpriv",
        "--reuid=4242",
        "--regid=4242",
        "--clear-groups",
        "cat",
        "/run/credentials/connform-monitor.service/sandbox-us",
    )
    found["reload"] = systemctl("reload", "connform-monitor.service")
    found["ready after the reload"] = answer("/readyz")
    systemctl("stop", "connform-monitor.service")
    found["monitor"] = state_of("connform-monitor.service") + said(
        "journalctl", "--no-pager", "-u", "connform-monitor.service"
    )
    found["timers"] = systemctl("list-timers", "--no-pager", "connform-check.timer")
    Path("/trial.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
