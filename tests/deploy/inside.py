"""Commands in a read-only root, in namespaces of their own; prints as JSON how each ended.

    unshare --mount --net python -m tests.deploy.inside FOLDER PROGRAM [IMAGE]

The folder is empty; the program is connform's path in the root, which is that of an image or made of this system. The manifest and its secret are mounted as Kubernetes mounts a ConfigMap and a Secret.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.deploy.read_only_root import STATE, ReadOnlyRoot
from tests.end_to_end.conftest import PACKAGES, Issuer
from tests.end_to_end.running import AS_INSTALLED
from tests.http.servers import Server, answer

ADDRESS = "127.0.0.1:9877"
SECRETS = "/run/secrets/connform"
TOKEN = "synthetic-token-of-prometheus"
BARE = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **AS_INSTALLED}
WITH_STATE = {**BARE, "CONNFORM_STATE": f"sqlite://{STATE}", "CONNFORM_ROOT": "/srv"}


def mount_files(folder: Path, version: str, **files: bytes) -> Path:
    """Write files as Kubernetes mounts them: links into a folder that is replaced as a whole."""
    (folder / f"..{version}").mkdir(parents=True)
    for name, content in files.items():
        (folder / f"..{version}" / name).write_bytes(content)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    (folder / "..new").symlink_to(f"..{version}")
    (folder / "..new").replace(folder / "..data")
    return folder


def answer_of(path: str, *, awaits: int, token: str = "") -> str:
    """Return what the monitor answers, as soon as it does so with a status."""
    until, found = time.monotonic() + 40, ""
    request = urllib.request.Request(f"http://{ADDRESS}{path}", headers={"Authorization": f"Bearer {token}"})
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(request, timeout=10) as answered:
                status, found = answered.status, answered.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                status, found = error.code, error.read().decode()
        except OSError as error:  # it doesn't listen yet
            status, found = 0, str(error)
        if status == awaits:
            break
        time.sleep(0.02)
    return found


def monitored(root: ReadOnlyRoot, program: str, *, is_ready: bool, env: dict[str, str]) -> dict[str, Any]:
    """Start a monitor, ask it, and end it."""
    with root.start(program, "monitor", "--listen", ADDRESS, "--auth-file", f"{SECRETS}/auth", env=env) as process:
        said = {
            "livez": answer_of("/livez", awaits=200),
            "readyz": answer_of("/readyz", awaits=200 if is_ready else 503),
            "refusal": answer_of("/report.json", awaits=401),
            "report": answer_of("/report.json", awaits=200, token=TOKEN),
        }
        process.terminate()
        _, err = process.communicate(timeout=40)
    return {"code": process.returncode, "err": err, **said}


def ran(root: ReadOnlyRoot, program: str, renew_manifest: Callable[[], object]) -> dict[str, Any]:
    """Run the commands, one after the other; return how each ended."""

    def connform(*arguments: str, env: dict[str, str]) -> dict[str, Any]:
        return root.run(program, *arguments, env=env)

    ended = {
        "id": root.run("id", "--user", env=BARE),
        "write": root.run("touch", "/srv/x", "/usr/x", "/x", env=BARE),
        "check": connform("check", "--format", "json", env=BARE),
        "record": connform("check", "--record", "--format", "json", env=WITH_STATE),
        "apply": connform("apply", "--yes", "--format", "json", env=WITH_STATE),
        "record beside the manifest": connform("check", "--record", env=BARE),
        "apply beside the manifest": connform("apply", "--yes", env=BARE),
        "simulate": connform("check", "--simulate", env=BARE),
    }
    ended["monitor"] = monitored(root, program, is_ready=True, env=WITH_STATE)
    ended["monitor beside the manifest"] = monitored(root, program, is_ready=False, env=BARE)
    renew_manifest()
    return {**ended, "plan of a mount that was replaced": connform("plan", "--detailed-exitcode", env=WITH_STATE)}


def main() -> None:
    folder, program, image, *_ = [*map(Path, sys.argv[1:]), None]
    authority = Issuer()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    behaviour = answer(PACKAGES, "Content-Type: application/json")
    with Server(behaviour, tls=authority.loopback()) as server:
        connection = {
            "environment": "private",
            "base_url": f"https://127.0.0.1:{server.port}/api/v1",
            "auth": {"method": "api_key", "api_key": f"file://{SECRETS}/key"},
            "tls": {"ca_file": "ca.pem"},
        }
        manifest = json.dumps({"version": 1, "connections": {"acme": connection}}).encode()
        files = {"connections.yaml": manifest, "ca.pem": authority.pem}
        holds = {
            "/srv": mount_files(folder / "srv", "2026_11_29", **files),
            SECRETS: mount_files(folder / "secrets", "2026_11_29", key=b"synthetic", auth=TOKEN.encode()),
        }
        (folder / "root").mkdir()
        root = ReadOnlyRoot(folder / "root", image, holds)
        ended = ran(root, str(program), lambda: mount_files(folder / "srv", "2026_11_30", **files))
    json.dump(ended, sys.stdout)


if __name__ == "__main__":
    main()
