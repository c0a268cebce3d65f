"""The plan file: its JSON Schema, writing and reading.

Layer 3; reads the file. A plan file may be published: it holds what manifests declare, references and no secrets.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from connform.engine.changes.canonical import digest
from connform.engine.changes.plan import Action, Plan, make_step
from connform.engine.changes.specification import is_harmless
from connform.engine.load.selection import Selection
from connform.engine.run.shard import PARTS, Shard
from connform.errors import PlanUnusable
from connform.manifest.input_files import read_argument

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_DIGEST = {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"}
_FILE_DIGEST = "file_digest"
"""The key with the digest of all other keys."""
_MINOR_VERSION = 2
"""That of `format_version`; since 1.2, a plan has its files, and its steps are sorted."""
_MAX_BYTES = 64 * 1024 * 1024
"""Enough for some 25,000 changes with all of their values."""


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _with_optional(schema: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {**schema, "properties": schema["properties"] | properties}


PLAN_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A saved plan (connform plan --out FILE)",
    **_object(
        format_version={
            "type": "string",
            "pattern": r"^1\.[0-9]+$",
            "description": "A later minor version may have more keys.",
        },
        file_digest=_DIGEST | {"description": "Of everything else that the file says."},
        digest=_DIGEST
        | {"description": "Of the names, actions, `before`, `after`, `moved_from` and `revokes` of all changes."},
        files=_TEXTS | {"description": "The manifests, as paths in the repository, sorted."},
        selection=_object(connections=_TEXTS, exclude=_TEXTS, tags=_TEXTS, changed_since=_TEXT),
        shard=_object(
            number={"type": "integer", "minimum": 1, "maximum": PARTS},
            total={"type": "integer", "minimum": 1, "maximum": PARTS},
        ),
        changes={
            "type": "array",
            "items": _with_optional(
                _object(
                    name=_TEXT,
                    action={"enum": [str(action) for action in Action]},
                    before=_DIGEST | {"description": "Of what was applied; empty where nothing was."},
                    after=_DIGEST | {"description": "Of what is declared; empty where nothing is."},
                    fields={"type": "array", "items": _object(pointer=_TEXT, before={}, after={})},
                    reasons=_TEXTS,
                    live=_TEXTS,
                ),
                moved_from=_TEXT | {"description": "The name under which it is recorded."},
                revokes=_TEXT | {"description": "The living grant that would be ended."},
            ),
        },
    ),
}
"""The JSON Schema (2020-12) of a plan file."""


_KEYS_OF_STEP = ("name", "action", "before", "after", "moved_from", "revokes")


class PlanFile(NamedTuple):
    """The content of a plan file, as far as `apply` needs it."""

    digest: str
    """The digest of `steps`."""
    files: tuple[str, ...]
    """As `Plan.files`."""
    selection: Selection
    """The selection of connections."""
    shard: Shard
    """The shard of the plan."""
    steps: list[list[str]]
    """As `Plan.steps`."""
    all_steps: list[list[str]]
    """As `Plan.all_steps`, of the shard."""
    live: frozenset[str]
    """The connections for which a live check found differences; they are to be applied again."""


def plan_file_text(plan: Plan, selection: Selection, shard: Shard) -> str:
    """Return a plan as canonical JSON: equal plans have equal bytes."""
    changes = [
        {
            "name": change.name,
            "action": str(change.action),
            "before": change.before,
            "after": change.after,
            "fields": [
                {"pointer": field.pointer, "before": field.before, "after": field.after} for field in change.fields
            ],
            "reasons": list(change.reasons),
            "live": list(change.live),
            **({"moved_from": change.moved_from} if change.moved_from else {}),
            **({"revokes": str(change.revokes)} if change.revokes else {}),
        }
        for change in sorted(plan.changes, key=lambda change: change.name)
    ]
    names, exclude, tags, changed_since, _ = selection
    chosen = {"connections": names, "exclude": exclude, "tags": tags, "changed_since": changed_since}
    content = {
        "format_version": f"1.{_MINOR_VERSION}",
        "digest": plan.digest,
        "files": plan.files,
        "selection": chosen,
        "shard": shard._asdict(),
        "changes": changes,
    }
    content[_FILE_DIGEST] = digest(content)
    return json.dumps(content, sort_keys=True, separators=(",", ":")) + "\n"


def read_plan_file(file: str) -> PlanFile:
    """Read a plan file.

    Raises:
        PlanUnusable: it can't be read, is no plan file, or was altered.
    """
    from jsonschema import Draft202012Validator

    try:
        content = json.loads(read_argument(file, _MAX_BYTES), object_pairs_hook=_object_without_duplicates)
    except OSError as error:
        raise PlanUnusable(f"can't read {file}: {error.strerror}") from None
    except (ValueError, RecursionError):
        message = f"{file} is not JSON, or has a key twice: a plan is what `connform plan --out FILE` wrote"
        raise PlanUnusable(message) from None
    _require_known_version(content, file)
    problem = next(Draft202012Validator(PLAN_SCHEMA).iter_errors(content), None)
    if problem is not None:
        pointer = "/".join(map(str, problem.absolute_path)) or "the top"
        raise PlanUnusable(f"{file} is no plan that this connform knows: see {pointer}; make it anew")
    file_digest = digest({key: value for key, value in content.items() if key != _FILE_DIGEST})
    changes = content["changes"]
    steps = [make_step(*(change.get(key, "") for key in _KEYS_OF_STEP)) for change in changes]
    if file_digest != content[_FILE_DIGEST] or digest(steps) != content["digest"]:
        raise PlanUnusable(f"{file} was altered after it was written: its digest is that of another plan; make it anew")
    all_steps = [
        [name, action, before, before if is_harmless([field["pointer"] for field in change["fields"]]) else after]
        for change, (name, action, before, after, *_) in zip(changes, steps, strict=True)
    ]
    chosen = content["selection"]
    names, exclude, tags = (tuple(chosen[key]) for key in ("connections", "exclude", "tags"))
    # The selection may match nothing now; the digests show whether it still selects the same connections.
    selection = Selection(names, exclude, tags, chosen["changed_since"], may_be_empty=True)
    live = frozenset(change["name"] for change in changes if change["live"])
    files, shard = tuple(content["files"]), Shard(content["shard"]["number"], content["shard"]["total"])
    return PlanFile(content["digest"], files, selection, shard, steps, all_steps, live)


def _require_known_version(content: Any, file: str) -> None:
    """Require that a plan file has a version that can be read.

    Raises:
        PlanUnusable: it is of another connform, whose plans mean something else.
    """
    version = str(content.get("format_version", "")) if isinstance(content, dict) else ""
    if re.fullmatch(r"1\.[01]", version):
        raise PlanUnusable(f"{file} was written by an earlier connform (format {version}); make it anew")
    if re.fullmatch(r"[0-9]+\.[0-9]+", version) and not version.startswith("1."):
        raise PlanUnusable(
            f"{file} was written by another connform (format {version}, this one has 1.{_MINOR_VERSION}); make it anew"
        )


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object without duplicate keys: JSON parsers differ in which of two equal keys they use.

    Raises:
        ValueError: a key occurs twice.
    """
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key stands twice")
    return content
