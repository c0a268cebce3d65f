"""The protocol of a credential, and the lines that it adds to a request. Layer 1, no IO."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from connform.errors import InterfaceMisused
from connform.secret import Secret

if TYPE_CHECKING:
    from connform.grant import GrantFacts
    from connform.issued_token import TokenFacts


class HeaderLines:
    """What a credential adds to a request: header lines, and parameters of the query. No output shows them.

    True if there are any; `len` counts them, and `==` compares them.
    """

    __slots__ = ("_lines", "parameters")
    parameters: tuple[tuple[str, Secret], ...]
    """Names and values of the parameters of the query; each request reads this attribute."""

    def __init__(self, *lines: tuple[str, Secret], parameters: Iterable[tuple[str, Secret]] = ()) -> None:
        """Set names and values.

        Raises:
            InterfaceMisused: a line or a parameter is not a name and a `Secret`.
        """
        self._lines, self.parameters = lines, tuple(parameters)
        for line in (*self._lines, *self.parameters):
            if [isinstance(part, needed) for part, needed in zip(line, (str, Secret), strict=False)] != [True, True]:
                raise InterfaceMisused("a line of HeaderLines is a tuple of a name and a Secret, and so is a parameter")

    def reveal(self) -> list[tuple[bytes, bytes]]:
        """Return the header lines in clear. Call it inside of `hidden_frames`."""
        return [(name.encode(), value.reveal().encode(errors="surrogatepass")) for name, value in self._lines]

    def reveal_parameters(self) -> list[tuple[bytes, bytes]]:
        """Return the parameters in clear, not encoded. Call it inside of `hidden_frames`."""
        return [(name.encode(), value.reveal().encode(errors="surrogatepass")) for name, value in self.parameters]

    def __len__(self) -> int:
        return len(self._lines) + len(self.parameters)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, HeaderLines):
            return False
        return self.reveal() == other.reveal() and self.reveal_parameters() == other.reveal_parameters()

    __hash__ = None  # type: ignore[assignment]  # only `limits` stores digests of secrets, and its digests are keyed

    def __repr__(self) -> str:
        return "<credential>"


NO_LINES = HeaderLines()
"""No credential is sent, or none is available yet."""


class Credential(Protocol):
    """What the transport adds to a request; no httpx object shows it.

    A class that inherits from it has the defaults, which are those of a credential that is never renewed.
    """

    __slots__ = ()

    @property
    def is_renewable(self) -> bool:
        """Whether it expires, and `renew` renews it. The default is `False`."""
        return False

    @property
    def scheme(self) -> str:
        """The authentication scheme of its header, such as `Bearer` (RFC 9110 §11.1); empty where there is none, as for a key.

        `exec` and `token` hand the credential over by it.
        """
        return ""

    @property
    def facts(self) -> GrantFacts | TokenFacts | None:
        """The facts of its grant or issued token, once it was read; `None` for a credential with neither, which is the default."""
        return None

    def headers(self) -> HeaderLines:
        """Return the header lines and parameters that carry the credential; empty where it must be renewed first. No IO."""

    def renew(self, refused: HeaderLines = NO_LINES) -> HeaderLines:
        """Return the lines of a renewed credential; called if `is_renewable`. The default returns `refused`.

        It blocks, and may use the state database and the network. Many threads may call it at once; one of them renews. It
        ends by the deadline of `http.net.deadline`.

        Args:
            refused: the lines that the server refused with 401 or 403; empty where none were sent. If there is no newer
                credential, the same lines are returned, and the refusal is final.

        Raises:
            ConnectionFailed: there is no usable credential.
        """
        return refused
