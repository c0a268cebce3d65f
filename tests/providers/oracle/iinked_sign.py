"""The provider `iinked-sign` as the class that it was: its URLs, its check request, and the judgement of its answers.

Facts are the vendor's (docs.iinkedsign.com/v4: authentication, oauth, guides/errors,
api/packages/list).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connform.manifest.rules import Finding
from connform.manifest.shape import Schema, Shape, Snippet
from connform.manifest.urls import URL, parse_url, url_findings
from connform.providers.interface import Answer, CheckRequest, Instance, Judgement
from tests.providers.oracle.answers import judge_status

if TYPE_CHECKING:
    from connform.manifest.model import Connection

_HOSTS = {
    ("sandbox", "us"): "sandbox.syngrafii.com",
    ("sandbox", "eu"): "sandbox.syngrafii.eu",
    ("production", "us"): "sign.syngrafii.com",
    ("production", "ca"): "sign.syngrafii.ca",
    ("production", "eu"): "sign.syngrafii.eu",
}
_ERROR_CODE = r"[a-z]+(?:_[a-z]+)+"
_MAX_ERROR_CODE_LENGTH = 64


def _region(environment: str, error: str) -> Schema:
    return {
        "enum": [region for known, region in _HOSTS if known == environment],
        "description": f"The data centre of the {environment} environment.",
        "x-code": "unknown-region",
        "errorMessage": error,
    }


_INSTANCE: Schema = {
    "type": "string",
    "pattern": r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(?!\n)$",
    "description": "The subdomain of the private instance: `acme` for https://acme.syngrafii.com.",
    "examples": ["acme"],
    "errorMessage": "the instance is the subdomain alone, in lower case: `acme` for https://acme.syngrafii.com; "
    "an instance on a host of its own is given by `base_url`",
}
_BASE_URL: Schema = {
    **URL,
    "description": "The API root of a private instance on a host of its own, instead of `instance`.",
    "examples": ["https://sign.acme.example/api/v1"],
}
_SNIPPETS = (
    Snippet(
        "sandbox connection",
        {
            "environment": "sandbox",
            "region": "${2|us,eu|}",
            "auth": {"method": "api_key", "api_key": "env://${3:IINKED_SANDBOX_KEY}"},
        },
    ),
    Snippet(
        "OAuth customer",
        {
            "environment": "production",
            "region": "${2|us,ca,eu|}",
            "auth": {
                "method": "oauth2",
                "client_id": "${3:acme-portal}",
                "client_secret": "env://${4:IINKED_PORTAL_SECRET}",
                "redirect_uri": "${5:https://localhost/auth/syngrafii}",
            },
        },
    ),
    Snippet(
        "private instance",
        {
            "environment": "private",
            "instance": "${2:acme}",
            "auth": {"method": "api_key", "api_key": "env://${3:IINKED_PRIVATE_KEY}"},
        },
    ),
)


class IinkedSign:
    """The provider `iinked-sign`."""

    shape = Shape(
        discriminator="environment",
        code="unknown-environment",
        description="A connection to iinked Sign.",
        question="Which of the vendor's environments, or a private instance.",
        snippets=_SNIPPETS,
        branches={
            "sandbox": Shape(
                properties={
                    "region": _region("sandbox", "the sandbox has the regions us and eu; there is no sandbox in Canada")
                },
                required=("region",),
                description="The vendor's test environment.",
            ),
            "production": Shape(
                properties={"region": _region("production", "production has the regions us, ca and eu")},
                required=("region",),
                description="The vendor's production environment.",
            ),
            "private": Shape(
                properties={"instance": _INSTANCE, "base_url": _BASE_URL},
                description="A private instance: exactly one of `instance` and `base_url`; it has no region.",
            ),
        },
    )

    def rules(self, connection: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield findings about a private instance's address."""
        if connection.get("environment") != "private":
            return
        if "instance" in connection and "base_url" in connection:
            detail = "`instance` and `base_url` both say where the private instance is: keep one of them"
            yield Finding("instance-or-base-url", ("base_url",), detail, at_key=True, related=(("instance",),))
        elif "instance" not in connection and "base_url" not in connection:
            detail = "a private instance needs its address: `instance: acme` for https://acme.syngrafii.com, or `base_url: https://…`"
            yield Finding("instance-or-base-url", (), detail)
        if "base_url" in connection:
            yield from url_findings(connection["base_url"], ("base_url",))

    def instance(self, connection: Connection) -> Instance:
        """Return the URLs of the connection's instance."""
        if base_url := connection.settings.get("base_url"):
            url = parse_url(base_url)
            origin, root = url.origin, str(url).rstrip("/")
        else:
            host = (
                _HOSTS.get((connection.environment, connection.region))
                or f"{connection.settings['instance']}.syngrafii.com"
            )
            origin = f"https://{host}"
            root = f"{origin}/api/v1"
        return Instance(
            base_url=root,
            api_key_header="api_key",  # with an underscore, as the vendor documents it
            key_management_url=f"{origin}/integration",
            safe_posts=("/packages/list", "/templates/list"),
            authorize_url=f"{origin}/connect/authorize",
            token_url=f"{origin}/connect/token",
            revoke_url=f"{origin}/connect/revocation",  # not documented; the path of .NET's IdentityServer
        )

    def check_request(self, connection: Connection) -> CheckRequest:
        """Return the smallest list call, a POST that only reads: for one item, because items hold personal data."""
        return CheckRequest("POST", "/packages/list", {"take": 1, "skip": 0})

    def judge(self, connection: Connection, answer: Answer) -> Judgement:  # noqa: PLR0911  (a table of answers)
        """Return the judgement of an answer to the list call (guides/errors)."""
        code = _error_code(answer)
        status_and_code = f"the API answered {answer.status} {code}".rstrip()
        match answer.status:
            case 200 if _is_package_list(answer):
                return Judgement()
            case 200:
                found = "JSON, but not the list of packages" if answer.is_json else "no JSON"
                return Judgement(
                    "http_not_this_api", f"the server answered 200 with {found} that iinked Sign would send"
                )
            case 401:
                # Not in the vendor's list of statuses; judged by RFC 9110 §15.5.2.
                return Judgement("auth_rejected", status_and_code)
            case 400 | 403 | 404 if "_feature_" in code:
                return Judgement("feature_missing", status_and_code)
            case 403 if code:
                return Judgement("auth_denied", status_and_code, _denied_hint(connection))
            case 403:
                return Judgement("denied_by_intermediary", "the server answered 403 without the API's own error body")
            case 400 | 404 if code:
                hint = "the address speaks like iinked Sign but refuses the list of packages: see the path of base_url"
                return Judgement("http_not_this_api", status_and_code, hint)
        message = f"the server answered {answer.status}, which iinked Sign never does for the list of packages"
        return judge_status(answer) or Judgement("http_not_this_api", message)


def _denied_hint(connection: Connection) -> str:
    """Return the hint for a denied key; with `base_url`, a proxy in front of the API may have dropped the header."""
    if "base_url" not in connection.settings:
        return ""
    return (
        "create a new key on the connection's key page, in this environment; where nginx stands in front of the API, "
        "it drops `api_key` unless `underscores_in_headers on`"
    )


def _is_package_list(answer: Answer) -> bool:
    body = answer.json
    if not (answer.is_json and isinstance(body, dict) and isinstance(body.get("items"), list)):
        return False
    return all(type(body.get(key)) is int for key in ("total", "take", "skip"))


def _error_code(answer: Answer) -> str:
    """Return the code of the documented error body `{"error": "package_not_found", "message": …}`, else an empty string."""
    body = answer.json if answer.is_json else None
    code = body.get("error") if isinstance(body, dict) else None
    if not isinstance(code, str) or len(code) > _MAX_ERROR_CODE_LENGTH:
        return ""
    return code if re.fullmatch(_ERROR_CODE, code) else ""


IINKED_SIGN = IinkedSign()
