"""Texts with `{name}` in them, as of a provider's file, and how they are filled in.

Layer 1, no IO. There are no functions, no defaults and no nesting in a text: a name stands for a value, a setting or a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

_PLACEHOLDER = r"\{([a-z][a-z0-9_]*)\}"
_HOST_END = r"(?<=[^:/])/"


def names_in(text: str) -> list[str]:
    """Return the names that stand in a text, in their order."""
    return re.findall(_PLACEHOLDER, text) if "{" in text else []


def split_secret(text: str) -> tuple[str, str]:
    """Return a header's text before its secret, and the name of the secret; an empty name for none."""
    match = "{" in text and re.fullmatch(r"([^{}]*)\{([a-z][a-z0-9_]*)\}", text)
    return (match[1], match[2]) if match else (text, "")


def expand(text: str, values: Mapping[str, str]) -> str:
    """Return a text with the given names filled in; other names stay."""
    if "{" not in text:
        return text
    parts = list(_parts(text))
    parts[1::2] = [values.get(name, f"{{{name}}}") for name in parts[1::2]]
    return "".join(parts)


@lru_cache(maxsize=1024)  # thousands of connections share the texts of a provider
def _parts(text: str) -> tuple[str, ...]:
    """Return the parts of a text: what stands before, between and behind its names, and at odd indices these."""
    return tuple(re.split(_PLACEHOLDER, text))


def expand_url(text: str, settings: Mapping[str, str]) -> str:
    """Return a URL with settings filled in: as they are in its host, percent-encoded as one segment in its path."""
    if "{" not in text:
        return text
    host, slash, path = split_url(text)
    if "{" not in path:
        return f"{expand(host, settings)}{slash}{path}"
    from urllib.parse import quote  # `validate` needs none

    encoded = {name: quote(value, safe="") for name, value in settings.items()}
    return f"{expand(host, settings)}{slash}{expand(path, encoded)}"


@lru_cache(maxsize=1024)
def split_url(url: str) -> tuple[str, str, str]:
    """Return a URL's scheme and host, the slash behind it, and the rest."""
    end = re.search(_HOST_END, url)
    return (url, "", "") if end is None else (url[: end.start()], "/", url[end.end() :])


def texts_in(path: tuple[str | int, ...], value: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the texts in plain data, each with its path; `path` is that of the data."""
    if isinstance(value, str):
        yield path, value
    for key, part in (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from texts_in((*path, key), part)
