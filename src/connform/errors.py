"""Base classes of the exceptions that connform raises.

Layer 0, no IO::

    ConnformError
    ├── ManifestInvalid      the manifest has errors: `.diagnostics`
    ├── UnknownConnection    no connection has that name or tag, or is left (a KeyError as well)
    ├── NoBaseline           `--changed-since` leads to nothing that can be compared with
    ├── Refused              a safety rule says no
    ├── PlanUnusable         a saved plan can't be read, or was altered
    └── ConnectionFailed     a fault at one stage: `.fault`, `.hint`
        ├── SecretUnresolved
        ├── auth.oauth.token_endpoint.EndpointFailed
        └── http.RequestFailed   (an httpx.TransportError as well)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connform.faults import FAULTS, ExitCode, Fault

if TYPE_CHECKING:
    from connform.diagnostics import Diagnostic
    from connform.secret import SecretReference


class ConnformError(Exception):
    """Root of the tree."""

    exit_code: ExitCode = ExitCode.INVALID
    """The exit code of a command that ends with this error."""


class ManifestInvalid(ConnformError):
    """The manifest has errors."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("\n".join(str(diagnostic) for diagnostic in diagnostics))
        self.diagnostics = diagnostics
        """Every diagnostic of the manifest, warnings included, sorted by place."""


class UnknownConnection(ConnformError, KeyError):
    """No connection has that name or tag, or a selection leaves none."""

    exit_code = ExitCode.USAGE

    def __str__(self) -> str:
        return str(self.args[0])


class NoBaseline(ConnformError):
    """`--changed-since` leads to nothing that can be compared with; the message says why."""

    exit_code = ExitCode.USAGE


class Refused(ConnformError):
    """A safety rule says no; the message names the rule and how to go on."""

    exit_code = ExitCode.REFUSED


class PlanUnusable(ConnformError):
    """A saved plan can't be read, is none, or was altered; the message names the file."""


class ConnectionFailed(ConnformError):
    """A connection failed at one stage."""

    def __init__(self, fault: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.fault: Fault = FAULTS[fault]
        """The class of the failure, with its stage, verdict and exit code."""
        self.message = message
        """What happened, in one sentence without any secret."""
        self.hint = hint or self.fault.hint
        """What to do."""
        self.exit_code = self.fault.exit_code


class SecretUnresolved(ConnectionFailed):
    """A secret reference could not be resolved."""

    def about(self, reference: SecretReference) -> SecretUnresolved:
        """Return the same, said of one reference: a backend need not name it."""
        return SecretUnresolved(self.fault.name, f"{self.message} ({reference})", self.hint)
