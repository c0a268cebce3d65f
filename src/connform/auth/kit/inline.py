"""An auth method that a connection describes itself: its keys under `auth:` are those of a provider's definition, with fixed names of secrets.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connform.auth.described.definition import NO_VALUES
from connform.auth.described.kinds import ACCESS_TOKEN, JWT
from connform.auth.interface import AuthInputs, AuthMethod, MethodKind, SecretUse
from connform.auth.kit.sent_text_rules import sent_text_findings
from connform.http.credential import Credential
from connform.manifest.named_text_rules import secret_text_findings
from connform.manifest.named_texts import names_in, texts_in
from connform.manifest.rules import Finding
from connform.manifest.shape import Shape, secret_keys
from connform.secret import Secret

if TYPE_CHECKING:
    from connform.auth.oauth.server import AuthorizationServer

Words = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Returns the keys of a definition that the keys under `auth:` stand for."""


_IN_PLAIN = "a secret seems to stand here in plain: write a reference beside it, and its name here, such as `{api_key}`"


class InlineMethod(AuthMethod):
    """A method of the provider `http`."""

    def __init__(
        self,
        kind: MethodKind,
        shape: Shape,
        words: Words = dict,
        *,
        defaults: Mapping[str, Any] = NO_VALUES,
        rules: Callable[[Mapping[str, Any]], Iterator[Finding]] | None = None,
        endpoints: tuple[str, ...] = (),
    ) -> None:
        """Make the method.

        Args:
            kind: the kind of method.
            shape: the keys under `auth:`.
            words: makes a definition's keys of them.
            defaults: the keys of the definition that they don't give.
            rules: yields findings that the shape can't express.
            endpoints: the URLs of its server that the connection gives, unless its provider does, or `issuer` says where they are.
        """
        self.uses_grant, self.obtains_token = kind.uses_grant, kind.obtains_token
        self._shape = shape
        self.defaults = defaults
        self.endpoints = endpoints
        self._kind = kind
        self._words = words
        self._rules = rules or kind.rules

    @property
    def shape(self) -> Shape:
        """Its keys under `auth:`."""
        return self._shape

    def rules(self, auth: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield the findings of the method, and of what it sends."""
        yield from self._rules(auth)
        yield from sent_text_findings(auth, _IN_PLAIN)

    def judge(self, key: str, secret: Secret) -> None:
        """Require a secret that the kind of method can use."""
        self._kind.judge(key, secret)

    def uses(self, auth: Mapping[str, Any], server: AuthorizationServer) -> Iterator[SecretUse]:
        """Yield where its secrets are sent."""
        yield from self._kind.uses({**auth, **self._words(auth)}, server)

    def credential(self, inputs: AuthInputs) -> Credential:
        """Return the credential of its kind."""
        return self._kind.credential(inputs._replace(settings=dict(self._words(inputs.settings))))


def text_findings(
    auth: Mapping[str, Any], shape: Shape, keys: Collection[str], known: Collection[str] = ()
) -> Iterator[Finding]:
    """Yield what is wrong with texts that name secrets, and the secrets that no text names.

    Args:
        auth: the keys under `auth:`.
        shape: those that there may be.
        keys: the keys that hold texts.
        known: further names in them.
    """
    secrets = sorted(secret_keys(shape))
    used: set[str] = set()
    for key in keys:
        for path, text in texts_in((key,), auth.get(key)):
            used.update(names_in(text))
            yield from secret_text_findings(path, text, [*secrets, *known], what="header")
    yield from secret_findings(auth, secrets, used)


def secret_findings(auth: Mapping[str, Any], secrets: Collection[str], used: Collection[str]) -> Iterator[Finding]:
    """Yield the secrets that no text names, and those that a text names and nothing gives."""
    misspelt = {*used} - {*secrets, ACCESS_TOKEN, JWT}  # what looks unused may be one of these
    for name in secrets:
        if name in auth and name not in used and not misspelt:
            yield Finding(
                "unused-part", (name,), f"no text has `{{{name}}}`: remove the secret, or send it", at_key=True
            )
        elif name in used and name not in auth:
            yield Finding("missing-key", (), f"a text has `{{{name}}}`: write `{name}`, a secret reference")
