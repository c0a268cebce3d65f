"""Fixtures of the AWS tests: one moto for all, a proxy before it for each test, and profiles whose keys are canaries."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connform.secrets.kit.interface import StoreConfig
from tests.canary import API_KEY
from tests.conftest import Plant, require_peer
from tests.secrets.aws.front import EXPIRED_KEY, Front, running_front
from tests.secrets.aws.moto import REGION, Moto, running_moto

CREDENTIALS = f"""\
[reader]
aws_access_key_id = AKIAREADERREADER0000
aws_secret_access_key = {API_KEY}
aws_session_token = {API_KEY}

[expired]
aws_access_key_id = {EXPIRED_KEY}
aws_secret_access_key = {API_KEY}
aws_session_token = {API_KEY}
"""


@pytest.fixture(scope="session", autouse=True)
def models_read_once() -> Iterator[None]:
    """Read what botocore knows of a service once: a session of its own in each test would read it again."""
    from botocore.loaders import JSONFileLoader

    load = functools.cache(JSONFileLoader().load_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: load(path))
        yield


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with running_moto(require_peer("moto_server"), tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture
def front(moto: Moto) -> Iterator[Front]:
    with running_front(moto.port) as server:
        yield server


@pytest.fixture(autouse=True)
def profiles(home: Path, plant: Plant, clean_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks the metadata service of a cloud, and everybody has keys."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    plant(home / ".aws" / "credentials", CREDENTIALS)


@pytest.fixture
def store(tmp_path: Path, front: Front) -> StoreConfig:
    settings: dict[str, Any] = {"region": REGION, "profile": "reader", "endpoint_url": front.url}
    return StoreConfig(tmp_path, settings)
