"""The keys of a connection to an API that a definition describes.

Layer 2, no IO.
"""

from __future__ import annotations

from connform.manifest.shape import Schema, Shape
from connform.manifest.url_schemas import URL
from connform.providers.described.addresses import AddressBook
from connform.providers.described.definition import Definition, Environment, Setting
from connform.providers.described.snippets import Snippets


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
        snippets=Snippets(definition, addresses),
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
