"""The verbs `secrets check` and `secrets backends`: a report of each secret reference, and the list of backends.

Layer 3; calls the secret backends. The report holds versions, never values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from time import perf_counter

from connform.auth.interface import AuthMethod
from connform.engine.connection_report import ConnectionReport, SecretReport
from connform.engine.load.catalog import backend, method_of
from connform.engine.load.manifest import read_manifest
from connform.engine.load.selection import EVERYTHING, Selection
from connform.engine.report import Report
from connform.engine.report_parts import BackendReport
from connform.engine.run.describe import describe, not_looked_at, with_failure
from connform.engine.run.progress import SILENT, Progress
from connform.engine.run.secret_resolver import SecretResolver
from connform.errors import ConnectionFailed, SecretUnresolved
from connform.faults import ExitCode, Stage, Verdict
from connform.http.header import require_password
from connform.manifest.model import Connection, Store
from connform.manifest.proxy import PROXY_PASSWORD
from connform.registry import SECRETS_GROUP, names, package_of
from connform.secrets import BACKENDS
from connform.secrets.kit.interface import HasRequirements, Outcome


def check_secrets(
    files: Sequence[str] = (),
    selection: Selection = EVERYTHING,
    policies: Sequence[str] = (),
    *,
    progress: Progress = SILENT,
) -> Report:
    """Read every secret of the selected connections; return a report with the place and the version of each.

    Arguments and errors as for `validate`; `progress` and interruptions as for `check`.
    """
    started = perf_counter()
    manifest, validated = read_manifest(files, selection, policies)
    if manifest is None:
        return validated._replace(command="secrets check")
    source = SecretResolver(manifest.stores)
    connections = list(manifest.values())
    interruption = None
    with closing(source):
        try:
            source.prepare(connections, progress)
        except KeyboardInterrupt:
            interruption = ExitCode.INTERRUPTED
        reports = tuple(_report(one, source, manifest.stores) for one in connections)
    return validated._replace(
        command="secrets check",
        connections=reports,
        connection_count=len(reports),
        interruption=interruption,
        elapsed_s=perf_counter() - started,
    )


def backends() -> Iterator[BackendReport]:
    """Yield every secret backend, built-in or from a plug-in. One that can't be used has the reason as `missing`."""
    for scheme in names(BACKENDS, SECRETS_GROUP):
        package = "connform" if scheme in BACKENDS else package_of(scheme, SECRETS_GROUP)
        try:
            kind = backend(scheme)
            missing = kind.missing() if isinstance(kind, HasRequirements) else ""
            yield BackendReport(scheme, kind.form, kind.store_shape.description, package, missing)
        except SecretUnresolved as failure:
            yield BackendReport(scheme, f"{scheme}://", "", package, failure.message)


def _report(connection: Connection, source: SecretResolver, stores: Mapping[str, Store]) -> ConnectionReport:
    references = connection.references
    method = method_of(connection)
    read_outcomes = source.outcomes(connection)
    if read_outcomes.keys() != references.keys():
        return not_looked_at(describe(connection))
    outcomes = [_check_usable(read_outcomes[key], key, method) for key in references]
    secrets = tuple(
        _secret(connection, key, outcome, stores) for key, outcome in zip(references, outcomes, strict=True)
    )
    described = describe(connection)._replace(secrets=secrets)
    failures = [(key, one) for key, one in zip(references, outcomes, strict=True) if isinstance(one, SecretUnresolved)]
    if not failures:
        return described._replace(verdict=Verdict.READY if references else Verdict.SKIPPED)
    key, failure = failures[0]
    return with_failure(described, failure)._replace(stage=Stage.SECRET, place=connection.place_of_secret(key))


def _check_usable(outcome: Outcome, key: str, method: AuthMethod) -> Outcome:
    """Return the outcome; if the auth method or the proxy can't use the secret, return the failure that `check` would report."""
    if isinstance(outcome, SecretUnresolved):
        return outcome
    try:
        if key == PROXY_PASSWORD:
            require_password(outcome.secret, key=key)
        else:
            method.judge(key, outcome.secret)
    except ConnectionFailed as error:
        return SecretUnresolved(error.fault.name, error.message, error.hint)
    return outcome


def _secret(connection: Connection, key: str, outcome: Outcome, stores: Mapping[str, Store]) -> SecretReport:
    reference = connection.references[key]
    store = stores.get(reference.scheme)
    report = SecretReport(
        key,
        str(reference),
        store.name if store else "",
        store.type if store else reference.scheme,
        connection.place_of_secret(key),
    )
    if isinstance(outcome, SecretUnresolved):
        return report._replace(fault=outcome.fault.name, message=outcome.message, hint=outcome.hint)
    return report._replace(version=outcome.version, since=outcome.since)
