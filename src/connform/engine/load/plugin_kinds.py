"""The kinds of plug-ins that manifests name, and what the results of their methods must be.

Layer 3, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import UnionType
from typing import Any

from connform.auth.interface import AuthMethod
from connform.diagnostics import CODES
from connform.errors import SecretUnresolved, unknown_fault
from connform.faults import FAULTS
from connform.grant import GrantFacts
from connform.http.credential import Credential, HeaderLines
from connform.issued_token import TokenFacts
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape
from connform.providers.environments import PRODUCTION, TEST
from connform.providers.interface import Answer, CheckRequest, Instance, Judgement, Provider
from connform.registry import AUTH_GROUP, PROVIDERS_GROUP, SECRETS_GROUP, PluginKind, protocol_problem, type_name
from connform.secret import Secret
from connform.secrets.kit.interface import Backend, Fetched, OpenStore

_URLS = ("base_url", "key_management_url", "authorize_url", "token_url", "revoke_url")
_METHODS = ("GET", "HEAD", "POST")


def _wrong_field(value: Any, fields: Mapping[str, type | UnionType]) -> str:
    """Return which field of a value has a wrong type, as the rest of a sentence; empty if none has."""
    for name, needed in fields.items():
        if not isinstance(getattr(value, name), needed):
            found = type(getattr(value, name)).__name__
            return f"returned {type(value).__name__} whose `{name}` is {found}, and {type_name(needed)} is needed"
    return ""


def _json_problem(value: object, what: str) -> str:
    import json  # imported here for start-up: few runs have a plug-in

    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return f"returned {what} that can't be written as JSON"
    return ""


def _finding_problem(finding: Any) -> str:
    if not isinstance(finding, Finding):
        return f"yielded {type(finding).__name__}, and Finding is needed"
    if finding.code not in CODES:
        return f"yielded Finding with the code `{finding.code!s:.40}`, which does not exist: `connform help diagnostics` lists them"
    wrong = _wrong_field(finding, {"path": tuple, "detail": str, "hint": str, "related": tuple, "fix": str})
    if not wrong and not all(isinstance(part, str | int) for part in finding.path):
        return "yielded Finding whose `path` holds something other than keys and indices"
    return wrong


def _instance_problem(instance: Instance, *_: object) -> str:
    from urllib.parse import urlsplit  # few manifests use plug-ins

    texts = dict.fromkeys(("headers", "query", "values"), Mapping)
    wrong = _wrong_field(instance, {**dict.fromkeys(Instance._fields, str), "safe_posts": Sequence, **texts})
    for name in () if wrong else _URLS:
        try:
            _ = urlsplit(getattr(instance, name)).port  # of a wrong port, only this raises
        except ValueError:
            return f"returned Instance whose `{name}` is no URL"
    return wrong


def _request_problem(request: Any, *_: object) -> str:
    if request.method not in _METHODS:
        return f"returned CheckRequest whose `method` is not one of {', '.join(_METHODS)}"
    wrong = _wrong_field(request, {"path": str, "json": Mapping | list | None})
    if not wrong and not request.path.isprintable():
        return "returned CheckRequest whose `path` holds a control character"
    return wrong or _json_problem(request.json, "CheckRequest with a body")


def _judgement_problem(judgement: Judgement, *_: object) -> str:
    wrong = _wrong_field(judgement, {"fault": str, "message": str, "hint": str, "facts": Mapping})
    if not wrong and judgement.fault and judgement.fault not in FAULTS:
        return f"returned {unknown_fault(judgement.fault)}"
    return wrong or _json_problem(dict(judgement.facts), "Judgement with facts")


def _class_problem(found: str, *_: object) -> str:
    return "" if found in (PRODUCTION, TEST) else f"returned another text than {PRODUCTION} or {TEST}"


def _protocol_check(protocol: type) -> Callable[..., str]:
    def check(value: object, *_: object) -> str:
        problem = protocol_problem(value, protocol)
        return f"returned {type(value).__name__}, and {protocol.__name__} is needed: {problem}" if problem else ""

    return check


def _store_problem(store: Any, *_: object) -> str:
    wrong = _protocol_check(OpenStore)(store)
    wrong = wrong or _wrong_field(store, {"batch_size": int})
    return wrong or (f"returned {type(store).__name__} whose `batch_size` is negative" if store.batch_size < 0 else "")


def _outcomes_problem(outcomes: Sequence[Any], references: Sequence[object]) -> str:
    if len(outcomes) != len(references):
        return f"returned {len(outcomes)} outcomes of {len(references)} references"
    for outcome in outcomes:
        if not isinstance(outcome, Fetched | SecretUnresolved):
            return f"returned the outcome {type(outcome).__name__}, and Fetched or SecretUnresolved is needed"
        if isinstance(outcome, Fetched) and (wrong := _wrong_field(outcome, {"secret": Secret, "version": str})):
            return wrong
    return ""


PROVIDER_PLUGINS = PluginKind(
    PROVIDERS_GROUP,
    Provider,
    {
        "default_scopes": tuple,
        "refresh_scope": str,
        "shape": Shape,
        "rules": Iterable,
        "instance": Instance,
        "check_request": CheckRequest,
        "judge": Judgement,
        "ready_answer": Answer,
        "example_answers": Mapping,
        "environment_class": str,
    },
    {
        "instance": _instance_problem,
        "check_request": _request_problem,
        "judge": _judgement_problem,
        "environment_class": _class_problem,
    },
    {"rules": _finding_problem},
)
"""Third-party providers."""
AUTH_PLUGINS = PluginKind(
    AUTH_GROUP,
    AuthMethod,
    {
        "shape": Shape,
        "rules": Iterable,
        "headers": HeaderLines,
        "renew": HeaderLines,
        "scheme": str,
        "facts": GrantFacts | TokenFacts | None,
    },
    {"credential": _protocol_check(Credential)},
    {"rules": _finding_problem},
    makers=frozenset({"credential"}),
)
"""Third-party auth methods. The methods of their credentials are guarded too."""
BACKEND_PLUGINS = PluginKind(
    SECRETS_GROUP,
    Backend,
    {
        "store_shape": Shape,
        "form": str,
        "rules": Iterable,
        "lint": str,
        "missing": str,
        "document": str,
        "read": Sequence,
    },
    {"open": _store_problem, "read": _outcomes_problem},
    {"rules": _finding_problem},
    makers=frozenset({"open"}),
    failure=SecretUnresolved,
    passed=(TimeoutError,),
)
"""Third-party secret backends. The time-out of a read has its own message."""
KINDS: Mapping[str, PluginKind] = {kind.group: kind for kind in (PROVIDER_PLUGINS, AUTH_PLUGINS, BACKEND_PLUGINS)}
"""The kinds by the group of their entry points."""
