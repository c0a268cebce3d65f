"""What a failed check says to do next names the connection and the address, so that it can be copied."""

from __future__ import annotations

from pathlib import Path

from connform.simulator import Simulator
from tests.canary import API_KEY
from tests.end_to_end.running import run_here as run

MANIFEST = """\
version: 1
defaults: {{environment: private, base_url: "{url}/api/v1", tls: {{ca_file: ca.pem}}}}
connections:
  globex: {{auth: {{method: api_key, api_key: "env://GLOBEX_KEY"}}}}
  initech:
    auth:
      method: oauth2
      client_id: portal
      client_secret: env://INITECH_SECRET
      redirect_uri: https://localhost/callback
"""


def test_a_failed_check_names_the_next_command_or_page(tmp_path: Path) -> None:
    with Simulator() as simulator:
        host, port = simulator.address
        (tmp_path / "connections.yaml").write_text(MANIFEST.format(url=f"https://{host}:{port}"))
        (tmp_path / "ca.pem").write_bytes(simulator.ca_pem)
        ended = run("check", cwd=tmp_path, env={"GLOBEX_KEY": API_KEY, "INITECH_SECRET": API_KEY})
    assert ended.code == 4
    assert "run `connform login initech`" in ended.out
    assert f"keys are made at https://{host}:{port}/" in " ".join(ended.out.split())
