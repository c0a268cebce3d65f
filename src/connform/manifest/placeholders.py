"""Detection of placeholders that another tool should have replaced: `${NAME}`, `{{ name }}` and the like.

Layer 1, no IO. connform replaces no placeholders: it would send or open them as they are. Text that may be meant as it
stands isn't reported: descriptions, `$` in the field of a reference (a JSON key), single braces, `$top` of a query.
"""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from connform.manifest.foreign_references import from_variable
from connform.manifest.nodes import Map, Node
from connform.manifest.placeholder_signs import CODE
from connform.manifest.rules import Finding, KeyPath
from connform.secret import looks_generated

_FREE_TEXT = "description"


class _Form(NamedTuple):
    """A form of placeholders."""

    pattern: str
    """Finds one."""
    shown: str
    """The form as messages show it; never the text of the file."""
    tools: str
    """The tools that replace it."""


_SHELL_NAME = _Form(r"(?<![\w$])\$[A-Z_][A-Z0-9_]+(?![\w$])", "$NAME", "a shell or envsubst")
"""In capitals only, because `$ref`, `$top` and `$web` are no placeholders."""
_FORMS = (
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
"""Each pattern takes time that is linear in the length of the text."""


class Placeholders:
    """Finds the placeholders of one file; a value that aliases repeat is searched once."""

    def __init__(self, secret_keys: Collection[str]) -> None:
        """Take the keys that hold secret references.

        Their values are reported only if they are references, or a placeholder and nothing else. Other values may be
        secrets in plain text, or variables of another tool, for which there are other findings.
        """
        self._secret_keys = secret_keys
        self._forms: dict[tuple[str, bool], _Form | None] = {}
        self._seen: set[tuple[int, bool]] = set()

    def find(self, name: str, node: Map) -> Iterator[Finding]:
        """Yield a finding for each value of one declaration that has a placeholder, and for its name."""
        if form := _form_in(name):
            yield Finding(CODE, (), _detail(form))
        for is_reference, path, value in self._texts(node, (), is_reference=False):
            key = value, is_reference
            if key not in self._forms:
                self._forms[key] = _form_in(value, is_reference=is_reference)
            if form := self._forms[key]:
                yield Finding(CODE, path, _detail(form))

    def _texts(self, node: Node, path: KeyPath, *, is_reference: bool) -> Iterator[tuple[bool, KeyPath, str]]:
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
    """Whether a text starts with a placeholder, and has no default value or other part that may be a secret."""
    return re.match(form.pattern, text) is not None and not (looks_generated(text) or re.search("[:=?'\"-]", text))


def _detail(form: _Form) -> str:
    return (
        f"`{form.shown}` is replaced by {form.tools}, and never by connform: run that tool first and validate what it "
        "writes, or write the value itself"
    )
