"""The provider `http`: any HTTP API, described by the manifest itself.

Layer 2, no IO. The manifest gives the API's root, the header of its key, and a read-only check request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connform.manifest.rules import Finding
from connform.manifest.shape import Shape, Snippet
from connform.manifest.url_schemas import URL
from connform.manifest.urls import parse_url, url_findings
from connform.providers.environments import ENVIRONMENT, PRODUCTION, TEST, class_of_label
from connform.providers.http_check import CHECK, check_findings
from connform.providers.interface import Answer, CheckRequest, Instance, Judgement

if TYPE_CHECKING:
    from connform.manifest.model import Connection

DEFAULT_API_KEY_HEADER = "X-Api-Key"
_FOR_PEOPLE = {"oauth2": "authorize_url", "device_code": "device_authorization_url"}
"""OAuth method → the endpoint to which its login leads people, or which says where that is."""
_MESSAGE_HEADERS = frozenset({"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade"})
"""Headers that frame and route the message (RFC 9110 §7, RFC 9112 §6): a key there breaks the request."""


class Http:
    """The provider `http`."""

    shape = Shape(
        properties={
            "environment": {
                **ENVIRONMENT,
                "description": "A label: which of the API's environments this is.",
                "examples": ["staging"],
            },
            "class": {
                "enum": [PRODUCTION, TEST],
                "description": "Whether the environment is production or a test: safety rules and policies go by it. "
                "Default: test for the environments sandbox, test, dev, staging and demo, else production.",
                "x-compare": "class",
            },
            "base_url": {**URL, "description": "The API root."},
            "api_key_header": {
                "type": "string",
                "pattern": r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?!\n)$",
                "default": DEFAULT_API_KEY_HEADER,
                "x-compare": "header",
                "description": "The header that carries an API key.",
                "examples": [DEFAULT_API_KEY_HEADER],
                "errorMessage": "the name of a header has letters, digits and hyphens (RFC 9110 §5.6.2)",
            },
            "check": CHECK,
        },
        required=("base_url", "check"),
        description="A connection to any HTTP API.",
        snippets=(
            Snippet(
                "any HTTP API",
                {
                    "provider": "http",
                    "base_url": "${2:https://api.acme.example/v1}",
                    "check": {"path": "${3:/me}", "expect": {"body": {"required": ["${4:id}"]}}},
                    "auth": {"method": "api_key", "api_key": "env://${5:ACME_KEY}"},
                },
            ),
        ),
    )

    def rules(self, connection: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield findings about the base URL, the check, the OAuth endpoints and the key's header."""
        yield from url_findings(connection["base_url"], ("base_url",))
        yield from check_findings(connection["check"])
        auth = connection["auth"]
        for_people = _FOR_PEOPLE.get(auth["method"])
        if for_people and "issuer" not in auth and not {for_people, "token_url"} <= auth.keys():
            detail = f"nothing says where this API's authorization server is: write `{for_people}` and `token_url`, or `issuer`"
            yield Finding("missing-key", ("auth",), detail)
        if connection.get("api_key_header", "").lower() in _MESSAGE_HEADERS:
            detail = "this header belongs to the HTTP message itself and can't carry a key"
            yield Finding("malformed-value", ("api_key_header",), detail, DEFAULT_API_KEY_HEADER)

    def environment_class(self, settings: Mapping[str, Any]) -> str:
        """Return what the manifest says, otherwise the class of the environment's label."""
        declared: str = settings.get("class", "")
        return declared or class_of_label(settings.get("environment"))

    def instance(self, connection: Connection) -> Instance:
        """Return the API's root and the header of its key."""
        settings = connection.settings
        root = str(parse_url(settings["base_url"])).rstrip("/")
        return Instance(base_url=root, api_key_header=settings.get("api_key_header", DEFAULT_API_KEY_HEADER))

    def check_request(self, connection: Connection) -> CheckRequest:
        """Return the request that the manifest names."""
        check = connection.settings["check"]
        return CheckRequest(check.get("method", "GET"), check["path"], check.get("json"))

    def judge(self, connection: Connection, answer: Answer) -> Judgement:
        """Return the judgement of an answer to the check request: what `check:` says of it, else what its status means."""
        from connform.providers.http_answer import judge_check, unexpected_status  # imported here for start-up

        check = connection.settings["check"]
        if judgement := judge_check(check, answer):
            return judgement
        message = f"the API answered {answer.status}"
        if answer.status == 401:  # noqa: PLR2004  (a status is its own name)
            return Judgement("auth_rejected", message)
        if answer.status == 403:  # noqa: PLR2004  (a status is its own name)
            return Judgement("auth_denied", message, _denied_hint(self.instance(connection).api_key_header))
        return unexpected_status(check, answer)

    def ready_answer(self, connection: Connection) -> Answer:
        """Return an answer that is judged ready."""
        from connform.providers.http_answer import ready_answer

        return ready_answer(connection.settings["check"])


def _denied_hint(header: str) -> str:
    hint = "the API denies the credential: see its permissions, or create a new one in this environment"
    if "_" in header:
        hint += "; nginx drops headers with an underscore unless `underscores_in_headers on`"
    return hint


HTTP = Http()
