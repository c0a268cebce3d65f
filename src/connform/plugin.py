"""Public names for third-party providers and secret backends; nothing else is a stable interface.

No IO. A provider is an object of the protocol `Provider`, named by an entry point of the group `connform.providers`;
a backend is an object of the protocol `Backend`, in the group `connform.secrets`.
"""

from __future__ import annotations

from connform.errors import ConnectionFailed, SecretUnresolved
from connform.manifest.model import Connection
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape
from connform.providers.interface import Answer, CheckRequest, Instance, Judgement, Provider
from connform.secret import Secret, SecretReference
from connform.secrets.kit.interface import Backend, Fetched, HasStoreRules, OpenStore, Outcome, StoreConfig
from connform.secrets.kit.opened import Documents, Once
from connform.secrets.kit.value import secret_from_text, text_from_bytes, whole_or_field

__all__ = [
    "Answer",
    "Backend",
    "CheckRequest",
    "Connection",
    "ConnectionFailed",
    "Documents",
    "Fetched",
    "Finding",
    "HasStoreRules",
    "Instance",
    "Judgement",
    "Once",
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
