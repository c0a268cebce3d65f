"""Base classes of the exceptions that connform raises.

Layer 0, no IO::

    ConnformError
    ├── ManifestInvalid      the manifest has errors: `.diagnostics`
    ├── UnknownConnection    no connection has that name or tag, or a selection is empty (a KeyError as well)
    ├── NoBaseline           `--changed-since` names nothing to compare with
    ├── Refused              a safety rule refuses the action
    │   └── http.OriginRefused   (an httpx.RequestError as well)
    ├── PlanUnusable         a plan file can't be read, or was altered
    └── ConnectionFailed     a fault at one stage: `.fault`, `.hint`
        ├── SecretUnresolved
        │   ├── StoreFailed
        │   └── RateLimited
        ├── auth.oauth.token_answer.EndpointFailed
        └── http.RequestFailed   (an httpx.TransportError as well): all that a ready client raises at a request
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connform.diagnostics import Diagnostic, exit_code_of
from connform.faults import FAULTS, ExitCode, Fault

if TYPE_CHECKING:
    from connform.secret import SecretReference


_LONGEST_NAME = 40
"""A longer name of a fault is not shown: it may be something else."""


class InterfaceMisused(TypeError):
    """A class of connform was given a wrong value, as by a plug-in. The message holds no secret: that of a plug-in is shown."""


class ConnformError(Exception):
    """Root of the tree."""

    exit_code: ExitCode = ExitCode.INVALID
    """The exit code of a command that ends with this error."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Let it cross processes; `Exception` would call a constructor that takes other arguments."""
        return _restore, (type(self), self.args, vars(self))


def _restore(kind: type[ConnformError], args: tuple[Any, ...], attributes: dict[str, Any]) -> ConnformError:
    error = kind.__new__(kind, *args)
    vars(error).update(attributes)
    return error


class ManifestInvalid(ConnformError):
    """The manifest has errors."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("\n".join(str(diagnostic) for diagnostic in diagnostics))
        self.diagnostics = diagnostics
        """Every diagnostic of the manifest, warnings included, sorted by span."""
        self.exit_code = exit_code_of(diagnostics)


class UnknownConnection(ConnformError, KeyError):
    """No connection has that name or tag, or a selection is empty."""

    exit_code = ExitCode.USAGE

    def __str__(self) -> str:
        return str(self.args[0])


class NoBaseline(ConnformError):
    """`--changed-since` names nothing to compare with; the message says why."""

    exit_code = ExitCode.USAGE


class Refused(ConnformError):
    """A safety rule refuses the action; the message names the rule and what to do."""

    exit_code = ExitCode.REFUSED


class PlanUnusable(ConnformError):
    """A plan file can't be read, holds no plan, or was altered; the message names the file."""


class ConnectionFailed(ConnformError):
    """A connection failed at one stage."""

    def __init__(self, fault: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        if fault not in FAULTS:
            raise InterfaceMisused(f"{type(self).__name__} has {unknown_fault(fault)}")
        self.fault: Fault = FAULTS[fault]
        """The fault, with its stage, verdict and exit code."""
        self.message = message
        """What happened, in one sentence without any secret."""
        self.hint = hint or self.fault.hint
        """What to do."""
        self.exit_code = self.fault.exit_code


def unknown_fault(fault: object) -> str:
    """Return the rest of a sentence about a fault that does not exist."""
    name = (
        f"the fault `{fault}`"
        if isinstance(fault, str) and fault.isidentifier() and len(fault) <= _LONGEST_NAME
        else "a fault"
    )
    return f"{name}, which does not exist: `connform help verdicts` lists them"


class SecretUnresolved(ConnectionFailed):
    """A secret reference could not be resolved."""

    def about(self, reference: SecretReference) -> SecretUnresolved:
        """Return the same error with the reference in its message, so that a backend need not add it."""
        return SecretUnresolved(self.fault.name, f"{self.message} ({reference})", self.hint)


class StoreFailed(SecretUnresolved):
    """A secret store itself failed, not one reference: it did not answer, or with a server error. It is asked a few times only."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__("secret_backend_unavailable", message, hint)


class RateLimited(SecretUnresolved):
    """A secret store was asked too often, and did not read. It is asked again, less often."""

    def __init__(self, message: str, hint: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__("secret_backend_unavailable", message, hint)
        self.retry_after_s = retry_after_s
        """For how many seconds the store asks to wait; `None` where it doesn't say."""
