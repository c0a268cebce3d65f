"""The snippets that editors offer for the connections of a definition, each made when they are asked for.

Layer 2, no IO.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from connform.auth.described.definition import Method
from connform.auth.described.method import DescribedMethod
from connform.manifest.shape import Snippet
from connform.providers.described.addresses import AddressBook
from connform.providers.described.definition import Definition


class Snippets(Iterable[Snippet]):
    """A snippet for each environment, with the usual auth method, and one for each OAuth method."""

    def __init__(self, definition: Definition, addresses: AddressBook) -> None:
        self._definition = definition
        self._addresses = addresses

    def __iter__(self) -> Iterator[Snippet]:
        title, environments = self._definition.title, list(self._definition.environments)
        usual, *others = self._definition.auth.items()
        for name in environments:
            yield Snippet(f"{title}: {name}", self._body().of(name, *usual))
        for method, declared in others:
            if declared.flow:
                yield Snippet(f"{title}: {method}", self._body().of(environments[-1], method, declared))

    def _body(self) -> _Body:
        return _Body(self._definition, self._addresses)


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
        shape = DescribedMethod(declared).shape
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
