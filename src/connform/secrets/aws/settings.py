"""What the backends of AWS have in common: the shape of a store, the rules for its endpoint, the library they need.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.manifest.proxy import PROXY
from connform.manifest.rules import Finding
from connform.manifest.shape import Schema, Shape, Snippet
from connform.manifest.url_schemas import ROOT_URL
from connform.manifest.urls import url_findings
from connform.secrets.kit.interface import Backend
from connform.secrets.kit.network import NETWORK_KEYS, network_findings
from connform.secrets.kit.requirements import missing_library

INSTALL = "pip install boto3"
"""How to install botocore."""


def store_shape(kind: str, description: str) -> Shape:
    """Return the shape of a store of one AWS service."""
    return Shape(
        properties={
            "region": _text(r"[a-z]{2,}(-[a-z0-9]+)+", "The region. Default: the profile's, or AWS_DEFAULT_REGION.", "eu-central-1"),
            "profile": _text(r"[^\x00-\x1f\x7f]+", "The profile of ~/.aws/config. Default: AWS_PROFILE.", "acme"),
            "role_arn": _text(
                r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[!-~]+",
                "A role that is assumed before anything is read.",
                "arn:aws:iam::123456789012:role/secrets",
            ),
            "endpoint_url": {**ROOT_URL, "description": "Where the service is, instead of its public endpoint: that of a VPC."},
            **NETWORK_KEYS,
            "proxy": PROXY._replace(description=f"{PROXY.description.removesuffix('none.')}as botocore reads the environment."),
        },
        description=description,
        snippets=(Snippet(description.rstrip("."), {"type": kind, "region": "${2:eu-central-1}"}),),
    )  # fmt: skip


def _text(pattern: str, description: str, example: str) -> Schema:
    return {
        "type": "string",
        "pattern": rf"^{pattern}(?!\n)$",
        "description": description,
        "examples": [example],
        "errorMessage": f"a text such as {example} belongs here",
    }


class AwsBackend(Backend):
    """What the backends of AWS have in common."""

    login_variables = (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    )

    def rules(self, store: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield what is wrong with the endpoint of a store, or the way to it."""
        yield from network_findings(store, by_machine=True)
        if "endpoint_url" in store:
            yield from url_findings(store["endpoint_url"], ("endpoint_url",))

    def missing(self) -> str:
        """Return how to install botocore; empty if it is installed."""
        return missing_library("botocore", INSTALL)
