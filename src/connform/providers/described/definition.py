"""The definition of a provider: what its file says of an API, as typed data.

Layer 2, no IO. `provider.py` makes a provider of a definition.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from connform.auth.described.definition import NO_VALUES, Method, frozen

ROW_KEYS = frozenset({"class", "regions", "own_root", "description", "error"})
"""The keys of an environment that aren't values for texts."""


class Environment(NamedTuple):
    """One environment of an API."""

    values: Mapping[str, str] = NO_VALUES
    """What its names stand for in texts: `host`."""
    regions: Mapping[str, Mapping[str, str]] = NO_VALUES
    """Region → the values that it adds; empty where there are none."""
    environment_class: str = "production"
    """Its class: `production` or `test`."""
    own_root: str = ""
    """Whether the connection gives the root: `besides` its settings, `only`, or never (empty)."""
    description: str = ""
    """One sentence for people."""
    error: str = ""
    """What is said of a region that it doesn't have."""


class Setting(NamedTuple):
    """A value that a connection gives."""

    pattern: str = ""
    """A regular expression that fits the whole value; empty where there is a list."""
    values: tuple[str, ...] = ()
    """All of its values; empty where there is a pattern."""
    kind: str = ""
    """`host` for a value that may fill several labels of a host; else empty."""
    description: str = ""
    """One sentence for people."""
    examples: tuple[str, ...] = ()
    """Values, for people and editors."""
    variables: tuple[str, ...] = ()
    """The environment variables that the vendor's own tools read it from."""
    error: str = ""
    """What is said of a wrong value."""


class Definition(NamedTuple):
    """What a file says of one API, but for what people alone read: `sources`, `assumed`."""

    name: str
    """The name that manifests use."""
    title: str
    """The name that people use."""
    root: str
    """The API root; its names are values of an environment, and settings. Empty where every connection gives it."""
    auth: Mapping[str, Method]
    """The auth methods by name, the usual one first."""
    check: Mapping[str, Any]
    """The read-only request that shows whether a credential works, as it is written: `method`, `path`, perhaps `json`."""
    answers: tuple[Mapping[str, Any], ...]
    """The rows as they are written (`answer_rows.AnswerRow`); the first that fits an answer judges it."""
    check_answer: str = ""
    """What the check is answered, in a few words: `the list of packages`."""
    environments: Mapping[str, Environment] = NO_VALUES
    """The environments by name; empty where the API has one only."""
    settings: Mapping[str, Setting] = NO_VALUES
    key_page: str = ""
    """The page where a person creates keys; empty where unknown."""
    safe_posts: tuple[str, ...] = ()
    """Paths of POST calls, below the root, that only read and may be repeated."""
    error_code: Mapping[str, str] = NO_VALUES
    """Where an error's code stands, as it is written (`answer_rows.ErrorCode`); empty for nowhere."""
    headers: Mapping[str, str] = NO_VALUES
    """The plain headers of every request, with settings in them."""
    query: Mapping[str, str] = NO_VALUES
    """The plain query parameters of every request, with settings in them."""
    examples: tuple[Mapping[str, Any], ...] = ()
    """Answers quoted from a source, as they are written, each with what it `means`."""

    @property
    def has_texts(self) -> bool:
        """Whether settings may stand in texts that are no URLs."""
        methods = self.auth.values()
        return bool(self.headers or self.query) or any(
            one.basic or one.token_params or one.jwt or one.login for one in methods
        )


def decode(name: str, node: Mapping[str, Any]) -> Definition:
    """Return the definition of an entry of `providers:` that its schema accepts."""
    return Definition(
        name=name,
        title=node["title"],
        root=node.get("root", ""),
        auth={key: Method(**frozen(one)) for key, one in node["auth"].items()},
        check=node["check"],
        answers=tuple(node["answers"]),
        check_answer=node["check"].get("description", ""),
        environments={key: _environment(row) for key, row in node.get("environments", {}).items()},
        settings={key: Setting(**frozen(one)) for key, one in node.get("settings", {}).items()},
        safe_posts=tuple(node.get("safe_posts", ())),
        key_page=node.get("key_page", ""),
        error_code=node.get("error_code", NO_VALUES),
        headers=node.get("headers", NO_VALUES),
        query=node.get("query", NO_VALUES),
        examples=tuple(node.get("examples", ())),
    )


def _environment(row: Mapping[str, Any]) -> Environment:
    values = {key: value for key, value in row.items() if key not in ROW_KEYS}
    fields = {key: row[key] for key in ("regions", "own_root", "description", "error") if key in row}
    return Environment(values, environment_class=row.get("class", "production"), **fields)
