"""The interface for third-party providers and secret backends: all names that they may import.

No IO. Names that are not in `__all__` may change at any time. An entry point of the group `connform.providers` leads to
an object of the `Provider` protocol, one of `connform.secrets` to an object of the `Backend` protocol.
"""

from __future__ import annotations

from connform.errors import ConnectionFailed, SecretUnresolved
from connform.manifest.model import Connection
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape
from connform.providers.interface import Answer, CheckRequest, Instance, Judgement, Provider
from connform.secret import Secret, SecretReference
from connform.secrets.kit.interface import Backend, Fetched, HasStoreRules, OpenStore, Outcome, StoreConfig
from connform.secrets.kit.open_store import DocumentStore, OnceValue
from connform.secrets.kit.value import secret_from_text, text_from_bytes, whole_or_field

__all__ = [
    "Answer",
    "Backend",
    "CheckRequest",
    "Connection",
    "ConnectionFailed",
    "DocumentStore",
    "Fetched",
    "Finding",
    "HasStoreRules",
    "Instance",
    "Judgement",
    "OnceValue",
    "OpenStore",
    "Outcome",
    "Provider",
    "Secret",
    "SecretReference",
    "SecretUnresolved",
    "Shape",
    "StoreConfig",
    "secret_from_text",
    "text_from_bytes",
    "whole_or_field",
]
