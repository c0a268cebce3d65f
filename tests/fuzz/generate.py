"""Manifests by chance: valid ones from the shapes, then mutated as data and as text. The same seed gives the same ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import yaml

from connform.engine.load.vocabulary import vocabulary
from connform.manifest.settings import EXTENDS
from connform.manifest.shape import Schema, Shape, keys

TEXTS = (
    *("acme", "ci", "team-7", "/me", "X-Api-Key", "read", ".env", "/run/secrets", "ca/acme.pem", "environment"),
    *(
        "https://api.acme.example/v1",
        "https://localhost/auth/syngrafii",
        "env://ACME_KEY",
        "dotenv://.env#KEY",
        "file:///run/x",
    ),
    *(
        "corp://x",
        "vault://kv/x#y",
        "http://acme.example",
        "https://user@acme.example",
        "env://",
        "env://A B",
        "file://x?y=1",
        "file://../../x",
        "ref+file://x.json#/y",
        "ref+echo://x",
        "${ACME_KEY}",
        "$ACME_KEY",
        "{{ env.ACME_KEY }}",
    ),
    *(
        "",
        " ",
        "no",
        "~",
        "1",
        "0x10",
        "1e3",
        "us\n",
        "CA",
        "US",
        "sandbox",
        "private",
        "oauth2",
        "http",
        "é",
        "日本",
        "<<",
        "a" * 70,
    ),
)
BODY_SCHEMAS: tuple[dict[str, Any], ...] = (
    {"type": "object"},
    {"required": ["id"], "properties": {"id": {"type": ["string", "null"], "pattern": "^[a-z]+$"}}},
    {"type": "array", "minItems": 1, "items": {"properties": {"ok": {"const": True}}}},
    {"enum": [1, "a", None]},
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    1.0,
    1.5,
    3600,
    3601,
    10**19,
    [],
    {},
    [1],
    ["a", "a"],
    [[]],
    {"a": 1},
    [None],
)
NAMES = ("one", "two", "three", "sandbox-us", "a.b_c-d", "9")


def manifest(random: Random) -> bytes:
    """Return the text of a manifest: valid, nearly valid, or hardly YAML."""
    data = document(random)
    for _ in range(random.choice((0, 0, 0, 1, 1, 2))):
        mutate_data(random, data)
    text = yaml.dump(
        data,
        Dumper=yaml.CSafeDumper,
        default_flow_style=random.choice((None, False, False, True)),
        sort_keys=False,
        allow_unicode=True,
    )
    for _ in range(random.choice((0, 0, 0, 0, 0, 1, 2))):
        text = random.choice(TEXT_MUTATIONS)(random, text)
    return text.encode("utf-8", "surrogatepass")


def document(random: Random) -> dict[str, Any]:
    """Return a manifest that holds what the schema demands; rules may still object."""
    known = vocabulary()
    data: dict[str, Any] = {"version": 1}
    if random.random() < 0.4:
        data["stores"] = {
            name: an_object(random, known.store) for name in random.sample((*NAMES, "corp"), random.randrange(3))
        }
    if random.random() < 0.3:
        data["defaults"] = a_part(random, an_object(random, known.connection))
    if random.random() < 0.4:
        data["templates"] = {}
        for name in random.sample(NAMES, random.randrange(3)):
            data["templates"][name] = a_part(random, an_object(random, known.connection))
            extend(random, data["templates"][name], data)
    data["connections"] = {}
    for name in random.sample(NAMES, random.randrange(4)):
        connection = an_object(random, known.connection)
        if extend(random, connection, data):
            extends = connection.pop("extends")
            connection = a_part(random, connection) | {"extends": extends}
        data["connections"][name] = connection
    return data


def extend(random: Random, entry: dict[str, Any], data: Mapping[str, Any]) -> bool:
    if random.random() < 0.5 and data.get("templates"):
        entry["extends"] = random.choice((*data["templates"], *data["templates"], "none"))
        return True
    return False


def a_part(random: Random, whole: dict[str, Any]) -> dict[str, Any]:
    """Return some of an object's keys."""
    return {key: value for key, value in whole.items() if random.random() < 0.6}


def an_object(random: Random, shape: Shape) -> dict[str, Any]:
    """Return an object of a shape."""
    made: dict[str, Any] = {}
    here: Shape | None = shape
    while here is not None:
        branch = ""
        if here.discriminator:
            branch = random.choice(tuple(here.branches))
            if branch != here.default or random.random() < 0.5:
                made[here.discriminator] = branch
        for key, part in here.properties.items():
            if key in here.required or random.random() < 0.25:
                made[key] = an_object(random, part) if isinstance(part, Shape) else a_value(random, part)
        here = here.branches.get(branch)
    if "region" not in made and "base_url" not in made and made.get("environment") == "private":
        made["instance"] = "acme"
    return made


def a_value(random: Random, schema: Schema) -> Any:  # noqa: PLR0911  (a table of types)
    """Return a value that a schema accepts."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return random.choice(schema["enum"])
    if "x-definition" in schema:
        return random.choice(BODY_SCHEMAS)
    kind = random.choice(schema["type"]) if isinstance(schema["type"], list) else schema["type"]
    if kind == "object":
        return {"take": 1}
    if kind == "array":
        items = schema.get("items", {"type": "string"})
        return list(dict.fromkeys(a_value(random, items) for _ in range(random.randrange(1, 4))))
    if kind == "number":
        return random.choice((1, 0.5, 20, 3600))
    if kind == "integer":
        return random.randint(schema.get("minimum", 0), schema.get("maximum", 999))
    fitting = [
        text
        for text in (*TEXTS, *schema.get("examples", ()))
        if isinstance(text, str)
        and re.search(schema.get("pattern", ""), text)
        and schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", 1024)
    ]
    return random.choice(fitting)


def mutate_data(random: Random, data: dict[str, Any]) -> None:
    """Change one thing, at any depth, in place."""
    places = list(_mappings(data))
    here = random.choice(places)
    key = random.choice(list(here)) if here else ""
    match random.choice(("remove", "rename", "add", "replace", "replace", "replace", "swap", "wrap", "lift", "null")):
        case "remove":
            here.pop(key, None)
        case "rename" if here:
            here[random.choice((key.replace("_", "-"), key.upper(), key[:-1], key + "s", a_key(random)))] = here.pop(
                key
            )
        case "add":
            here[a_key(random)] = anything(random)
        case "replace" if here:
            here[key] = anything(random)
        case "swap" if here:
            there = random.choice(places)
            if there and key in here:
                other = random.choice(list(there))
                here[key], there[other] = _copy(there[other]), _copy(here[key])
        case "wrap" if here:
            here[key] = random.choice(([here[key]], {a_key(random): here[key]}))
        case "lift" if isinstance(here.get(key), dict):
            inner = here[key]
            here[key] = None
            here.update(_copy(inner))
        case "null" if here:
            here[key] = None


def anything(random: Random) -> Any:
    return _copy(random.choice((*TEXTS, *VALUES, *VALUES)))


def a_key(random: Random) -> str:
    return random.choice(_KEYS)


_KEYS = tuple(
    sorted(
        {
            "<<",
            "apikey",
            "api-key",
            "color",
            "1",
            "",
            "version",
            *keys(vocabulary().connection),
            *keys(vocabulary().store),
            *EXTENDS,
        }
    )
)


def _mappings(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [found for item in value for found in _mappings(item)]
    if not isinstance(value, dict):
        return []
    return [value, *(found for item in value.values() for found in _mappings(item))]


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


_NOISE: tuple[str, ...] = (
    *"\t\n\r :=#-?{}[],&*!|>'\"%@`~<\\0a\x00\x1b\U0001f642",
    *"\x85\u2028\u2029\ufeff\u00a0\u2003\u200b\u202e\u3000\u00ad\uff1a\u201c\u2019",
    *(
        "\r\r\n",
        "{{ x }}",
        "{% x %}",
        "<% x %>",
        "${X}",
        "ENC[x]",
        "\\ud83d\\ude42",
        "\\ud83d",
        "// x",
        "!vault ",
        "- ",
        ": ",
    ),
    *("\n<<<<<<< HEAD\n", "\n=======\n", "\n---\n", "\n...\n", "\n\t# x\n", "\n%x\n", "\n```\n"),
)


def _flip(random: Random, text: str) -> str:
    position = random.randrange(len(text) + 1)
    noise = random.choice(_NOISE)
    return text[:position] + noise + text[position + random.randrange(2) :]


def _lines(change: Callable[[Random, list[str]], None]) -> Callable[[Random, str], str]:
    def changed(random: Random, text: str) -> str:
        lines = text.split("\n")
        change(random, lines)
        return random.choice(("\n", "\n", "\n", "\r\n")).join(lines)

    return changed


def _delete(random: Random, lines: list[str]) -> None:
    del lines[random.randrange(len(lines))]


def _double(random: Random, lines: list[str]) -> None:
    at = random.randrange(len(lines))
    lines.insert(at, lines[at])


def _indent(random: Random, lines: list[str]) -> None:
    at = random.randrange(len(lines))
    lines[at] = random.choice((" ", "  ", "\t")) + lines[at] if random.random() < 0.5 else lines[at].lstrip()


def _move(random: Random, lines: list[str]) -> None:
    lines.insert(random.randrange(len(lines)), lines.pop(random.randrange(len(lines))))


def _anchor(random: Random, lines: list[str]) -> None:
    at = random.randrange(len(lines))
    lines[at] = lines[at].replace(": ", random.choice((": &a ", ": *a ", ": !!str ", ": | ")), 1)
    if random.random() < 0.5:
        lines.append("owner: *a")


TEXT_MUTATIONS = (_flip, *map(_lines, (_delete, _double, _indent, _move, _anchor)))
