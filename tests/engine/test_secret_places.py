"""Two references to one secret are recognised, however they are written; two secrets aren't taken for one."""

from __future__ import annotations

from typing import Any

import pytest

from connform.engine.changes.secret_identity import SecretIdentity, identity_of
from connform.secret import SecretReference

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/key-AbC123"
VAULT = {"type": "vault", "address": "https://vault.acme.example", "auth": {}}
AZURE = {"type": "azurekv", "address": "https://acme.vault.azure.net"}
AWS = {"type": "awssecrets"}
ROLE = "arn:aws:iam::123456789012:role/connform"


def place(text: str, **store: Any) -> SecretIdentity:
    """Return the place of a reference, in a manifest in the folder `team`."""
    return identity_of(SecretReference.parse(text), store or None, "team")


SAME = [
    (place("env://KEY"), place("ref+env://KEY")),
    (place("env://KEY"), place("mine://KEY", type="env")),
    (place("file://key"), place("file://./x/../key")),
    (place("file://key"), place("file:///checkout/team/key")),
    (place("file:///run/secrets/key"), place("file:////run//secrets/./key")),
    (place("file:///run/secrets/key"), place("mine://key", type="file", path="/run/secrets")),
    (place("file:///run/secrets/key"), place("mine://secrets/key#field", type="file", path="/run")),
    (place("file://../keys/key"), place("mine://key", type="file", path="keys", folder=".")),
    (place("dotenv://.env#KEY"), place("mine://KEY", type="dotenv", path=".env", folder="team")),
    (place("dotenv://.env#KEY"), place("file://.env")),
    (place("sops://a.yaml#/a/b"), place("mine://a/b", type="sops", path="a.yaml", folder="team")),
    (place("mine://a#b", type="sops", path="a.yaml"), place("mine://a/b", type="sops", path="a.yaml")),
    (place("corp://secret/a#k", **VAULT), place("corp://secret/a?version=3#k", **VAULT)),
    (place("corp://secret/a#k", **VAULT), place("mine://a#k", **VAULT, mount="secret")),
    (place("corp://secret/a#k", **VAULT), place("mine://data/a#k", **VAULT, mount="secret", kv_version=1)),
    (place("corp://secret/a#k", **VAULT, namespace="x/y"), place("corp://x/y/secret/a#k", **VAULT)),
    (place("corp://secret/a#k", **VAULT), place("vault://secret/a#k")),
    (place("corp://secret/a", **VAULT), place("corp://secret/a#k", **VAULT)),
    (
        place("corp://secret/a#k", **VAULT),
        place("corp://secret/a#k", **{**VAULT, "address": "https://VAULT.acme.example:443/"}),
    ),
    (place("mine://shop/key", **AWS), place(f"awssecrets://{ARN}")),
    (place("mine://shop/key", **AWS, region="eu-west-1", profile="prod"), place(f"awssecrets://{ARN}")),
    (place("mine://shop/key", **AWS, role_arn=ROLE), place(f"awssecrets://{ARN}")),
    (place("mine://shop/key", **AWS, role_arn=ROLE), place("mine://shop/key", **AWS, role_arn=f"{ROLE}-2")),
    (
        place("mine://shop/key", **AWS, role_arn=ROLE, profile="prod"),
        place("mine://shop/key", **AWS, role_arn=ROLE, profile="test"),
    ),
    (place("mine://shop/key", **AWS, profile="prod"), place("awssecrets://shop/key")),
    (place("awssecrets://shop-secret"), place(f"awssecrets://{ARN.partition('shop')[0]}shop-secret")),
    (place("awssecrets://shop-secret"), place(f"awssecrets://{ARN.partition('shop')[0]}shop-secret-AbCdEf")),
    (place("awsssm:///shop/key"), place("awsssm://shop/key")),
    (place("mine://shop", **AZURE), place("azurekv://Acme/Shop")),
    (
        place("mine://shop", **AZURE),
        place("mine://shop", type="azurekv", address="https://acme.privatelink.vaultcore.azure.net"),
    ),
    (place("mine://key", type="gcpsecrets", project="acme"), place("gcpsecrets://acme/key")),
    (place("gcpsecrets://123456/key"), place("gcpsecrets://acme/key")),
    (place("mine://shop#key", type="k8s", address="https://k8s.example", namespace="ns"), place("k8s://ns/shop#key")),
    (place("mine://v/i/f", type="op", address="https://op.example"), place("op://V/i/f")),
    (place("mine://user", type="keyring", service="a/b"), place("keyring://a/b/user")),
    (place("mine://key", type="pass", path="/srv/store/shop"), place("pass://shop/key")),
    (place("mine://x", type="letterbox", box="a"), place("mine://x", type="letterbox", box="a", environment="sandbox")),
    (place("mine://x", type="letterbox", box="a"), place("mine://x", type="letterbox", box="a", timeout_s=5)),
    (place("mine://x", type="letterbox", box="a"), place("letterbox://x")),
]
OTHER = [
    (place("env://KEY"), place("env://KEY2")),
    (place("env://key"), place("file://key")),
    (place("file://key"), place("file://x/key")),
    (place("file://key"), place("mine://key", type="file", path=".", folder="other")),
    (place("file:///run/secrets/key"), place("file:///run/other/key")),
    (place("dotenv://.env#KEY"), place("dotenv://.env#KEY2")),
    (place("corp://secret/a#k", **VAULT), place("corp://secret/a#l", **VAULT)),
    (
        place("corp://secret/a#k", **VAULT),
        place("corp://secret/a#k", **{**VAULT, "address": "https://test.acme.example"}),
    ),
    (place("corp://secret/a#k", **VAULT, namespace="x"), place("corp://secret/a#k", **VAULT, namespace="y")),
    (place("mine://k", **AWS, profile="prod"), place("mine://k", **AWS, profile="test")),
    (place("mine://k", **AWS, region="eu-west-1"), place("mine://k", **AWS, region="us-east-1")),
    (place("mine://shop/key", **AWS, region="us-east-1"), place(f"awssecrets://{ARN}")),
    (place("mine://k", **AWS, role_arn=ROLE), place("mine://k", **AWS, role_arn=ROLE.replace("123456789012", "2"))),
    (place("awssecrets://k"), place("awsssm://k")),
    (place("azurekv://acme/k"), place("azurekv://test/k")),
    (place("gcpsecrets://acme/k"), place("gcpsecrets://test/k")),
    (place("gcpsecrets://acme/k"), place("mine://k", type="gcpsecrets", project="acme", location="europe-west3")),
    (
        place("mine://v/i/f", type="op", address="https://op.example"),
        place("mine://v/i/f", type="op", address="https://test.example"),
    ),
    (place("mine://x", type="letterbox", box="a"), place("mine://x", type="letterbox", box="b")),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_secret_is_recognised_by_another_name(one: SecretIdentity, other: SecretIdentity) -> None:
    assert set(one.index_keys) & set(other.lookup_keys)
    assert set(other.index_keys) & set(one.lookup_keys)
    assert one.is_same(other)
    assert other.is_same(one)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_two_secrets_are_not_taken_for_one(one: SecretIdentity, other: SecretIdentity) -> None:
    assert not one.is_same(other)
    assert not other.is_same(one)


def test_a_whole_is_more_than_its_part() -> None:
    whole, part = place("corp://secret/a", **VAULT), place("corp://secret/a#k", **VAULT)
    assert (part.is_part_of(whole), whole.is_part_of(part), part.is_part_of(part)) == (True, False, True)
