"""The interface for third-party providers, auth methods, secret backends and formats: all names that they may import.

No IO. Names that are not in `__all__` may change at any time. Each entry point leads to an object of a protocol:
`connform.providers` to a `Provider`, `connform.auth` to an `AuthMethod`, `connform.secrets` to a `Backend`, and
`connform.formats` to a `Reporter`. docs/guides/extending.md has an example of each.
"""

from __future__ import annotations

from connform.auth.interface import AuthInputs, AuthMethod
from connform.environment import variable
from connform.errors import ConnectionFailed, RateLimited, SecretUnresolved, StoreFailed
from connform.http.credential import NO_LINES, Credential, HeaderLines
from connform.http.header import HeaderCredential, bearer, require_parameter, require_sendable
from connform.manifest.model import Connection
from connform.manifest.references import REFERENCE
from connform.manifest.rules import Finding
from connform.manifest.shape import Schema, Shape, Snippet
from connform.manifest.similar import did_you_mean
from connform.manifest.url_schemas import ROOT_URL, URL
from connform.manifest.urls import Url, UrlError, parse_url, url_findings
from connform.process_local import ProcessLocal
from connform.providers.answers import judge_status
from connform.providers.environments import ENVIRONMENT, class_of_label
from connform.providers.interface import Answer, CheckRequest, Instance, Judgement, Provider
from connform.reporters import Reporter
from connform.reporters.findings import ReportFinding, findings
from connform.reporters.terminal import clean, format_place
from connform.reporters.view import View
from connform.secret import Secret, SecretReference
from connform.secrets.kit.command import (
    NETWORK_VARIABLES,
    ProgramResult,
    ordinary_variables,
    require_exit,
    require_program,
)
from connform.secrets.kit.command import run as run_program
from connform.secrets.kit.file_reader import PATH_SCHEMA, read_file
from connform.secrets.kit.interface import (
    DEFAULT_TIMEOUT_S,
    Backend,
    Fetched,
    GroupsByDocument,
    HasRequirements,
    HasStoreRules,
    LogsIn,
    OpenStore,
    Outcome,
    StoreConfig,
)
from connform.secrets.kit.network import NETWORK_KEYS, NetworkSettings, network_findings, network_settings
from connform.secrets.kit.open_store import DocumentStore, OnceValue, attempt
from connform.secrets.kit.requirements import missing_library, missing_program
from connform.secrets.kit.rest import RestApi, RestReply, content_of
from connform.secrets.kit.value import (
    REPEATED,
    fetched_from_bytes,
    field_of,
    object_from_json,
    secret_from_text,
    text_from_base64,
    text_from_bytes,
    text_of_file,
    whole_or_field,
)
from connform.tracebacks import hidden_frames

__all__ = [
    "DEFAULT_TIMEOUT_S",
    "ENVIRONMENT",
    "NETWORK_KEYS",
    "NETWORK_VARIABLES",
    "NO_LINES",
    "PATH_SCHEMA",
    "REFERENCE",
    "REPEATED",
    "ROOT_URL",
    "URL",
    "Answer",
    "AuthInputs",
    "AuthMethod",
    "Backend",
    "CheckRequest",
    "Connection",
    "ConnectionFailed",
    "Credential",
    "DocumentStore",
    "Fetched",
    "Finding",
    "GroupsByDocument",
    "HasRequirements",
    "HasStoreRules",
    "HeaderCredential",
    "HeaderLines",
    "Instance",
    "Judgement",
    "LogsIn",
    "NetworkSettings",
    "OnceValue",
    "OpenStore",
    "Outcome",
    "ProcessLocal",
    "ProgramResult",
    "Provider",
    "RateLimited",
    "ReportFinding",
    "Reporter",
    "RestApi",
    "RestReply",
    "Schema",
    "Secret",
    "SecretReference",
    "SecretUnresolved",
    "Shape",
    "Snippet",
    "StoreConfig",
    "StoreFailed",
    "Url",
    "UrlError",
    "View",
    "attempt",
    "bearer",
    "class_of_label",
    "clean",
    "content_of",
    "did_you_mean",
    "fetched_from_bytes",
    "field_of",
    "findings",
    "format_place",
    "hidden_frames",
    "judge_status",
    "missing_library",
    "missing_program",
    "network_findings",
    "network_settings",
    "object_from_json",
    "ordinary_variables",
    "parse_url",
    "read_file",
    "require_exit",
    "require_parameter",
    "require_program",
    "require_sendable",
    "run_program",
    "secret_from_text",
    "text_from_base64",
    "text_from_bytes",
    "text_of_file",
    "url_findings",
    "variable",
    "whole_or_field",
]
