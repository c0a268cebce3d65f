"""The keys of a connection to an API that a definition describes.

Layer 2, no IO.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from connform.auth.described import described_method
from connform.auth.described.definition import Method
from connform.manifest.shape import Schema, Shape, Snippet
from connform.manifest.urls import URL
from connform.providers.described.addresses import AddressBook
from connform.providers.described.definition import Definition, Environment, Setting


def shape_of(definition: Definition, addresses: AddressBook) -> Shape:
    """Return the keys of a connection: environment, region, settings, and the root where the connection gives it."""
    title = definition.title
    if not definition.environments:
        return _branch(definition, Environment(description=f"A connection to {title}."), "", addresses)
    return Shape(
        discriminator="environment",
        default=addresses.default_environment,
        code="unknown-environment",
        description=f"A connection to {title}.",
        question="Which of the vendor's environments.",
        snippets=tuple(_snippets(definition, addresses)),
        branches={
            name: _branch(definition, environment, name, addresses)
            for name, environment in definition.environments.items()
        },
    )


def _branch(definition: Definition, environment: Environment, name: str, addresses: AddressBook) -> Shape:
    methods = definition.auth
    of_root, others = zip(*(map(set, addresses.settings_of(name, method)) for method in methods), strict=True)
    used, always = set().union(*of_root, *others), set.intersection(*others)
    properties: dict[str, Schema | Shape] = {
        key: _setting(setting) for key, setting in definition.settings.items() if key in used
    }
    if environment.own_root != "besides":
        always = set.intersection(*(one | other for one, other in zip(of_root, others, strict=True)))
    required = [
        *(["base_url"] if environment.own_root == "only" else []),
        *(key for key in properties if key in always),
    ]
    if environment.regions:
        properties["region"] = _region(environment, name)
        required = [*(["region"] if len(environment.regions) > 1 else []), *required]
    if environment.own_root:
        properties["base_url"] = {**URL, "description": f"The API root of {definition.title} on a host of its own."}
    return Shape(properties=properties, required=tuple(required), description=environment.description)


def _region(environment: Environment, name: str) -> Schema:
    regions = list(environment.regions)
    return {
        "enum": regions,
        "description": f"The region of the {name} environment.",
        "x-code": "unknown-region",
        "errorMessage": environment.error or f"the environment `{name}` has the regions {', '.join(regions)}",
    }


def _setting(setting: Setting) -> Schema:
    schema: Schema = (
        {"enum": list(setting.values)} if setting.values else {"type": "string", "pattern": anchored(setting)}
    )
    texts = {"description": setting.description, "examples": list(setting.examples), "errorMessage": setting.error}
    return schema | {key: text for key, text in texts.items() if text}


def anchored(setting: Setting) -> str:
    """Return the pattern of a setting, which fits a whole value."""
    return f"^(?:{setting.pattern})(?!\\n)$"


def _snippets(definition: Definition, addresses: AddressBook) -> Iterator[Snippet]:
    """Yield a snippet for each environment, with the usual auth method, and one for OAuth."""
    usual, *others = definition.auth.items()
    for name in definition.environments:
        yield Snippet(f"{definition.title}: {name}", _Body(definition, addresses).of(name, *usual))
    for method, declared in others:
        if declared.flow:
            last = list(definition.environments)[-1]
            yield Snippet(f"{definition.title}: {method}", _Body(definition, addresses).of(last, method, declared))


class _Body:
    """Makes the body of a snippet, whose fields are numbered in their order from 2: 1 is the connection's name."""

    def __init__(self, definition: Definition, addresses: AddressBook) -> None:
        self._definition = definition
        self._addresses = addresses
        self._fields = 1

    def of(self, environment: str, method: str, declared: Method) -> dict[str, Any]:
        definition = self._definition
        regions, own_root = (
            list(definition.environments[environment].regions),
            definition.environments[environment].own_root,
        )
        addresses = self._addresses
        of_root, needed = addresses.settings_of(environment, method)
        settings = (*of_root, *needed)
        return {
            "provider": definition.name,
            "environment": environment,
            **({"region": self._field(f"|{','.join(regions)}|")} if len(regions) > 1 else {}),
            **({"base_url": self._field(":https://acme.example/api")} if own_root == "only" else {}),
            **{key: self._text(next(iter(definition.settings[key].examples), key)) for key in settings},
            "auth": {"method": method, **self._auth(declared)},
        }

    def _text(self, example: str) -> str:
        """Return a field for a text, in quotes where YAML would read a number: editors insert it as it is."""
        field = self._field(f":{example}")
        return f'"{field}"' if re.fullmatch(r"[0-9.]+", example) else field

    def _auth(self, declared: Method) -> dict[str, str]:
        shape = described_method(declared).shape
        prefix = re.sub(r"\W", "_", self._definition.name)
        keys: dict[str, str] = {}
        for key, schema in shape.properties.items():
            if isinstance(schema, dict) and schema.get("x-secret"):
                keys[key] = f"env://{self._field(f':{prefix}_{key}'.upper())}"
            elif isinstance(schema, dict) and key in shape.required:
                keys[key] = self._field(f":{schema['examples'][0]}")
        return keys

    def _field(self, content: str) -> str:
        self._fields += 1
        return f"${{{self._fields}{content}}}"
