"""Turns `--policy`, and the folders `policies/` beside manifests, into diagnostics of connections.

Layer 3; reads policy files.
"""

# ruff: noqa: PTH112, PTH114  (pathlib would cost start-up, also of the runs that have no policies)

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from connform.diagnostics import Span
from connform.engine.load.catalog import DEFAULT_PROVIDER, reference_keys
from connform.engine.load.policy_folders import policies_beside
from connform.manifest.diagnose import diagnose_file
from connform.manifest.files import load_sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connform.diagnostics import Diagnostic
    from connform.manifest.files import Source
    from connform.manifest.tally import Tally
    from connform.manifest.tree import Tree
    from connform.manifest.vocabulary import Vocabulary
    from connform.policies.file import Policy

_EVERYWHERE: Final = ""
_SHOWN: Final = frozenset({"version", "policies", "message", "severity", "schema"})
"""The keys of a policy file besides those of JSON Schema; no value there is a secret."""


class PolicyResults(NamedTuple):
    """What came of the policies of a run, besides what they say of connections."""

    mistakes: Sequence[Diagnostic] = ()
    """What is wrong with themselves."""
    texts: Sequence[Source] = ()
    """Their files."""
    policy_count: int = 0
    """How many there are."""


def judge(
    named: Sequence[str], sources: Sequence[Source], tree: Tree, vocabulary: Vocabulary, tally: Tally
) -> PolicyResults:
    """Add what policies say of the connections that have no errors to a tally; return what is wrong with the policy files.

    Args:
        named: policy files and folders that judge every connection.
        sources: the manifests of the run.
        tree: what they declare.
        vocabulary: what the manifests were read with.
        tally: the mistakes of the run.
    """
    beside = policies_beside(sources, named)
    wanted = {base: paths for base, paths in ((_EVERYWHERE, named), *beside.files.items()) if paths}
    if not wanted:
        return PolicyResults(beside.problems)
    from connform.manifest.snippet import Public, add_snippets
    from connform.manifest.source_lines import SourceLines
    from connform.policies.facts import FactFinder
    from connform.policies.file import read_policies
    from connform.policies.judge import judge as judge_connections
    from connform.policies.keywords import KEYWORDS

    texts, bases, problems = _load(wanted)
    policies, mistakes = read_policies(texts)
    problems += [*beside.problems, *_without_policies(texts, policies, mistakes)]
    scoped = [policy._replace(bases=bases[policy.span.file]) for policy in policies]
    finder = FactFinder(vocabulary.connection, DEFAULT_PROVIDER, reference_keys(), tree.stores)
    sound = (connection for connection in tree.connections.values() if connection.is_valid)
    judge_connections(scoped, sound, finder.facts, tally)
    known = _SHOWN | KEYWORDS.keys()
    public = Public(known, known, known, lambda _: False)
    return PolicyResults([*problems, *add_snippets(mistakes, SourceLines(texts), public)], texts, len(policies))


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
        found, wrong = load_sources(paths, folders=[base for base in wanted if base != _EVERYWHERE])
        problems += [_unreadable(one) for one in wrong]
        for source in found:
            first = sources.setdefault(os.path.realpath(source.name), source)
            if first is source:
                bases[first.name] = frozenset() if base == _EVERYWHERE else frozenset({base})
            elif bases[first.name]:
                bases[first.name] |= {base}
    return list(sources.values()), bases, problems


def _without_policies(
    texts: Sequence[Source], policies: Sequence[Policy], mistakes: Sequence[Diagnostic]
) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each file that is right, and declares no policy."""
    told = {policy.span.file for policy in policies} | {one.span.file for one in mistakes}
    for text in texts:
        if text.name not in told:
            detail = "it declares no policy: write one, or remove the file"
            yield diagnose_file("policy-unreadable", detail, Span(text.name, 1, 1, 1, 1))


def _unreadable(problem: Diagnostic) -> Diagnostic:
    detail = problem.detail
    if problem.code == "file-not-found" and not os.path.isdir(problem.span.file):
        is_link = os.path.islink(problem.span.file)
        detail = "the link leads nowhere: correct it" if is_link else "no such file or folder: mend `--policy`"
    return diagnose_file("policy-unreadable", detail, problem.span)
