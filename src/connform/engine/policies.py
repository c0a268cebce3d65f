"""Turns `--policy`, and the folders `policies/` beside manifests, into diagnostics of connections.

Layer 3; reads policy files.
"""

# ruff: noqa: PTH110, PTH118, PTH120, PTH208  (pathlib would cost start-up, also of the runs that have no policies)

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from connform.engine.catalog import DEFAULT_PROVIDER, reference_keys
from connform.manifest.files import load_sources
from connform.manifest.places import diagnose_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connform.diagnostics import Diagnostic
    from connform.manifest.files import Source
    from connform.manifest.tally import Tally
    from connform.manifest.validate import Tree
    from connform.manifest.vocabulary import Vocabulary

FOLDER: Final = "policies"
"""The folder beside a manifest whose policies judge the connections declared in this folder's manifests."""
_EVERYWHERE: Final = ""
_SHOWN: Final = frozenset({"version", "policies", "message", "severity", "schema"})
"""The keys of a policy file besides those of JSON Schema; no value there is a secret."""


def judge(
    named: Sequence[str], sources: Sequence[Source], tree: Tree, vocabulary: Vocabulary, tally: Tally
) -> tuple[list[Diagnostic], list[Source]]:
    """Add what policies say of the connections that have no errors to a tally; return what is wrong with the policy files, and these.

    Args:
        named: policy files and folders that judge every connection.
        sources: the manifests of the run.
        tree: what they declare.
        vocabulary: what the manifests were read with.
        tally: the mistakes of the run.
    """
    folders = {source.base: os.path.join(os.path.dirname(source.name), FOLDER) for source in sources}
    beside = {base: sorted(_yaml_files(folder)) for base, folder in folders.items()}
    wanted = {base: paths for base, paths in ((_EVERYWHERE, named), *beside.items()) if paths}
    if not wanted:
        return [], []
    from connform.manifest.snippet import add_snippets
    from connform.manifest.source_lines import SourceLines
    from connform.policies.facts import FactFinder
    from connform.policies.file import read_policies
    from connform.policies.judge import judge as judge_connections
    from connform.policies.keywords import KEYWORDS

    texts, bases, problems = _load(wanted)
    policies, mistakes = read_policies(texts)
    scoped = [policy._replace(bases=bases[policy.span.file]) for policy in policies]
    finder = FactFinder(vocabulary.connection, DEFAULT_PROVIDER, reference_keys(), tree.stores)
    sound = (connection for connection in tree.connections.values() if connection.sound)
    judge_connections(scoped, sound, finder.facts, tally)
    shown = _SHOWN | KEYWORDS.keys()
    return [*problems, *add_snippets(mistakes, SourceLines(texts), shown, shown)], texts


def _yaml_files(folder: str) -> Iterator[str]:
    try:
        names = os.listdir(folder)
    except OSError:  # there is none, or it isn't for this user
        return
    yield from (os.path.join(folder, name) for name in names if name.endswith((".yaml", ".yml")))


def _load(wanted: Mapping[str, Sequence[str]]) -> tuple[list[Source], dict[str, frozenset[str]], list[Diagnostic]]:
    """Read policy files, each once.

    Args:
        wanted: the paths by the folder whose connections they judge, or by `_EVERYWHERE`.

    Returns:
        The files, the folders that each judges by its name (none for all), and what can't be read.
    """
    sources: dict[str, Source] = {}
    bases: dict[str, frozenset[str]] = {}
    problems: list[Diagnostic] = []
    for base, paths in wanted.items():
        found, wrong = load_sources(paths)
        problems += [_unreadable(one) for one in wrong]
        for source in found:
            first = sources.setdefault(os.path.realpath(source.name), source)
            if first is source:
                bases[first.name] = frozenset() if base == _EVERYWHERE else frozenset({base})
            elif bases[first.name]:
                bases[first.name] |= {base}
    return list(sources.values()), bases, problems


def _unreadable(problem: Diagnostic) -> Diagnostic:
    detail = problem.detail if os.path.exists(problem.span.file) else "no such file or folder: mend `--policy`"
    return diagnose_file("policy-unreadable", detail, problem.span)
