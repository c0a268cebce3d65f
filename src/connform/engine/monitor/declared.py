"""The connections that a monitor checks: read from manifests, and read anew when these change. Layer 3; reads manifests and policies."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from connform.engine.load.manifest import read_manifest
from connform.engine.load.policy_folders import policies_beside
from connform.engine.monitor.settings import MonitorSettings
from connform.engine.report import Report
from connform.errors import ManifestInvalid
from connform.manifest.decode import Manifest
from connform.manifest.files import load_sources
from connform.manifest.model import Connection


class DeclaredConnections(NamedTuple):
    """What the manifests declare, and the report on them."""

    manifest: Manifest
    """The selected part of the manifest."""
    connections: dict[str, Connection]
    """Its connections by name, in their order."""
    report: Report
    """The report of `validate`."""
    fingerprint: bytes
    """That of the files from which it was read."""


def read_declared(settings: MonitorSettings) -> DeclaredConnections:
    """Read and validate the manifests.

    Raises:
        ManifestInvalid: they have errors.
        UnknownConnection: the selection names no connection.
    """
    before = fingerprint(settings)  # first: what changes meanwhile is read again
    manifest, report = read_manifest(settings.files, settings.selection, settings.policies)
    if manifest is None:
        raise ManifestInvalid(report.diagnostics)
    return DeclaredConnections(manifest, dict(manifest.items()), report, before)


def fingerprint(settings: MonitorSettings) -> bytes:
    """Return a digest of all manifests and policies, with their names. It differs where a file, a link or a folder changed.

    The content counts, not times: mounts of Kubernetes and checkouts of git-sync replace whole folders behind a link.
    """
    sources, problems = load_sources(settings.files)
    policy_paths = [
        *settings.policies,
        *(path for paths in policies_beside(sources, ()).files.values() for path in paths),
    ]
    policies, policy_problems = load_sources(policy_paths) if policy_paths else ([], [])
    digest = sha256()
    for source in (*sources, *policies):
        for part in (source.name.encode(errors="surrogateescape"), source.data):
            digest.update(b"%d:%b" % (len(part), part))
    for problem in (*problems, *policy_problems):
        digest.update(f"{problem.span.file} {problem.code}".encode(errors="surrogateescape"))
    return digest.digest()
