"""Permissions, at a moto that checks signatures and policies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from connform.secrets.kit.interface import StoreConfig
from tests.conftest import Plant, require_peer
from tests.secrets.aws.moto import REGION, Moto, running_moto
from tests.secrets.aws.reading import failure, read, shown

PERMISSIONS = {
    "reader": ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue", "ssm:GetParameters"],
    "single": ["secretsmanager:GetSecretValue"],
    "nobody": ["s3:GetObject"],
}
"""User → what they may do."""
NAMES = [f"strict/{number}" for number in range(3)]


@pytest.fixture(scope="module")
def strict_moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with running_moto(require_peer("moto_server"), tmp_path_factory.mktemp("strict")) as server:
        server.demand_permissions(demanded=False)
        yield server


@pytest.fixture(scope="module")
def keys(strict_moto: Moto) -> Iterator[dict[str, dict[str, Any]]]:
    """The access keys of the users, who are judged from now on."""
    for name in NAMES:
        strict_moto.put_secret(name, name)
        strict_moto.put_parameter(f"/{name}", name)
    session = Session()
    session.set_credentials("writer", "writer")
    iam = session.create_client("iam", region_name=REGION, endpoint_url=strict_moto.url)
    found = {}
    for user, actions in PERMISSIONS.items():
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="reads", PolicyDocument=json.dumps(policy))
        found[user] = iam.create_access_key(UserName=user)["AccessKey"]
    iam.close()
    strict_moto.demand_permissions(demanded=True)
    yield found
    strict_moto.demand_permissions(demanded=False)


@pytest.fixture
def strict_store(
    strict_moto: Moto, keys: dict[str, dict[str, Any]], home: Path, tmp_path: Path, plant: Plant
) -> StoreConfig:
    known = {user: (key["AccessKeyId"], key["SecretAccessKey"]) for user, key in keys.items()}
    known |= {"forger": (known["reader"][0], "wrong"), "stranger": ("AKIASTRANGER00000000", "wrong")}
    lines = [
        f"[{user}]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
        for user, (key, secret) in known.items()
    ]
    plant(home / ".aws" / "credentials", "\n".join(lines))
    return StoreConfig(tmp_path, {"region": REGION, "endpoint_url": strict_moto.url})


@pytest.mark.parametrize(
    ("user", "prefix", "found"),
    [
        ("reader", "awssecrets://", NAMES),
        ("reader", "awsssm:///", NAMES),
        ("single", "awssecrets://", NAMES),
        ("single", "awsssm:///", ["secret_denied"] * 3),
        ("nobody", "awssecrets://", ["secret_denied"] * 3),
        ("nobody", "awsssm:///", ["secret_denied"] * 3),
        ("forger", "awsssm:///", ["secret_denied"] * 3),
        ("stranger", "awssecrets://", ["secret_denied"] * 3),
    ],
)
def test_a_policy_decides_what_is_read(strict_store: StoreConfig, user: str, prefix: str, found: list[str]) -> None:
    store = strict_store._replace(settings={**strict_store.settings, "profile": user})
    assert shown(read(store, *(f"{prefix}{name}" for name in NAMES))) == found


@pytest.mark.parametrize(
    ("user", "text", "hint"),
    [
        ("nobody", "awsssm:///strict/0", "ssm:GetParameters"),
        ("nobody", "awssecrets://strict/0", "secretsmanager:GetSecretValue"),
        ("forger", "awsssm:///strict/0", "ssm:GetParameters"),
    ],
)
def test_a_denial_says_what_to_allow(strict_store: StoreConfig, user: str, text: str, hint: str) -> None:
    store = strict_store._replace(settings={**strict_store.settings, "profile": user})
    assert hint in failure(store, text).hint
