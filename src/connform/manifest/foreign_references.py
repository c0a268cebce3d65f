"""Secret references in other tools' syntax (`${NAME}`, vals), and our reference to the same secret.

Layer 1, no IO. Only forms that mean exactly the same are recognised: `${NAME:-default}` has no equivalent here.
"""

from __future__ import annotations

import re

from connform.secret import looks_generated

_NAME = r"([A-Za-z_][A-Za-z0-9_]{0,127})"
_VARIABLES = (
    rf"\$\{{(?:env:)?{_NAME}\}}",  # shells, Compose, OpenTelemetry
    r"\$([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)",  # shells; without an underscore it may be a password
    rf"\$?\{{\{{\s*\.?[Ee]nv\.{_NAME}\s*\}}\}}",  # GitHub Actions, Jinja, Go templates
    rf"\{{\{{\s*(?:env|requiredEnv)\s+[\"']{_NAME}[\"']\s*\}}\}}",  # consul-template, Helmfile
    rf"\{{\{{\s*(?:env_var\(|lookup\([\"']env[\"'],\s*)[\"']{_NAME}[\"']\)\s*\}}\}}",  # dbt, Ansible
    rf"env/{_NAME}",  # octoDNS
    rf"os\.environ/{_NAME}",  # LiteLLM
)
"""How others write the environment variable NAME."""
_FIELD = r"ref\+(?!sops:)([a-z][a-z0-9-]*://[^#]+)#/([^/]+)"
"""A field as vals writes it: `ref+file://app.json#/password`. Fields of SOPS files are paths here as well."""


def from_variable(text: str) -> str:
    """Return `env://NAME` for another tool's form of an environment variable, else an empty string."""
    for form in _VARIABLES:
        match = re.fullmatch(form, text.strip())
        if match and not looks_generated(match[1]):
            return f"env://{match[1]}"
    return ""


def from_vals(text: str) -> str:
    """Return our form of a reference of vals whose field we write otherwise, else an empty string."""
    match = re.fullmatch(_FIELD, text) if text.startswith("ref+") else None
    return f"{match[1]}#{match[2]}" if match else ""
