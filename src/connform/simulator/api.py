"""The simulated API: the answers that iinked Sign documents (docs.iinkedsign.com/v4, page in brackets).

Layer 2, no IO. Answers are synthetic: no names, no e-mail addresses. Of packages and files that were added, only the
number per host is stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from connform.process_local import ProcessLocal
from connform.simulator.accepted import AcceptedCredentials
from connform.simulator.credentials import Credentials
from connform.simulator.faults import DENIED, TOKEN_ENDED
from connform.simulator.login_calls import LoginCalls
from connform.simulator.messages import Reply, Request, error_reply, json_reply
from connform.simulator.oauth import OAuth

_VENDOR_HOST = re.compile(r"(.+\.)?syngrafii\.(com|eu|ca)")
_API_ROOT = "/api/v1/"
_FIRST_ITEMS = 3
_DEFAULT_TAKE = 100
_KEY_PAGE = b"<!doctype html><title>Integration (simulated)</title><h1>API Keys</h1><p>This is a simulator.</p>"


class SimulatedApi:
    """One iinked Sign per host name; on hosts that are not the vendor's, all other paths get `replies` or a plain `200`."""

    def __init__(
        self,
        credentials: Credentials,
        accepted: AcceptedCredentials,
        oauth: OAuth,
        logins: LoginCalls,
        refusals: Mapping[tuple[str, str], Reply],
    ) -> None:
        """Take what judges requests, and the replies of hosts to faults, of which `auth_rejected` is for wrong credentials."""
        self._credentials = credentials
        self._accepted = accepted
        self._oauth = oauth
        self._logins = logins
        self._refusals = refusals
        self._counts: dict[tuple[str, str], int] = {}
        self._lock = ProcessLocal(Lock)
        self.replies: dict[tuple[str, str, str], Reply] = {}
        """Host, method and path of a request to another API → the reply to a valid credential."""

    def answer(self, request: Request) -> Reply:  # noqa: PLR0911  (a table of answers)
        """Return the documented answer."""
        if reply := self._logins.answer(request) or self._oauth.answer_served(request):
            return reply
        for method, pattern, operation in _OPERATIONS:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                if self._accepts(request):
                    return operation(self, request, *match.groups())
                return self._denial(request)
        if reply := self._oauth.answer(request):
            return reply
        if not _VENDOR_HOST.fullmatch(request.host):  # another API, for the provider `http`: every path exists
            if not self._accepts_elsewhere(request):
                return self._denial(request)
            return self.replies.get((request.host, request.method, request.path), _SIMULATED)
        if (request.method, request.path) == ("GET", "/integration"):
            return Reply(200, _KEY_PAGE, "text/html")
        if request.path.startswith(_API_ROOT) and not self._accepts(request):
            return self._denial(request)
        return error_reply(404, "resource_not_found", "There is no such resource.")

    def _accepts(self, request: Request) -> bool:
        """Whether a request of iinked Sign has a valid credential: as documented, or as a connection sends it."""
        return self._credentials.accepts(request) or self._accepted.accepts(request)

    def _accepts_elsewhere(self, request: Request) -> bool:
        """Whether a request of another API has one: as a connection of that API sends it, or in any header where there is none."""
        if self._accepted.knows(request):
            return self._accepted.accepts(request)
        return self._credentials.accepts_in_any_header(request)

    def _denial(self, request: Request) -> Reply:
        if self._credentials.token_has_ended(request):
            return TOKEN_ENDED
        return self._refusals.get((request.host, "auth_rejected"), DENIED)

    def list_items(self, request: Request, kind: str) -> Reply:
        """`POST /packages/list` [api/packages/list], `POST /templates/list` [api/templates/list]."""
        options = _json_object(request.body or b"{}")
        if options is None:
            return error_reply(400, f"{kind}_invalid_body", "The body must be a JSON object.")
        take, skip = options.get("take"), options.get("skip")
        take, skip = _DEFAULT_TAKE if take is None else take, 0 if skip is None else skip
        for name, value in (("take", take), ("skip", skip)):
            if type(value) is not int or value < 0:
                return error_reply(400, f"{kind}_range_{name}", f"`{name}` must be a whole number from 0.")
        total = self._count(request.host, kind)
        items = [{f"{kind}Id": _identifier(number)} for number in range(1, total + 1)[skip : skip + take]]
        return json_reply(200, {"items": items, "total": total, "take": take, "skip": skip})

    def get_package(self, request: Request, package_id: str) -> Reply:
        """`GET /packages/{packageId}`."""
        if not self._has_package(request.host, package_id):
            return _PACKAGE_NOT_FOUND
        return json_reply(200, {"packageId": package_id, "name": "Simulated package"})

    def add_package(self, request: Request) -> Reply:
        """`POST /packages/add` [api/packages/add]."""
        package = _json_object(request.body)
        if package is None:
            return error_reply(400, "package_invalid_body", "The body must be a JSON object.")
        if not package.get("name"):
            return error_reply(400, "package_invalid_name", "`name` is required.")
        return json_reply(200, {"packageId": _identifier(self._count(request.host, "package", add=1))})

    def upload_file(self, request: Request) -> Reply:
        """`POST /files/upload`, multipart/form-data [api/files/upload]."""
        if not request.body or not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            return error_reply(400, "file_invalid_content", "A file as multipart/form-data is required.")
        file_id = _identifier(self._count(request.host, "file", add=1))
        return json_reply(200, {"fileId": file_id, "type": "temporary"})

    def link_signer(self, request: Request, package_id: str, signer_id: str) -> Reply:
        """`POST /packages/{packageId}/link/sign/{signerId}` [api/links/sign]."""
        if not self._has_package(request.host, package_id):
            return _PACKAGE_NOT_FOUND
        link = f"https://{request.host}/link/{signer_id}"
        return json_reply(200, {"packageId": package_id, "type": "package_sign", "link": link})

    def set_event_endpoint(self, request: Request) -> Reply:
        """`POST /events/endpoints/set`."""
        if _json_object(request.body) is None:
            return error_reply(400, "endpoint_invalid_body", "The body must be a JSON object.")
        return json_reply(200, {})

    def _has_package(self, host: str, package_id: str) -> bool:
        return package_id in map(_identifier, range(1, self._count(host, "package") + 1))

    def _count(self, host: str, kind: str, add: int = 0) -> int:
        with self._lock.own:
            count = self._counts.get((host, kind), _FIRST_ITEMS) + add
            if add:
                self._counts[host, kind] = count
            return count


_SIMULATED = json_reply(200, {"simulated": True})
_PACKAGE_NOT_FOUND = error_reply(404, "package_not_found", "There is no such package.")

_OPERATIONS: tuple[tuple[str, re.Pattern[str], Callable[..., Reply]], ...] = tuple(
    (method, re.compile(r"(?:/[^/]+)*" + _API_ROOT + path), operation)
    for method, path, operation in (
        ("POST", "packages/list", lambda api, request: api.list_items(request, "package")),
        ("POST", "templates/list", lambda api, request: api.list_items(request, "template")),
        ("GET", "packages/([^/]+)", SimulatedApi.get_package),
        ("POST", "packages/add", SimulatedApi.add_package),
        ("POST", "files/upload", SimulatedApi.upload_file),
        ("POST", "packages/([^/]+)/link/sign/([^/]+)", SimulatedApi.link_signer),
        ("POST", "events/endpoints/set", SimulatedApi.set_event_endpoint),
    )
)
"""Method, path and handler of each documented call; the path may have a proxy's prefix in front of the API root."""


def _identifier(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
