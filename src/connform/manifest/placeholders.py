"""Finds what another tool should have replaced before connform reads the file: `${NAME}`, `{{ name }}` and the like.

Layer 1, no IO. There is no interpolation here, so a placeholder would be sent or opened to the letter. What may be meant so
is left alone: descriptions, `$` in the field of a reference (a JSON key), single braces, `$top` of a query.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from connform.manifest.foreign_references import from_variable
from connform.manifest.rules import Finding, Path
from connform.secret import looks_generated

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from connform.manifest.nodes import Map, Node

CODE: Final = "unexpanded-placeholder"
_FREE_TEXT: Final = "description"


class _Form(NamedTuple):
    """How some tools write a placeholder."""

    pattern: str
    """Finds one; compiled when a file first needs it."""
    shown: str
    """How it looks; never what stands in the file."""
    tools: str
    """Who replaces it."""


_SHELL_NAME: Final = _Form(r"(?<![\w$])\$[A-Z_][A-Z0-9_]+(?![\w$])", "$NAME", "a shell or envsubst")
"""In capitals only: `$ref`, `$top` and `$web` are names of their own."""
_FORMS: Final = (
    _Form(r"\$\{\{", "${{ … }}", "GitHub Actions or Azure Pipelines"),
    _Form(r"\$\[\[", "$[[ … ]]", "GitLab CI"),
    _Form(r"\$\{", "${…}", "a shell, envsubst, Docker Compose, Terraform or Maven"),
    _Form(r"\$\(", "$(…)", "a shell, Make, Azure Pipelines or Kubernetes"),
    _Form(r"\{\{", "{{ … }}", "Helm, Ansible (Jinja), Go templates or Mustache"),
    _Form(r"\{%", "{% … %}", "Jinja"),
    _Form(r"<%", "<% … %>", "ERB or EJS"),
    _Form(r"%\([A-Za-z_][\w.-]*\)[a-z]", "%(…)s", "Python and its configuration files"),
    _Form(r"%\{", "%{…}", "Puppet (Hiera) or Terraform"),
    _Form(r"#\{", "#{…}", "Ruby, Octopus Deploy or a token step of Azure DevOps"),
    _Form(r"\(\([A-Za-z_][\w./-]*\)\)", "((…))", "Concourse or BOSH"),
    _Form(r"(?<!\w)__[A-Z](?:[A-Z0-9]|[_.-](?!_))*__(?!\w)", "__NAME__", "a token step of Azure DevOps and the like"),
    _Form(r"(?<!\w)@[A-Z][A-Z0-9_]*@(?!\w)", "@NAME@", "CMake, Autoconf or Maven"),
    _Form(r"%(?![0-9A-Fa-f]{2})[A-Za-z_]\w+%", "%NAME%", "the command prompt of Windows"),
    _Form(r"\$env:\w+", "$env:NAME", "PowerShell"),
    _SHELL_NAME,
)
"""None takes longer than the text is long, whatever stands in it."""
_CANDIDATE: Final = re.compile(rb"\$[\[({A-Z_e]|\{[{%]|<%|%[({A-Za-z_]|#\{|\(\(|__[A-Z]|@[A-Z]")
"""What each form has in it: a file without is not looked at."""


def may_hold_placeholders(data: bytes) -> bool:
    """Whether it is worth to look at the values of a file."""
    return _CANDIDATE.search(data) is not None


class Placeholders:
    """Finds the placeholders of one file; what aliases repeat is looked at once."""

    def __init__(self, secret_keys: Collection[str]) -> None:
        """Take the keys that hold secret references.

        What is no reference there may be a secret in plain, which is the graver mistake, or a variable of another tool, for
        which there is a correction.
        """
        self._secret_keys = secret_keys
        self._forms: dict[tuple[str, bool], _Form | None] = {}
        self._seen: set[tuple[int, bool]] = set()

    def of(self, name: str, node: Map) -> Iterator[Finding]:
        """Yield a finding for each value of one declaration, and for its name, where a placeholder stands."""
        if form := _form_in(name):
            yield Finding(CODE, (), _detail(form))
        for is_reference, path, value in self._texts(node, (), is_reference=False):
            which = value, is_reference
            if which not in self._forms:
                self._forms[which] = _form_in(value, is_reference=is_reference)
            if form := self._forms[which]:
                yield Finding(CODE, path, _detail(form))

    def _texts(self, node: Node, path: Path, *, is_reference: bool) -> Iterator[tuple[bool, Path, str]]:
        if isinstance(node, str):
            yield is_reference, path, node
        if not isinstance(node, dict | list) or (id(node), is_reference) in self._seen:
            return
        self._seen.add((id(node), is_reference))
        if isinstance(node, dict):
            for key, value in node.items():
                if key != _FREE_TEXT:
                    yield from self._texts(value, (*path, key), is_reference=key in self._secret_keys)
        else:
            for index, value in enumerate(node):
                yield from self._texts(value, (*path, index), is_reference=is_reference)


def _form_in(text: str, *, is_reference: bool = False) -> _Form | None:
    found = next((form for form in _FORMS if re.search(form.pattern, text)), None)
    if found is None or not is_reference:
        return found
    if from_variable(text) or not ("://" in text or _is_a_name(text.strip(), found)):
        return None
    return found if found is not _SHELL_NAME or re.search(found.pattern, text.partition("#")[0]) else None


def _is_a_name(text: str, form: _Form) -> bool:
    """Whether a text is one placeholder, and holds no default and nothing else that may be a secret."""
    return re.match(form.pattern, text) is not None and not (looks_generated(text) or re.search("[:=?'\"-]", text))


def _detail(form: _Form) -> str:
    return (
        f"`{form.shown}` is replaced by {form.tools}, and never by connform: run that tool first and validate what it "
        "writes, or write the value itself"
    )
