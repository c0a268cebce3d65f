from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from connform import registry
from connform.errors import ConnformError
from connform.registry import PROVIDERS_GROUP, SECRETS_GROUP, LazyTable, PluginKind, find, names


def test_a_lazy_table_knows_its_names_and_loads_what_is_asked_for_once() -> None:
    loaded: list[str] = []

    def load(name: str) -> str:
        loaded.append(name)
        return name.upper()

    table = LazyTable(["one", "two"], load)
    assert (list(table), len(table), "one" in table, "three" in table) == (["one", "two"], 2, True, False)
    assert loaded == []
    assert (table["two"], table.get("two"), table.get("three")) == ("TWO", "TWO", None)
    assert loaded == ["two"]


class Named(Protocol):
    """A protocol of two members, one of which has a default."""

    name: str
    is_old: bool = False


class BuiltIn:
    name = "built-in"
    is_old = False


BUILT_IN: dict[str, Named] = {"http": BuiltIn()}
PROVIDERS = PluginKind(PROVIDERS_GROUP, Named)
SECRETS = PluginKind(SECRETS_GROUP, Named)
OBJECT = "class Plug:\n    name = 'plugged in'\nX = Plug()\n"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Put a distribution with entry points on sys.path."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_loaded", {})
    monkeypatch.setattr(registry, "_broken", {})
    registry._entry_points.cache_clear()

    def install(package: str, entry_points: str, module: str = "") -> None:
        metadata = tmp_path / f"{package}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(entry_points)
        if module:
            (tmp_path / f"{package}.py").write_text(module)

    yield install
    registry._entry_points.cache_clear()


def test_a_plug_in_is_found_by_its_entry_point(install: Callable[..., None]) -> None:
    install("acme_cf_one", "[connform.providers]\nacme = acme_cf_one:X\n", OBJECT)
    found = find("acme", BUILT_IN, PROVIDERS)
    assert found is not None
    assert found.name == "plugged in"
    assert not hasattr(found, "is_old")
    assert find("acme", BUILT_IN, PROVIDERS) is found
    assert find("acme", BUILT_IN, SECRETS) is None
    assert names(BUILT_IN, PROVIDERS_GROUP) == ["acme", "http"]


def test_a_plug_in_never_takes_a_built_in_name(install: Callable[..., None]) -> None:
    install("acme_cf_two", "[connform.providers]\nhttp = acme_cf_two:EVIL\n", "raise SystemExit('loaded')\n")
    assert find("http", BUILT_IN, PROVIDERS) is BUILT_IN["http"]
    assert names(BUILT_IN, PROVIDERS_GROUP) == ["http"]


def test_a_built_in_name_reads_no_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        pytest.fail("the metadata were read")

    monkeypatch.setattr(registry, "_entry_points", fail)
    assert find("http", BUILT_IN, PROVIDERS) is BUILT_IN["http"]


def test_an_unknown_name_is_none() -> None:
    assert find("nobody", BUILT_IN, PROVIDERS) is None


def test_listing_loads_nothing(install: Callable[..., None]) -> None:
    install("acme_cf_three", "[connform.secrets]\nacme = acme_cf_three:X\n", "raise RuntimeError('loaded')\n")
    assert names({}, SECRETS_GROUP) == ["acme"]


@pytest.mark.parametrize(
    ("package", "module", "words"),
    [
        ("acme_cf_four", "raise RuntimeError('no licence')\n", "RuntimeError: no licence"),
        ("acme_cf_five", "", "ModuleNotFoundError"),
        ("acme_cf_six", "Y = 1\n", "AttributeError"),
        ("acme_cf_nine", "X = object()\n", "it has no `name`"),
        ("acme_cf_ten", "class X:\n    name = ''\n", "it is the class X, and an object of it is needed"),
    ],
    ids=["raises", "no module", "no attribute", "no member", "class"],
)
def test_a_broken_plug_in_is_named_with_its_package(
    install: Callable[..., None], package: str, module: str, words: str
) -> None:
    install(package, f"[connform.secrets]\nacme = {package}:X\n", module)
    with pytest.raises(ConnformError) as caught:
        find("acme", {}, SECRETS)
    assert package in str(caught.value)
    assert words in str(caught.value)


def test_two_packages_with_one_name_are_an_error(install: Callable[..., None]) -> None:
    install("acme_cf_seven", "[connform.secrets]\nacme = acme_cf_seven:X\n", "X = 1\n")
    install("acme_cf_eight", "[connform.secrets]\nacme = acme_cf_eight:X\n", "X = 2\n")
    with pytest.raises(ConnformError) as caught:
        find("acme", {}, SECRETS)
    assert "acme_cf_seven" in str(caught.value)
    assert "acme_cf_eight" in str(caught.value)
