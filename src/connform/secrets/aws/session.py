"""The session of an AWS store: login, assumed role, and a client of one service for each region.

Layer 2; uses the network by botocore, which finds credentials itself: in variables, profiles, SSO, the machine's role.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, NoReturn, TypeVar

from connform.debug_log import SECRETS
from connform.errors import SecretUnresolved, StoreFailed
from connform.http.net import deadline
from connform.manifest.urls import UrlError, parse_url
from connform.process_local import ProcessLocal
from connform.secrets.aws.credential_process import limit_credential_processes
from connform.secrets.aws.failures import NO_REGION, AwsService, failure_of_exception
from connform.secrets.aws.settings import INSTALL
from connform.secrets.kit.interface import StoreConfig
from connform.secrets.kit.network import network_settings, proxy_with_password
from connform.secrets.kit.open_store import OnceValue

T = TypeVar("T")

_STS = AwsService("AWS STS", "allow sts:AssumeRole on the role, and this identity in the role's trust policy")
_CONNECTIONS = 16
_LOGGING_LIBRARIES = ("botocore", "urllib3")
_UNAVAILABLE = "secret_backend_unavailable"


class _Identity(NamedTuple):
    """The login of a store."""

    session: Any
    """The session of botocore; it has found credentials."""
    keys: Mapping[str, str]
    """The keys of the assumed role, as options of a client; empty if the store names no role."""
    region: str
    """The region of names; empty if none is configured."""


class Account:
    """The calls of one AWS service by one login during a run. Threads may share it."""

    def __init__(self, kind: str, service: AwsService, store: StoreConfig) -> None:
        """Take the settings. The first call logs in.

        Args:
            kind: botocore's name of the service: `ssm`.
            service: its name and permissions in messages.
            store: its settings and timeout.
        """
        self._kind = kind
        self._service = service
        self._store = store
        self._identity = OnceValue(self._log_in)
        self._clients: dict[str, Any] = {}
        self._clients_lock = ProcessLocal(Lock)
        self._refusals: dict[str, SecretUnresolved] = {}

    def region_of(self, path: str) -> str:
        """Return the region of an ARN; for a name, that of the store or the environment, empty if there is none.

        Raises:
            SecretUnresolved: the login failed.
        """
        named = re.match(r"arn:[^:]*:[^:]*:([^:]+):", path)
        return named[1] if named else self._identity.get().region

    def call(self, operation: str, region: str, **parameters: Any) -> Mapping[str, Any]:
        """Return the answer to one call.

        Args:
            operation: botocore's name of the call: `get_parameters`.
            region: the result of `region_of`.
            parameters: by their names in the AWS API.

        Raises:
            SecretUnresolved: the call failed. The message quotes neither request nor answer.
        """
        if not region:
            raise SecretUnresolved("secret_not_found", f"{self._service.name}: {NO_REGION.meaning}", NO_REGION.hint)
        refusal = self._refusals.get(region)
        if refusal is not None:
            raise SecretUnresolved(refusal.fault.name, refusal.message, refusal.hint)
        client = self._client(region)
        service = self.service_in(region)
        if deadline.is_spent():
            raise StoreFailed(f"{service.name} did not answer in time")
        SECRETS.write("%s: calls %s", service.name, operation)
        answer: Mapping[str, Any] = self._call_botocore(
            lambda: getattr(client, operation)(**parameters), service, region
        )
        return answer

    def is_of_one_secret(self, failure: SecretUnresolved, region: str) -> bool:
        """Whether one secret caused the failure, not the login and not the network: other secrets may still be read."""
        return region not in self._refusals and failure.fault.name != _UNAVAILABLE

    def service_in(self, region: str) -> AwsService:
        """Return the service with its region in its name. There must be a client for the region."""
        return self._service._replace(name=f"{self._service.name} in {self._clients[region].meta.region_name}")

    def close(self) -> None:
        """Close connections."""
        for client in self._clients.values():
            client.close()

    def _call_botocore(self, work: Callable[[], T], service: AwsService, region: str = "") -> T:
        from connform.secrets.kit.log_filter import unlogged  # start-up: it needs logging

        try:
            with unlogged(*_LOGGING_LIBRARIES):
                return work()
        except Exception as error:  # noqa: BLE001  (an odd answer makes botocore's parsers raise anything)
            failure = failure_of_exception(error, service)
        # Raised outside of the handler: else the chained exception would hold request and answer.
        if failure.affects_all_calls:
            self._refusals[region] = failure.error
        raise failure.error

    def _client(self, region: str) -> Any:
        session, keys, _ = self._identity.get()
        with self._clients_lock.own:
            if region not in self._clients:
                self._clients[region] = self._call_botocore(
                    lambda: self._create(
                        session, self._kind, region, endpoint_url=self._store.settings.get("endpoint_url"), **keys
                    ),
                    self._service,
                    region,
                )
            return self._clients[region]

    def _create(self, session: Any, kind: str, region: str, **options: Any) -> Any:
        client = session.create_client(kind, region_name=region or None, verify=self._ca_file(), **options)
        try:
            parse_url(client.meta.endpoint_url)
        except UrlError as error:  # from the environment or a profile: `rules` has checked that of a store
            message = f"the endpoint of {self._service.name} can't be trusted: {error}"
            raise SecretUnresolved(
                _UNAVAILABLE, message, "correct AWS_ENDPOINT_URL, or `endpoint_url` of the AWS profile"
            ) from None
        return client

    def _ca_file(self) -> str | None:
        ca_file = network_settings(self._store).get("ca_file")
        return _existing(ca_file, "ca_file") if ca_file else None

    def _log_in(self) -> _Identity:
        try:
            import botocore  # noqa: F401  (to see whether it is installed)
        except ImportError:
            hint = f"install it: {INSTALL}"
            raise SecretUnresolved(_UNAVAILABLE, "the library of AWS is not installed", hint) from None
        session, region = self._call_botocore(lambda: _session(self._store), self._service)
        role = self._store.settings.get("role_arn")
        keys = self._call_botocore(lambda: self._assume(session, role, region), _STS) if role else {}
        return _Identity(session, keys, region)

    def _assume(self, session: Any, role: str, region: str) -> Mapping[str, str]:
        sts = self._create(session, "sts", region)
        try:
            answer = sts.assume_role(RoleArn=role, RoleSessionName="connform")["Credentials"]
        finally:
            sts.close()
        return {
            "aws_access_key_id": answer["AccessKeyId"],
            "aws_secret_access_key": answer["SecretAccessKey"],
            "aws_session_token": answer["SessionToken"],
        }


def _session(store: StoreConfig) -> tuple[Any, str]:
    """Return a session with credentials and our timeouts, which never asks for an MFA code, and the region of names."""
    from botocore.config import Config
    from botocore.exceptions import NoCredentialsError
    from botocore.session import Session

    attempts, connect_s, read_s = attempts_and_timeouts(store.timeout_s)
    session = Session(profile=store.settings.get("profile"))
    session.set_default_client_config(
        Config(
            connect_timeout=connect_s,
            read_timeout=read_s,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=_CONNECTIONS,
            **_network_options(store),
        )
    )
    # By default it asks for an MFA code at the terminal, and botocore has no public way to change that.
    session.get_component("credential_provider").get_provider("assume-role")._prompter = _refuse_mfa  # noqa: SLF001  (as said above)
    limit_credential_processes(session, store.timeout_s)
    if session.get_credentials() is None:
        raise NoCredentialsError
    return session, store.settings.get("region") or session.get_config_variable("region") or ""


def _network_options(store: StoreConfig) -> dict[str, Any]:
    """Return the options of a client for client certificate and proxy. Without `proxy`, botocore reads the environment."""
    network, options = network_settings(store), dict[str, Any]()
    if "client_cert" in network:
        files = [_existing(network[key], f"tls: {{{key}}}") for key in ("client_cert", "client_key")]
        options["client_cert"] = tuple(files)
    if "://" in network["proxy"].reveal():
        options["proxies"] = {"https": proxy_with_password(network)}
        options["proxies_config"] = {"proxy_ca_bundle": str(network["ca_file"])} if "ca_file" in network else None
    return options


def _existing(path: Path, key: str) -> str:
    if not path.is_file():
        raise SecretUnresolved(_UNAVAILABLE, f"there is no file {path}", f"correct `{key}` of the store")
    return str(path)


def attempts_and_timeouts(timeout_s: float) -> tuple[int, float, float]:
    """Return how many attempts a call has, and the seconds that each may take to connect and to get an answer.

    botocore's standard mode waits up to 1, 2, 4 s before each repetition. Waits and attempts together fit into `timeout_s`.
    """
    attempts, waiting_s = (3, 3.0) if timeout_s >= 9 else (2, 1.0) if timeout_s >= 3 else (1, 0.0)  # noqa: PLR2004  (three cases, by time)
    attempt_s = (timeout_s - waiting_s) / attempts
    return attempts, attempt_s / 3, attempt_s * 2 / 3


def _refuse_mfa(_: str) -> NoReturn:
    raise SecretUnresolved(
        "secret_denied",
        "the AWS profile demands an MFA code, and nobody is asked for one",
        "get a session first (aws sts get-session-token) and name its profile, or use SSO",
    )
