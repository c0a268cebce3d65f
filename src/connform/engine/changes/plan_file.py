"""The plan file: its JSON Schema, writing, reading, and the comparison with a new plan.

Layer 3; reads the file. A plan file may be published: it holds what manifests declare, references and no secrets.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from connform.engine.changes.living_grants import describe_grant
from connform.engine.changes.plan import Action, Plan, make_step
from connform.engine.changes.specification import digest
from connform.engine.load.selection import Selection
from connform.engine.run.states import PARTS, Shard
from connform.errors import PlanUnusable, Refused
from connform.manifest.input_files import read_argument

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_DIGEST = {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"}
_FILE_DIGEST = "file_digest"
"""The key with the digest of all other keys."""
_MAX_BYTES = 64 * 1024 * 1024
"""Enough for some 25,000 changes with all of their values."""
_MAX_SHOWN = 5
"""How many names a message shows."""


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _with_optional(schema: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {**schema, "properties": schema["properties"] | properties}


PLAN_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A saved plan (connform plan --out FILE)",
    **_object(
        format_version={"type": "string", "pattern": r"^1\.[0-9]+$"},
        file_digest=_DIGEST | {"description": "Of everything else that the file says."},
        digest=_DIGEST
        | {"description": "Of the names, actions, `before`, `after`, `moved_from` and `revokes` of all changes."},
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


class PlanFile(NamedTuple):
    """The content of a plan file, as far as `apply` needs it."""

    digest: str
    """The digest of `steps`."""
    selection: Selection
    """The selection of connections."""
    shard: Shard
    """The shard of the plan."""
    steps: list[list[str]]
    """As `Plan.steps`."""
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
            "fields": [field._asdict() for field in change.fields],
            "reasons": list(change.reasons),
            "live": list(change.live),
            **({"moved_from": change.moved_from} if change.moved_from else {}),
            **({"revokes": describe_grant(change.revokes)} if change.revokes else {}),
        }
        for change in plan.changes
    ]
    names, exclude, tags, changed_since, _ = selection
    chosen = {"connections": names, "exclude": exclude, "tags": tags, "changed_since": changed_since}
    content = {
        "format_version": "1.1",
        "digest": plan.digest,
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
    problem = next(Draft202012Validator(PLAN_SCHEMA).iter_errors(content), None)
    if problem is not None:
        pointer = "/".join(map(str, problem.absolute_path)) or "the top"
        raise PlanUnusable(f"{file} is no plan that this connform knows: see {pointer}; make it anew")
    file_digest = digest({key: value for key, value in content.items() if key != _FILE_DIGEST})
    steps = [
        make_step(*(change.get(key, "") for key in ("name", "action", "before", "after", "moved_from", "revokes")))
        for change in content["changes"]
    ]
    if file_digest != content[_FILE_DIGEST] or digest(steps) != content["digest"]:
        raise PlanUnusable(f"{file} was altered after it was written: its digest is that of another plan; make it anew")
    chosen = content["selection"]
    names, exclude, tags = (tuple(chosen[key]) for key in ("connections", "exclude", "tags"))
    # The selection may match nothing now; the digests show whether it still selects the same connections.
    selection = Selection(names, exclude, tags, chosen["changed_since"], may_be_empty=True)
    live = frozenset(change["name"] for change in content["changes"] if change["live"])
    return PlanFile(content["digest"], selection, Shard(**content["shard"]), steps, live)


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object without duplicate keys: JSON parsers differ in which of two equal keys they use.

    Raises:
        ValueError: a key occurs twice.
    """
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key stands twice")
    return content


def require_same(plan_file: PlanFile, plan: Plan, shard: Shard) -> None:
    """Require that a plan has the same steps as a plan file, for the connections of a shard.

    Raises:
        Refused: the manifest or the recorded state has changed since the file was written.
    """
    expected = [step for step in plan_file.steps if shard.has(step[0])]
    if expected == plan.steps:
        return
    before, now = {step[0]: step for step in expected}, {step[0]: step for step in plan.steps}
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    more = f" and {len(changed) - _MAX_SHOWN} more" if len(changed) > _MAX_SHOWN else ""
    where = ", ".join(changed[:_MAX_SHOWN]) + more or "their order"
    raise Refused(f"the plan is stale: manifest or state moved since it was made ({where}); plan again")
