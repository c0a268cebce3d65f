"""A login server of its own beside an API with a private authority, the usual layout of a company."""

from __future__ import annotations

from pathlib import Path

import pytest

from connform.database import open_grants
from tests.database.conftest import grant, keep
from tests.end_to_end.conftest import PACKAGES, Issuer
from tests.end_to_end.running import run
from tests.http.servers import Server, answer
from tests.oauth.setting import RENEWS
from tests.oauth.test_verdicts import ENVIRONMENT, MANIFEST

PRIVATE, PUBLIC = "the API's own authority", "an authority of the system's store"


@pytest.mark.parametrize(
    ("api_by", "login_by", "fault"),
    [(PRIVATE, PUBLIC, ""), (PRIVATE, PRIVATE, ""), (PUBLIC, PUBLIC, "tls_untrusted_issuer")],
)
def test_whose_certificate_is_trusted(
    authority: Issuer, ca_file: Path, tmp_path: Path, api_by: str, login_by: str, fault: str
) -> None:
    """What `ca_file` names is all that the API may have; a login server elsewhere may have a public one as well."""
    public = Issuer("public")
    issuers = {PRIVATE: authority, PUBLIC: public}
    system = tmp_path / "system.pem"
    system.write_bytes(public.pem)
    with (
        Server(answer(PACKAGES, "Content-Type: application/json"), tls=issuers[api_by].loopback()) as api,
        Server(RENEWS, tls=issuers[login_by].loopback()) as login,
    ):
        token_url = f"https://localhost:{login.port}/connect/token"
        text = MANIFEST.format(port=api.port, ca_file=ca_file, total_s=30)
        (tmp_path / "connections.yaml").write_text(f"{text}      token_url: {token_url}\n")
        store = open_grants("", tmp_path / ".connform", None)
        keep(store, grant(token_url=token_url, client_id="acme-portal"))
        store.close()
        environment = {**ENVIRONMENT, "SSL_CERT_FILE": str(system)}
        ended = run("check", "--format", "json", cwd=tmp_path, env=environment)
    assert ended.connection.get("class", "") == fault, ended.out
