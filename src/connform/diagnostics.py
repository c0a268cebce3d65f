"""Diagnostics of a manifest: what is wrong, where, and how to fix it; the table of their codes.

Layer 0, no IO. The summary is the same for all diagnostics of a code; the detail says what is wrong, why, and what to
do; the hint offers a correction. Lines and columns are 1-based and count characters.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from connform.faults import ExitCode

MASK = "***"
"""Replaces text that might be a secret."""


class Severity(StrEnum):
    """Severity of a diagnostic; only an error changes the exit code."""

    ERROR = "error"
    WARNING = "warning"


class Span(NamedTuple):
    """A range of text in a file."""

    file: str
    """The path as the user gave it; `<stdin>` for standard input."""
    line: int
    """1-based."""
    column: int
    """1-based, in characters."""
    end_line: int
    """1-based."""
    end_column: int
    """1-based, one behind the last character."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class SourceExcerpt(NamedTuple):
    """The source line of a span, with everything that might be a secret masked."""

    text: str
    """The line as it may be shown."""
    start: int
    """0-based offset in `text` at which the mark starts."""
    length: int
    """Length of the mark in characters, at least 1."""


class Related(NamedTuple):
    """Another span that explains a diagnostic."""

    message: str
    """Its meaning: `first defined here`, `inherited from template portal by connection acme`."""
    span: Span
    """The span."""
    snippet: SourceExcerpt | None = None
    """The source line, where it can be shown."""


class Edit(NamedTuple):
    """One step of a fix."""

    span: Span
    """The text to replace, on one line; never a value that may be a secret."""
    text: str
    """The replacement."""


class Diagnostic(NamedTuple):
    """One error or warning about a manifest."""

    severity: Severity
    """`error` or `warning`."""
    code: str
    """Stable kebab-case code, one of `CODES`."""
    summary: str
    """One line; the same for every diagnostic of the code."""
    detail: str
    """What is wrong, why, and what to do; never a secret."""
    span: Span
    """Where the mistake is."""
    hint: str = ""
    """A likely correction, or empty."""
    pointer: str = ""
    """RFC 6901 pointer to the value."""
    connection: str = ""
    """The connection concerned, or empty."""
    related: tuple[Related, ...] = ()
    """Other spans that explain it."""
    snippet: SourceExcerpt | None = None
    """The source line, where it can be shown."""
    fix: tuple[Edit, ...] = ()
    """The edits of `validate --fix`, if the correction is certain; else empty."""
    number: int = 1
    """How many mistakes it stands for: more than one for the mistakes of a file that are not listed, only counted."""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.span}: {self.severity}[{self.code}]: {self.detail or self.summary}{hint}"

    def __repr__(self) -> str:
        return f"<Diagnostic {str(self)!r}>"


PLUGIN_ERROR = "plugin-error"
"""The code of a mistake that is a plug-in's, not the manifest's."""
CODES: dict[str, tuple[Severity, str]] = {
    # The file and its YAML.
    "file-not-found": (Severity.ERROR, "no such manifest"),
    "file-unreadable": (Severity.ERROR, "the manifest can't be read"),
    "file-too-large": (Severity.ERROR, "the manifest is too large"),
    "not-utf8": (Severity.ERROR, "the file is not UTF-8"),
    "yaml-syntax": (Severity.ERROR, "not valid YAML"),
    "yaml-tab": (Severity.ERROR, "a tab stands where YAML allows only spaces"),
    "yaml-tag": (Severity.ERROR, "YAML tags are refused"),
    "yaml-too-deep": (Severity.ERROR, "the YAML is nested too deeply"),
    "yaml-alias": (Severity.ERROR, "an alias can't be resolved safely"),
    "yaml-key": (Severity.ERROR, "a key must be plain text"),
    "yaml-scalar-too-long": (Severity.ERROR, "a value is too long"),
    "multiple-documents": (Severity.ERROR, "more than one YAML document"),
    "duplicate-key": (Severity.ERROR, "the same key stands twice"),
    "wrong-indentation": (Severity.ERROR, "keys stand on the wrong level"),
    "empty-manifest": (Severity.ERROR, "the manifest is empty"),
    # The schema.
    "unknown-key": (Severity.ERROR, "unknown key"),
    "missing-key": (Severity.ERROR, "a required key is missing"),
    "wrong-type": (Severity.ERROR, "a value of the wrong type"),
    "unknown-value": (Severity.ERROR, "not one of the allowed values"),
    "malformed-value": (Severity.ERROR, "a value of the wrong form"),
    "out-of-range": (Severity.ERROR, "a value outside of its range"),
    "unsupported-version": (Severity.ERROR, "unsupported manifest version"),
    "unknown-provider": (Severity.ERROR, "unknown provider"),
    "unknown-environment": (Severity.ERROR, "unknown environment"),
    "unknown-region": (Severity.ERROR, "unknown region"),
    "unknown-auth-method": (Severity.ERROR, "unknown auth method"),
    "unknown-store-type": (Severity.ERROR, "unknown store type"),
    "bad-name": (Severity.ERROR, "a name of the wrong form"),
    # Secrets.
    "plaintext-secret": (Severity.ERROR, "a value stands where a secret reference belongs"),
    "foreign-reference": (Severity.ERROR, "a secret reference in another tool's form"),
    "malformed-reference": (Severity.ERROR, "not a valid secret reference"),
    "unknown-scheme": (Severity.ERROR, "unknown secret backend or store"),
    "store-environment": (Severity.ERROR, "a secret of another environment"),
    "reserved-store-name": (Severity.ERROR, "a store has the name of a built-in backend"),
    "outside-repository": (Severity.WARNING, "a secret's file outside of the manifest's repository"),
    "unexpanded-placeholder": (Severity.ERROR, "a placeholder that nothing fills in"),
    # Providers that a manifest declares.
    "unknown-placeholder": (Severity.ERROR, "a `{name}` that stands for nothing"),
    "misplaced-secret": (Severity.ERROR, "a secret where none may stand"),
    "unused-part": (Severity.ERROR, "a part of a provider that nothing uses"),
    "unproven-ready": (Severity.ERROR, "an answer that means ready without proof"),
    "unreachable-row": (Severity.ERROR, "a row of answers that is never reached"),
    "wrong-example": (Severity.ERROR, "an example that the provider's own rules contradict"),
    "no-source": (Severity.WARNING, "a provider without a source"),
    # Policies; what they find has codes of theirs.
    "invalid-policy": (Severity.ERROR, "a policy that can't be applied"),
    "policy-unreadable": (Severity.ERROR, "policies can't be read"),
    # What a schema can't say.
    "unknown-template": (Severity.ERROR, "unknown template"),
    "duplicate-name": (Severity.ERROR, "the same name stands twice"),
    "invalid-move": (Severity.ERROR, "a rename that can't be carried out"),
    "instance-or-base-url": (Severity.ERROR, "exactly one of `instance` and `base_url` is needed"),
    "insecure-url": (Severity.ERROR, "a URL that is not https"),
    "malformed-url": (Severity.ERROR, "not a usable URL"),
    "incomplete-client-certificate": (Severity.ERROR, "a client certificate needs its key, and the other way round"),
    "no-refresh-token": (Severity.WARNING, "this connection gets no refresh token"),
    "no-pkce": (Severity.WARNING, "codes of a login that PKCE does not protect"),
    "secret-in-query": (Severity.WARNING, "a secret in the query, where the API takes it in a header"),
    "nothing-expected": (Severity.WARNING, "a check that counts an error as ready"),
    "foreign-revoke-url": (Severity.WARNING, "grants are revoked at another server than the one that gives them"),
    "unused-template": (Severity.WARNING, "a template that no connection uses"),
    "no-connections": (Severity.WARNING, "the manifest declares no connection"),
    "too-much-inherited": (Severity.ERROR, "connections inherit too much"),
    "unused-ignore": (Severity.WARNING, "an ignore comment that silences nothing"),
    # Plug-ins.
    PLUGIN_ERROR: (Severity.ERROR, "a plug-in that can't be loaded, or has a bug"),
    # What is too much to be listed.
    "more-errors": (Severity.ERROR, "more errors than are listed"),
    "more-warnings": (Severity.WARNING, "more warnings than are listed"),
}
"""Every code: its severity and its constant summary."""


def exit_code_of(diagnostics: Iterable[Diagnostic]) -> ExitCode:
    """Return the exit code of a run in which these are all failures: 0 without errors, 70 if each is a bug of a plug-in, else 1."""
    codes = {one.code for one in diagnostics if one.severity is Severity.ERROR}
    if not codes:
        return ExitCode.OK
    return ExitCode.INTERNAL if codes == {PLUGIN_ERROR} else ExitCode.INVALID
