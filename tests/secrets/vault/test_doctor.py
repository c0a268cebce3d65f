"""`connform doctor` logs in to a real OpenBao, and reads no secret there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.running import run_here
from tests.secrets.vault.openbao import OpenBao

MANIFEST = """\
version: 1
stores:
  corp: {{type: vault, address: "{address}", ca_file: "{ca_file}", auth: {{method: token, token: "env://BAO_TOKEN"}}}}
connections:
  crm:
    environment: private
    instance: acme
    auth: {{method: api_key, api_key: "corp://secret/never/written#key"}}
"""


@pytest.mark.parametrize("is_valid", [True, False])
def test_a_token_is_judged_without_reading(bao: OpenBao, reader: str, tmp_path: Path, is_valid: bool) -> None:
    (tmp_path / "connections.yaml").write_text(MANIFEST.format(address=bao.address, ca_file=bao.ca_file))
    environment = {"BAO_TOKEN": reader if is_valid else "s.unknown"}
    done = run_here("doctor", "--format", "json", "--timeout", "5", cwd=tmp_path, env=environment)
    (store,) = [one for one in done.report["findings"] if one["name"] == "corp (vault)"]
    if is_valid:
        assert (store["status"], store["message"]) == ("ok", "logged in; no secret was read")
    else:
        assert store["status"] == "problem"
        assert "does not know the token" in store["message"]
