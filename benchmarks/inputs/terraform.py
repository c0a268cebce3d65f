"""Writes the connections of a manifest as a Terraform module."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.inputs.manifests import connection, name_of

TERRAFORM_TYPE = """object({
    environment = string
    region      = optional(string)
    instance    = optional(string)
    auth = object({
      method        = string
      api_key       = optional(string)
      token         = optional(string)
      client_id     = optional(string)
      client_secret = optional(string)
      redirect_uri  = optional(string)
      scopes        = optional(list(string))
    })
    owner    = string
    tags     = list(string)
    timeouts = object({ total_s = number })
  })"""


def write_terraform(path: Path, count: int) -> None:
    """Write a typed variable for each connection, with its values as the default."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            default = json.dumps(connection(number), indent=2)  # an expression of Terraform's language as well
            file.write(f'variable "{name_of(number)}" {{\n  type = {TERRAFORM_TYPE}\n  default = {default}\n}}\n')
