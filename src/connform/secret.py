"""A secret value that no output shows, and the parser of secret references.

Layer 0, no IO.
"""

import re
from functools import cache
from typing import NamedTuple, NoReturn

_BLANK = r"\x00-\x20\x7f" + "\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""Control characters and Unicode's blanks; listed, because regex engines differ in which characters are blanks."""
PATTERN = rf"^(ref\+)?[a-z][a-z0-9-]*://[^{_BLANK}]*(?!\n)$"
"""The pattern of a reference in the JSON Schema; `SecretReference.parse` is stricter."""

_COMPUTED = frozenset({"attribute", "ssh-format"})
"""Options by which 1Password computes something of a value: a one-time password, another form of a key."""
_MASK = "<secret>"
_GENERATED = (
    r"(?<![A-Za-z0-9])(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{16}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-|[0-9]{12}"
)


NO_USER = "a reference carries no credentials (`user@`): name a store under `stores:` instead"
"""What is wrong with a reference that may name a user."""


class MalformedReferenceError(ValueError):
    """The text is not a secret reference; the message says why, without the text."""


class Secret:
    """A secret value that no output shows: not `repr`, not `str`, not `format`, not pickle, not `==`.

    `reveal` is called where a secret leaves the process: on the wire, sealed in the state database, or passed to another
    program.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """Return the value in clear. `docs/explanation/architecture.md` lists the rooms that may call it."""
        return self.__value

    def __repr__(self) -> str:
        return _MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return _MASK

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __getstate__(self) -> NoReturn:
        # Since Python 3.11, `object.__getstate__` would return every slot.
        self.__reduce__()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret can't be pickled or copied out of its process")


class SecretReference(NamedTuple):
    """The location of a secret in a store: `scheme://path[?version=…][#field]`."""

    scheme: str
    """A built-in backend, or the name of a store under `stores:`."""
    path: str
    """The path in the store, in the backend's form: a variable, a file, a mount and path."""
    field: str = ""
    """One field of the secret; empty for the whole."""
    version: str = ""
    """The version to read; empty for the newest."""

    @classmethod
    def parse(cls, text: str) -> "SecretReference":
        """Return the parts of `text`.

        Raises:
            MalformedReferenceError: it doesn't match the grammar, or has an unknown option.
        """
        if not _pattern().match(text):
            raise MalformedReferenceError("a reference has the form scheme://path[?version=…][#field], without spaces")
        scheme, _, rest = text.removeprefix("ref+").partition("://")
        location, hash_sign, field = rest.partition("#")
        path, question_mark, query = location.partition("?")
        version = _version(query) if question_mark else ""
        if hash_sign and not field:
            raise MalformedReferenceError("a `#` in a reference is followed by the name of a field")
        return cls(scheme, path, field, version)

    @property
    def may_name_user(self) -> bool:
        """Whether the path may begin with `user@`. Most backends have no such names, and credentials don't belong there."""
        return "@" in self.path.partition("/")[0]

    def __str__(self) -> str:
        version = f"?version={self.version}" if self.version else ""
        field = f"#{self.field}" if self.field else ""
        return f"{self.scheme}://{self.path}{version}{field}"


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(PATTERN)


def _version(query: str) -> str:
    name, _, version = query.partition("=")
    if name in _COMPUTED:
        message = f"`?{name}=…` of 1Password is not supported: a reference names a value that is stored"
        raise MalformedReferenceError(message)
    if name != "version" or not version or "&" in version:
        raise MalformedReferenceError("the only option of a reference is `?version=…`")
    return version


def looks_generated(text: str) -> bool:
    """Return whether a text holds a run of letters and digits that looks like a part of a key, a token or a UUID."""
    return re.search(_GENERATED, text) is not None
