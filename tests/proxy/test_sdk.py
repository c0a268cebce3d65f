"""A vendor's library that insists on a key works behind the proxy, and the API gets the real one."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.conftest import require_library
from tests.proxy.conftest import Setting
from tests.proxy.running import execute


def test_stripes_library_works_without_its_key(setting: Setting) -> None:
    require_library("stripe")
    setting.declare(base_url=f"https://127.0.0.1:{setting.port}")
    program = Path(__file__).with_name("clients") / "balance.py"
    try:
        done = execute(
            setting.folder, [sys.executable, program], "--allow", "GET /v1/balance", "--allow", "POST /v1/customers"
        )
    finally:
        setting.declare()
    assert (done.code, done.out) == (0, "balance\nbalance\n"), done.err
    assert setting.upstream.paths == ["/v1/balance", "/v1/customers"]
    for one in setting.upstream.seen:
        assert one.values("authorization") == [setting.upstream.good]
        assert one.values("stripe-version")
