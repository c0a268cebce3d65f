"""Writes named connections as a connform manifest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

HEAD = "version: 1\nconnections:\n"
ENVIRONMENTS = ("production", "sandbox", "private")
REGIONS = {"production": ("us", "ca", "eu"), "sandbox": ("us", "eu")}


def name_of(number: int) -> str:
    return f"customer-{number:05}"


def connection(number: int) -> dict[str, Any]:
    """Return one connection; environments, regions and the three auth methods take turns."""
    environment = ENVIRONMENTS[number % 3]
    regions = REGIONS.get(environment)
    secret = f"env://CUSTOMER_{number:05}_SECRET"
    oauth2 = {
        "method": "oauth2",
        "client_id": f"portal-{number}",
        "client_secret": secret,
        "redirect_uri": "https://localhost/auth/syngrafii",
        "scopes": ["profile", "offline_access"],
    }
    methods = ({"method": "api_key", "api_key": secret}, {"method": "bearer", "token": secret}, oauth2)
    return {
        "environment": environment,
        **({"region": regions[number % len(regions)]} if regions else {"instance": f"customer-{number}"}),
        "auth": methods[number // 3 % 3],
        "owner": f"team-{number % 40}@acme.example",
        "tags": ["batch", "customer"],
        "timeouts": {"total_s": 10 + number % 50},
    }


def provider(number: int) -> dict[str, Any]:
    """Return a provider of an API with two environments, a setting in its host, and a token in a header."""
    body = {"type": "object", "required": ["id"]}
    return {
        "title": f"API {number}",
        "environments": {
            "test": {"class": "test", "host": f"test{number}.acme.example"},
            "production": {"host": f"api{number}.acme.example"},
        },
        "settings": {"site": {"pattern": "[a-z][a-z0-9-]*", "examples": ["north"]}},
        "root": "https://{site}.{host}/v1",
        "auth": {"token": {"secrets": {"token": {}}, "headers": {"Authorization": "Token {token}"}}},
        "check": {"method": "GET", "path": "/me"},
        "answers": [{"status": [200], "means": "ready", "body": body}, {"status": [401], "means": "auth_rejected"}],
        "sources": [{"url": "https://docs.acme.example", "read": "2026-11-29"}],
    }


def connection_of_provider(number: int, providers: int) -> dict[str, Any]:
    """Return a connection of as many keys as `connection` makes, to one of so many providers; they take turns."""
    return {
        "provider": f"acme/api{number % providers}",
        "environment": ("test", "production")[number % 2],
        "site": f"site-{number}",
        "auth": {"method": "token", "token": f"env://CUSTOMER_{number:05}_SECRET"},
        "owner": f"team-{number % 40}@acme.example",
        "tags": ["batch", "customer"],
        "timeouts": {"total_s": 10 + number % 50},
    }


def write_manifest_with_providers(path: Path, count: int, providers: int) -> None:
    """Write one manifest that declares its providers."""
    declared = {f"acme/api{number}": provider(number) for number in range(providers)}
    write_manifest(path, ((name_of(number), connection_of_provider(number, providers)) for number in range(count)))
    with path.open("a", encoding="utf-8") as file:
        file.write(f"providers: {json.dumps(declared)}\n")


def yaml_lines(value: dict[str, Any], indent: str) -> Iterator[str]:
    """Yield a mapping in block style, one key a line."""
    for key, item in value.items():
        if item and isinstance(item, dict):
            yield f"{indent}{key}:\n"
            yield from yaml_lines(item, indent + "  ")
        elif isinstance(item, list):
            yield f"{indent}{key}: [{', '.join(item)}]\n"
        else:
            yield f"{indent}{key}: {item}\n"


def write_manifest(path: Path, connections: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Write one manifest."""
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD)
        for name, one in connections:
            file.writelines(yaml_lines({name: one}, "  "))


def write_connections(path: Path, count: int, **changed: object) -> None:
    """Write one manifest of so many connections, each with the same changes."""
    write_manifest(path, ((name_of(number), connection(number) | changed) for number in range(count)))
