"""An interruption of many items at once: what must not be cut off comes to its end, and nothing more begins."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import pytest

from connform.engine.run.concurrency import cancel_running, for_each, run_coroutine, to_its_end
from connform.engine.run.progress import SILENT


class Item(NamedTuple):
    name: str


def test_an_interruption_cuts_off_what_may_be_cut_off_and_loses_no_result() -> None:
    begun, cut, done = [], [], dict[str, str]()

    async def end_and_record(name: str) -> str:
        cancel_running()
        await asyncio.sleep(0.05)
        return f"{name} was recorded"

    async def work(item: Item) -> str:
        begun.append(item.name)
        try:
            if item.name == "removal":
                await asyncio.sleep(0)  # the check begins
                return await to_its_end(end_and_record(item.name))
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cut.append(item.name)
            raise
        return "checked"

    async def later(item: Item) -> str:
        await asyncio.sleep(0)
        return await work(item)

    items = [Item("removal"), Item("check"), Item("next")]
    with pytest.raises(KeyboardInterrupt):
        run_coroutine(for_each(items, later, 2, SILENT, done))
    assert done == {"removal": "removal was recorded"}
    assert (begun, cut) == (["removal", "check"], ["check"])
    assert not cancel_running()


def test_a_failure_of_what_must_not_be_cut_off_reaches_its_caller() -> None:
    async def fail() -> None:
        cancel_running()
        await asyncio.sleep(0)
        raise LookupError("it failed")

    async def work(_: Item) -> str:
        try:
            await to_its_end(fail())
        except LookupError as error:
            return str(error)
        return ""

    done = dict[str, str]()
    with pytest.raises(KeyboardInterrupt):
        run_coroutine(for_each([Item("removal")], work, 1, SILENT, done))
    assert done == {"removal": "it failed"}
