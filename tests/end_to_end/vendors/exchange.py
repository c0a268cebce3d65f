"""One request as a vendor documents it, its answers, and whether what was sent is that request.

In the texts, `$NAME` stands for a secret or a token of `texts.py`, and `$JWT` for a JWT that the key `jwt` describes.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from tests.end_to_end.vendors.texts import filled, verify_jwt
from tests.http.servers import head

PKCE = {"code_challenge", "code_challenge_method", "code_verifier"}
"""What connform adds to each login (RFC 7636); a server ignores parameters that it doesn't know (RFC 6749 §3.1, §3.2)."""
_EVERY_CLIENTS = {"host", "user-agent", "accept-encoding", "connection", "content-length", "content-type"}
"""Headers that say nothing of the vendor."""
_TYPES = {"form": "application/x-www-form-urlencoded", "json": "application/json"}
_JWT = "$JWT"


class Answer(NamedTuple):
    """An answer of a vendor."""

    status: int
    body: Any = None
    """What stands in it as JSON."""
    text: str | None = None
    """A body that is no JSON, of the type `kind`; `None` if it is."""
    kind: str = "text/plain"
    means: str = "ready"
    """The class of failure."""

    def sent(self) -> bytes:
        """Return it as it is sent."""
        content = (filled(json.dumps(self.body)) if self.text is None else self.text).encode()
        kind = "application/json" if self.text is None else self.kind
        return head(self.status, [f"Content-Type: {kind}", f"Content-Length: {len(content)}"]) + content


class Sent(NamedTuple):
    """A request as it came."""

    request: str
    """Method and URL."""
    headers: Mapping[str, str]
    """The headers, their names in lower case."""
    body: str


class Exchange(NamedTuple):
    """One request as the vendor documents it, and its answers."""

    request: str
    """Method and URL."""
    answer: Answer
    """That to a good credential."""
    refusals: tuple[Answer, ...] = ()
    """Those to a bad one."""
    headers: Mapping[str, str] = {}
    basic: tuple[str, ...] = ()
    """User name and password (RFC 7617)."""
    form: Mapping[str, str] | None = None
    json: Mapping[str, Any] | None = None
    jwt: Mapping[str, Any] = {}
    """`alg`, `kid` and `claims` of its JWT."""

    @property
    def host(self) -> str:
        """The host that is asked."""
        return urlsplit(self.request.split()[1]).hostname or ""

    def compare(self, sent: Sent) -> None:
        """Require that a request is what the vendor documents, and carries nothing else."""
        assert sent.request == self.request
        documented = {name.lower(): text for name, text in self.headers.items()}
        if self.basic:
            pair = ":".join(filled(text) for text in self.basic)
            documented["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        ignored = _EVERY_CLIENTS | ({"accept"} - documented.keys())
        headers = {name: text for name, text in sent.headers.items() if name not in ignored}
        assert headers == self._filled(documented, headers), "other headers"
        content = self._content(sent)
        assert content == self._filled(self.form or self.json or {}, content), "another body"

    def _content(self, sent: Sent) -> Mapping[str, Any]:
        """Return the parameters of a body, which is of the documented type."""
        kind = "form" if self.form else "json" if self.json else ""
        assert sent.headers.get("content-type", "") == _TYPES.get(kind, "")
        if not kind:
            assert sent.body == "", "a body that is not documented"
            return {}
        content = dict(parse_qsl(sent.body, keep_blank_values=True)) if kind == "form" else json.loads(sent.body)
        return {name: text for name, text in content.items() if name not in PKCE}

    def _filled(self, documented: Mapping[str, str], sent: Mapping[str, str]) -> dict[str, str]:
        """Return documented texts with what stands for their names; for a JWT that it verifies, what was sent."""
        texts = {}
        for name, text in documented.items():
            before, found, _ = text.partition(_JWT)
            texts[name] = sent.get(name, "") if found else filled(text)
            if found:
                assert texts[name].startswith(before), "another text before the JWT"
                verify_jwt(texts[name].removeprefix(before), self.jwt)
        return texts


def read(request: bytes) -> Sent:
    """Return a request that came."""
    top, _, body = request.decode().partition("\r\n\r\n")
    first, *lines = top.split("\r\n")
    method, target, _ = first.split()
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
    return Sent(f"{method} https://{headers['host']}{target}", headers, body)
