"""Policies of a run: reads those of `--policy` and of folders `policies/` beside manifests, and judges connections.

Layer 3; reads policy files.
"""

# ruff: noqa: PTH112, PTH114  (pathlib would cost start-up, also of the runs that have no policies)

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from connform.diagnostics import Diagnostic, Span
from connform.engine.load.catalog import DEFAULT_PROVIDER, references_of
from connform.engine.load.policy_folders import policies_beside
from connform.manifest.diagnose import diagnose_file
from connform.manifest.files import Source, load_sources
from connform.manifest.tally import Tally
from connform.manifest.tree import Tree, definition_in
from connform.manifest.vocabulary import Vocabulary

if TYPE_CHECKING:
    from connform.policies.file import Policy

_EVERYWHERE = ""
"""In place of a folder: the policies of `--policy`, which judge every connection."""
_PUBLIC_KEYS = frozenset({"version", "policies", "message", "severity", "schema"})
"""The keys of a policy file besides those of JSON Schema; their values are never secrets."""


class PolicyResults(NamedTuple):
    """The policy files of a run, and the mistakes in them; findings about connections go to the tally."""

    mistakes: Sequence[Diagnostic] = ()
    """The diagnostics of the policy files themselves."""
    texts: Sequence[Source] = ()
    """The policy files."""
    policy_count: int = 0
    """How many policies they declare."""


def apply_policies(
    named: Sequence[str], sources: Sequence[Source], tree: Tree, vocabulary: Vocabulary, tally: Tally
) -> PolicyResults:
    """Judge the connections without errors by the policies of a run; return the diagnostics of the policy files.

    Args:
        named: policy files and folders that judge every connection.
        sources: the manifests of the run.
        tree: what they declare.
        vocabulary: the vocabulary with which the manifests were read.
        tally: collects the diagnostics of connections.
    """
    beside = policies_beside(sources, named)
    paths_by_folder = {base: paths for base, paths in ((_EVERYWHERE, named), *beside.files.items()) if paths}
    if not paths_by_folder:
        return PolicyResults(beside.problems)
    from connform.engine.load.environment_class import environment_class
    from connform.engine.load.scopes import requested_scopes
    from connform.manifest.snippet import Public, add_snippets
    from connform.manifest.source_lines import SourceLines
    from connform.policies.facts import FactFinder
    from connform.policies.file import read_policies
    from connform.policies.judge import judge as judge_connections
    from connform.policies.keywords import KEYWORDS

    texts, bases, problems = _load(paths_by_folder)
    policies, mistakes = read_policies(texts)
    problems += [*beside.problems, *_without_policies(texts, policies, mistakes)]
    scoped = [policy._replace(bases=bases[policy.span.file]) for policy in policies]
    finder = FactFinder(
        vocabulary.connection,
        DEFAULT_PROVIDER,
        lambda node: references_of(node, definition_in(tree, node)),
        lambda node: requested_scopes(node, definition_in(tree, node)),
        lambda node: environment_class(node, definition_in(tree, node)),
        tree.stores,
    )
    sound = (connection for connection in tree.connections.values() if connection.is_valid)
    judge_connections(scoped, sound, finder.facts, tally)
    public_keys = _PUBLIC_KEYS | KEYWORDS.keys()
    public = Public(public_keys, public_keys, public_keys, lambda _: False)
    return PolicyResults([*problems, *add_snippets(mistakes, SourceLines(texts), public)], texts, len(policies))


def _load(
    paths_by_folder: Mapping[str, Sequence[str]],
) -> tuple[list[Source], dict[str, frozenset[str]], list[Diagnostic]]:
    """Read policy files, each once.

    Args:
        paths_by_folder: the paths of policies, by the folder whose connections they judge, or by `_EVERYWHERE`.

    Returns:
        The files; by the name of each file the folders whose connections it judges, empty for all; the diagnostics of
        files that can't be read.
    """
    sources: dict[str, Source] = {}
    bases: dict[str, frozenset[str]] = {}
    problems: list[Diagnostic] = []
    for base, paths in paths_by_folder.items():
        found, unreadable = load_sources(paths, folders=[base for base in paths_by_folder if base != _EVERYWHERE])
        problems += [_as_policy_diagnostic(problem) for problem in unreadable]
        for source in found:
            first = sources.setdefault(os.path.realpath(source.name), source)
            if first is source:
                bases[first.name] = frozenset() if base == _EVERYWHERE else frozenset({base})
            elif bases[first.name]:
                bases[first.name] |= {base}
    return list(sources.values()), bases, problems


def _without_policies(
    texts: Sequence[Source], policies: Sequence["Policy"], mistakes: Sequence[Diagnostic]
) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each file that has no other diagnostic and declares no policy."""
    known_files = {policy.span.file for policy in policies} | {mistake.span.file for mistake in mistakes}
    for text in texts:
        if text.name not in known_files:
            detail = "it declares no policy: write one, or remove the file"
            yield diagnose_file("policy-unreadable", detail, Span(text.name, 1, 1, 1, 1))


def _as_policy_diagnostic(problem: Diagnostic) -> Diagnostic:
    """Return the diagnostic of a file that can't be read as one of a policy."""
    detail = problem.detail
    if problem.code == "file-not-found" and not os.path.isdir(problem.span.file):
        is_link = os.path.islink(problem.span.file)
        detail = "the link leads nowhere: correct it" if is_link else "no such file or folder: mend `--policy`"
    return diagnose_file("policy-unreadable", detail, problem.span)
