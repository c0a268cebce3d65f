"""The program that an AWS profile names by `credential_process`, run with connform's own limits instead of botocore's none.

Layer 2; starts a process, by `kit.command`: it is killed at its deadline, with everything that it started.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from connform.errors import SecretUnresolved
from connform.secrets.kit.command import ProgramResult, ordinary_variables, require_exit, run
from connform.secrets.kit.open_store import attempt
from connform.secrets.kit.value import object_from_json, text_from_bytes

_NAME = "the `credential_process` of the AWS profile"


def limit_credential_processes(session: Any, timeout_s: float) -> None:
    """Let a session of botocore run them so: those of its profile, and of the profiles that lend a role their credentials.

    botocore has no public way to do that.
    """
    popen = partial(_Process, timeout_s)
    providers = session.get_component("credential_provider")
    providers.get_provider("custom-process")._popen = popen  # noqa: SLF001  (as said above)
    builder = providers.get_provider("assume-role")._profile_provider_builder  # noqa: SLF001
    create = builder._create_process_provider  # noqa: SLF001

    def create_limited(profile_name: str) -> Any:
        provider = create(profile_name)
        provider._popen = popen  # noqa: SLF001
        return provider

    builder._create_process_provider = create_limited  # noqa: SLF001


class _Process:
    """As much of `subprocess.Popen` as botocore uses: the program has ended when it is made."""

    def __init__(self, timeout_s: float, argv: Sequence[str], **_: object) -> None:
        self._result = run(argv, ordinary_variables(prefixes=("",)), timeout_s)
        require_exit(self._result, _NAME)
        if self._result.succeeded and isinstance(attempt(_content_of, self._result), SecretUnresolved):
            hint = "run it by hand, and correct the profile"
            raise SecretUnresolved("secret_denied", f"{_NAME} printed no JSON object", hint)
        self.returncode = self._result.status

    def communicate(self) -> tuple[bytes, bytes]:
        """Return what it printed."""
        return self._result.stdout, self._result.stderr


def _content_of(result: ProgramResult) -> Mapping[str, Any]:
    return object_from_json(text_from_bytes(result.stdout))
