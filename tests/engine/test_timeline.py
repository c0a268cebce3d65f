"""The stages of a check: what thousands have in common is kept once, and nothing else is taken for the same."""

from __future__ import annotations

from connform.engine.run.timeline import Timeline
from connform.faults import Stage


def facts(**given: object) -> object:
    timeline = Timeline()
    timeline.done(Stage.HTTP, **given)
    return timeline.facts(Stage.HTTP)


def test_equal_facts_are_kept_once() -> None:
    assert facts(http_status=200) is facts(http_status=200)


def test_facts_that_are_only_equal_as_numbers_stay_what_they_are() -> None:
    assert [repr(facts(count=value)) for value in (1, True, 1.0)] == [
        "{'count': 1}",
        "{'count': True}",
        "{'count': 1.0}",
    ]


def test_facts_that_can_change_are_not_shared() -> None:
    addresses = ["192.0.2.7"]
    kept = facts(addresses=addresses)
    assert kept == {"addresses": addresses}
    assert kept is not facts(addresses=addresses)
