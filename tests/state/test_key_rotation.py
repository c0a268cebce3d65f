"""`state rotate-key`: every grant and token is sealed anew, cut off at any moment or not, and whoever has the old key notices."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from connform.database.cipher import new_key
from connform.database.keys import NEW_FILE
from connform.engine.run.state_location import StateLocation
from connform.engine.state_key import rotate_key
from connform.errors import ConnectionFailed
from tests.database.conftest import grant, tokens
from tests.end_to_end.running import Run, run_here
from tests.forking import forked
from tests.state.copies import Place, ending_at

NAMES = ["team-0", "team-1"]
OLD, NEW = "CONNFORM_OLD_KEY", "CONNFORM_NEW_KEY"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    keys = {name: new_key() for name in (OLD, NEW)}
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    return keys


def rotated(folder: Path, place: Place, *options: str) -> Run:
    env = {"CONNFORM_STATE": place.url, **{name: os.environ[name] for name in (OLD, NEW)}}
    run = run_here("state", "rotate-key", *place.options, *options, cwd=folder, env=env)
    assert not any(os.environ[name] in run.out + run.err for name in (OLD, NEW))
    return run


@pytest.fixture
def folder(tmp_path: Path) -> Place:
    """A state with a key file."""
    place = Place(f"sqlite://{tmp_path}/state")
    place.fill(NAMES, NAMES)
    return place


@pytest.fixture(params=["sqlite", "postgresql"])
def named(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A state whose key is a secret reference."""
    url = request.getfixturevalue("database") if request.param == "postgresql" else f"sqlite://{tmp_path}/state"
    place = Place(url, OLD)
    place.fill(NAMES, NAMES)
    return place


def _key_of(folder: Path) -> str:
    return (folder / "state" / "key").read_text()


def test_a_key_file_is_replaced_under_a_running_program(tmp_path: Path, folder: Place) -> None:
    before, key = folder.content(), _key_of(tmp_path)
    with folder.opened() as running:
        assert running.read("team-0") is not None
        run = rotated(tmp_path, folder)
        assert (run.code, run.err) == (0, "")
        assert "2 grants, 2 issued tokens sealed anew with " in run.out
        assert _key_of(tmp_path) not in ("", key)
        assert tokens(running.read("team-1")) == tokens(grant()), "the program reads the file again"
        with running.lock("team-0", 5) as locked:
            kept = locked.read()
            assert kept is not None
            assert locked.begin_refresh(kept)
            locked.write(kept)
        assert running.tokens.read("team-0") is not None
    assert folder.content() == before
    folder_mode = (tmp_path / "state" / "key").stat().st_mode & 0o777
    assert (folder_mode, (tmp_path / "state" / NEW_FILE).exists()) == (0o600, False)


def test_the_next_key_is_named_and_the_old_one_opens_nothing(tmp_path: Path, named: Place) -> None:
    before = named.content()
    with named.opened() as running:
        kept = running.read("team-0")
        assert kept is not None
        run = rotated(tmp_path, named, "--new-key", f"env://{NEW}")
        assert (run.code, run.err) == (0, "")
        assert f"2 grants, 2 issued tokens sealed anew with env://{NEW}\nnext: --state-key env://{NEW}" in run.out
        with running.lock("team-0", 5) as locked:
            for act in (lambda: running.read("team-0"), lambda: locked.begin_refresh(kept), lambda: locked.write(kept)):
                with pytest.raises(ConnectionFailed, match="with another key") as failure:
                    act()
                assert (failure.value.fault.name, "rotate-key" in failure.value.hint) == ("store_key_wrong", True)
    assert Place(named.url, NEW).content() == before
    again = rotated(tmp_path, named, "--new-key", f"env://{NEW}")
    assert (again.code, "nothing to do" in again.out) == (0, True), "with the old key as well it can be repeated"


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ((), 1, "the new one must be as well"),
        (("--new-key", "env://CONNFORM_ABSENT"), 5, "CONNFORM_ABSENT"),
        (("--new-key", "no reference"), 1, "secret reference"),
    ],
)
def test_a_rotation_that_can_not_be_leaves_the_key(
    tmp_path: Path, named: Place, options: tuple[str, ...], code: int, said: str
) -> None:
    before = named.content()
    run = rotated(tmp_path, named, *options)
    assert said in run.err
    assert run.code == code
    assert named.content() == before


def _rotate(place: Place, new_key: str, moment: int) -> int:
    location = StateLocation(place.url, f"env://{place.key_variable}" if place.key_variable else "")
    with ending_at(moment) as moments:
        rotate_key((), state=location, new_key=new_key, lock_timeout_s=30)
    return moments[0]


@pytest.mark.parametrize("kind", ["a file", "a reference"])
def test_cut_off_at_any_moment_every_grant_can_be_read(
    tmp_path: Path, folder: Place, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before, new_key = folder.content(), "" if kind == "a file" else f"env://{NEW}"
    places = [folder, *([Place(folder.url, NEW)] if new_key else [])]
    sealed_anew = 0
    for moment in range(1, 100):
        with forked(partial(_rotate, folder, new_key, moment)) as child, suppress(EOFError):
            assert child.said.recv()[0]
            break
        found = [place for place in places if _opens(place, before)]
        assert len(found) == 1, f"cut off before moment {moment}"
        sealed_anew += found == places[1:]
        if kind == "a file" and moment % 3 == 0:
            assert _rotate(folder, "", 0), "it can be repeated"
            assert folder.content() == before
    assert moment > 10, "nothing was cut off"
    assert sealed_anew == (1 if new_key else 0), "after the commit alone"
    assert _opens(places[-1], before)


def _opens(place: Place, content: object) -> bool:
    """Whether its key is that of the database; then all is there."""
    with place.opened() as table:
        try:
            table.check_key(is_given=True)
        except ConnectionFailed:
            return False
    assert place.content() == content
    return True
