"""Authorities, made once: keys take time."""

from __future__ import annotations

import pytest

from tests.http.exchanging import CLIENTS, MODES
from tests.http.servers import Authority

AS_A_CHECK = {
    "test_body",
    "test_certificates",
    "test_deadline",
    "test_proxy",
    "test_renewal",
    "test_stages",
    "test_stalls",
    "test_steps",
    "test_tls",
}
"""Modules whose tests are about one exchange, whoever makes it."""


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def stranger() -> Authority:
    return Authority("Intercepting Proxies Ltd")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marked = any("mode" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "mode" in metafunc.fixturenames and not marked:
        module = metafunc.module.__name__.rpartition(".")[2]
        metafunc.parametrize("mode", MODES if module in AS_A_CHECK else CLIENTS)
