"""A property that is worked out when it is first asked for, and holds up nobody else."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from connform.diagnostics import Span
from connform.lazy_property import lazy_property
from connform.manifest.model import Connection
from tests.forking import forked


class Counted:
    """Counts how often its property is worked out."""

    count = 0

    @lazy_property
    def value(self) -> int:
        """What is worked out."""
        self.count += 1
        return self.count


def test_it_is_worked_out_once() -> None:
    one, other = Counted(), Counted()
    assert [one.value, one.value, other.value] == [1, 1, 1]
    assert Counted.value.__doc__ == "What is worked out."


class Slow(dict[str, Any]):
    """Settings whose reading is in the midst."""

    def __init__(self) -> None:
        super().__init__(auth={"method": "bearer"})
        self.is_read, self.goes_on = threading.Event(), threading.Event()

    def __getitem__(self, key: str) -> Any:
        self.is_read.set()
        self.goes_on.wait(30)
        return super().__getitem__(key)


def test_a_child_reads_a_connection_while_a_thread_of_its_parent_reads_another() -> None:
    settings = Slow()
    slow, quick = (
        Connection("name", "http", values, Path(), Span("connections.yaml", 1, 1, 1, 1))
        for values in (settings, {"auth": {"method": "api_key"}})
    )
    reading = threading.Thread(target=lambda: slow.auth)
    reading.start()
    try:
        assert settings.is_read.wait(20)
        with forked(lambda: quick.auth.method) as child:
            assert child.result() == "api_key"
    finally:
        settings.goes_on.set()
        reading.join()
    assert slow.auth.method == "bearer"
