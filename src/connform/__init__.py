"""Connections as code: declare named connections, check them, get ready clients.

```python
import connform

with connform.connect("sandbox-us") as client:  # httpx.Client: base URL, credential, time-outs
    client.post("/packages/list", json={"take": 10})
```

Everything is imported when first used, so that `import connform` itself is fast.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # that of `typing`, whose import is slow with the garbage collector on
__version__ = "0.2.0"
WINDOWS_UNSUPPORTED = (
    "connform runs on Linux, macOS and other POSIX systems; on Windows, use it in WSL or in a container"
)

_MODULES = {
    "Connections": "connform.engine.library.connections",
    "ReadyConnection": "connform.engine.library.ready_connection",
    "apply": "connform.engine.library.verbs",
    "check": "connform.engine.library.verbs",
    "connect": "connform.engine.library.connections",
    "load": "connform.engine.library.connections",
    "plan": "connform.engine.library.verbs",
    "validate": "connform.engine.library.verbs",
    "ConnectionReport": "connform.engine.connection_report",
    "Report": "connform.engine.report",
    "ConnectionFailed": "connform.errors",
    "ConnformError": "connform.errors",
    "ManifestInvalid": "connform.errors",
    "Refused": "connform.errors",
    "SecretUnresolved": "connform.errors",
    "UnknownConnection": "connform.errors",
    "RequestFailed": "connform.http.failures",
    "Diagnostic": "connform.diagnostics",
    "Stage": "connform.faults",
    "Verdict": "connform.faults",
    "Connection": "connform.manifest.model",
    "Simulator": "connform.simulator",
}

__all__ = ["__version__", *_MODULES]  # noqa: PLE0604  (the keys are strings)

if TYPE_CHECKING:
    from typing import Any

    from connform.diagnostics import Diagnostic as Diagnostic
    from connform.engine.connection_report import ConnectionReport as ConnectionReport
    from connform.engine.library.connections import Connections as Connections
    from connform.engine.library.connections import connect as connect
    from connform.engine.library.connections import load as load
    from connform.engine.library.ready_connection import ReadyConnection as ReadyConnection
    from connform.engine.library.verbs import apply as apply
    from connform.engine.library.verbs import check as check
    from connform.engine.library.verbs import plan as plan
    from connform.engine.library.verbs import validate as validate
    from connform.engine.report import Report as Report
    from connform.errors import ConnectionFailed as ConnectionFailed
    from connform.errors import ConnformError as ConnformError
    from connform.errors import ManifestInvalid as ManifestInvalid
    from connform.errors import Refused as Refused
    from connform.errors import SecretUnresolved as SecretUnresolved
    from connform.errors import UnknownConnection as UnknownConnection
    from connform.faults import Stage as Stage
    from connform.faults import Verdict as Verdict
    from connform.http.failures import RequestFailed as RequestFailed
    from connform.manifest.model import Connection as Connection
    from connform.simulator import Simulator as Simulator


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if os.name != "posix":
        raise ImportError(WINDOWS_UNSUPPORTED)
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
