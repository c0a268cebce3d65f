"""The units of `deploy/systemd` under a real systemd, booted in a container without a network: about 2 minutes.

Needs root, mmdebstrap and systemd-nspawn (Debian: systemd-container). The simulator is the API, on the container's loopback.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.deploy.debian import REPOSITORY, download_wheels, make_root, run

PORT = 18555
MANIFEST = f"""\
version: 1
connections:
  sandbox-us:
    environment: private
    base_url: https://127.0.0.1:{PORT}/api/v1
    tls: {{ca_file: ca.pem}}
    auth: {{method: api_key, api_key: "file:///run/secrets/connform/sandbox-us"}}
"""
SIMULATOR = f"""\
[Service]
ExecStart=/opt/connform/bin/connform simulator --port {PORT} --ca-file /etc/connform/ca.pem
ExecStartPost=/bin/sh -c 'until test -s /etc/connform/ca.pem; do :; done'
TimeoutStartSec=60
"""
TRIAL = """\
[Unit]
After=basic.target network-online.target dbus.service
[Service]
Type=oneshot
ExecStart=/usr/bin/python3 /trial.py
ExecStopPost=/bin/systemctl --no-block poweroff
[Install]
WantedBy=multi-user.target
"""
BOOT_S = 180


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = folder / "root"
        make_root(root, "systemd", "dbus", "procps")
        fill(root, folder)
        boot(root)
        found: dict[str, str] = json.loads((root / "trial.json").read_text("utf-8"))
        for title, said in found.items():
            print(f"== {title}\n{said}", flush=True)
        return wrong(found)


def fill(root: Path, folder: Path) -> None:
    """Install connform as the page says, and what tries it."""
    wheels = download_wheels(folder, "monitor,simulator")
    run(sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "--wheel-dir", wheels, REPOSITORY)
    shutil.copytree(wheels, root / "wheels")
    within = ("chroot", root)
    run(*within, "python3", "-m", "venv", "/opt/connform")
    pip = (*within, "/opt/connform/bin/pip", "--quiet", "install", "--no-index", "--find-links", "/wheels")
    run(*pip, "connform[monitor,simulator]")
    units = root / "etc/systemd/system"
    shutil.copytree(REPOSITORY / "deploy/systemd", units, dirs_exist_ok=True)
    (units / "simulator.service").write_text(SIMULATOR)
    (units / "trial.service").write_text(TRIAL)
    shutil.copy(Path(__file__).parents[1] / "deploy" / "trial.py", root / "trial.py")
    secrets = root / "etc/connform/secrets"
    secrets.mkdir(parents=True, mode=0o700)
    (root / "etc/connform/connections.yaml").write_text(MANIFEST)
    (secrets / "sandbox-us").write_text("simulated-key\n")
    (secrets / "sandbox-us").chmod(0o600)
    run(*within, "systemctl", "enable", "trial.service", "connform-check.timer")


def boot(root: Path) -> None:
    """Boot it, until the trial turns it off; on a terminal, without which the systemd in it waits for ever."""
    command = (
        f"timeout {BOOT_S} systemd-nspawn --directory={root} --boot --private-network --register=no --keep-unit --quiet"
    )
    argv = ["script", "--quiet", "--command", command, "/dev/null"]
    subprocess.run(argv, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def wrong(found: dict[str, str]) -> int:
    """Return 1 and say what isn't as the page says."""
    expected = {
        "check": "Result=success",
        "monitor": "Result=success",
        "ready": "ok",
        "report": "ready",
        "refused": "Permission denied",
        "history": "1 ready",
        "ready after the reload": "ok",
    }
    missing = [title for title, text in expected.items() if text not in found[title]]
    for title in missing:
        print(f"not as it should be: {title}", file=sys.stderr)
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
