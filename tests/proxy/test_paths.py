"""Under `allow:`, and below the root: no spelling of a path reaches what another spelling may not."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest

from tests.proxy.conftest import Setting
from tests.proxy.raw import ask, request
from tests.proxy.running import Proxy
from tests.proxy.upstream import ROOT
from tests.repetitions import given, repeated

PERMITTED = (
    "/packages/7",
    "/packages/7?view=short&path=/../admin",
    "/packages/a%20b",
    "/packages/%C3%A9",
    "/packages/a:b@c,d!$&'()*+=~",
    "/files/a",
    "/files/a/b/c",
    "/packages/7;x",
    "/packages/7.",
)
REFUSED = (
    *("/packages/7/../../admin", "/packages/../admin", "/packages/..", "/packages/./../admin", "/packages/."),
    *("/packages/%2e%2e/admin", "/packages/%2E%2e", "/packages/.%2e/admin", "/packages/%2e"),
    *("/packages/%2e%2e%2fadmin", "/packages/..%2fadmin", "/packages/..%2Fadmin", "/packages/7%2f..%2f..%2fadmin"),
    *("/packages/%252e%252e/admin", "/packages/..%252fadmin", "/packages/%25252e%25252e"),
    *("/packages/..\\admin", "/packages/..%5cadmin", "/packages\\..\\admin", "/packages/7\\8", "/packages/%5c"),
    *("/packages/..;/admin", "/packages/..;a=b/admin", "/packages/;/../admin", "/packages/..%3b/admin"),
    *("//packages/7/../../admin", "/packages//", "/packages///7", "/packages//..//admin"),
    *("/Packages/7", "/PACKAGES/7", "/packages/7/", "/packages/7/8"),
    *("/packages/7%00", "/packages/7\x00", "/packages/..%00/admin", "/packages/7%0d%0aHost:%20x", "/packages/7%0a"),
    *("/packages/.. /admin", "/packages/..%20/admin", "/packages/.../admin", "/packages/...", "/packages/%2e%2e."),
    *("/packages/..%c0%af..%c0%afadmin", "/packages/%c0%ae%c0%ae/admin", "/packages/%e0%80%ae", "/packages/%uff0e%uff0e/admin"),
    *("/packages/7#/../../admin", "/packages/..#", "/packages/7%23/../../admin", "#/packages/7"),
    *("/packages/%", "/packages/%2", "/packages/%zz", "/packages/%2e%2", "/packages/\xe9", "/packages/7\t8"),
    *("/files/../admin", "/files/a/%2e%2e/%2e%2e/admin", "/files/a//b", "/files/a\\..\\..\\admin", "/files/a/..%2f..%2fadmin"),
    *("/admin", "", "/", "/packages", "/packages?/7", "/packages/?x", "/?/packages/7", "/packages%2f7", "/%70ackages%2f7"),
)  # fmt: skip
"""What follows the base URL."""
OUTSIDE = (
    "https://127.0.0.1:{upstream}/api/v1/packages/7",
    "http://127.0.0.1:{upstream}{path}/packages/7",
    "http://{host}{path}/packages/7",
    "//{host}{path}/packages/7",
    "//127.0.0.1:{upstream}/packages/7",
    "127.0.0.1:{upstream}",
    "*",
    "/packages/7",
    "/shop/packages/7",
    "{path}x/packages/7",
    "{shorter}/packages/7",
    "{longer}/packages/7",
    "{upper}/packages/7",
    "{wrong}/packages/7",
    "{path}/../shop/packages/7",
    "{path}/../packages/7",
    "/x/..{path}/packages/7",
    "/.{path}/packages/7",
    "/{path}/packages/7",
    "{encoded}/packages/7",
    "\\{path}/packages/7",
    "{path};x/packages/7",
    " {path}/packages/7",
)


def steps(*found: Callable[[str], str]) -> Callable[[str], str]:
    """Return what reads a path in several steps, one after the other."""

    def read(path: str) -> str:
        for one in found:
            path = one(path)
        return path

    return read


def without_parameters(path: str) -> str:
    """Return a path without what follows `;` in each segment, as servlets have it."""
    return re.sub(r";[^/]*", "", path)


def slashes(path: str) -> str:
    """Return a path with one slash for several, and for each backslash."""
    return re.sub(r"[/\\]+", "/", path)


def bare(path: str) -> str:
    """Return a path whose segments end neither with dots nor with spaces, as on Windows; those of dots alone stay."""
    return "/".join(segment if set(segment) <= {"."} else segment.rstrip(". ") for segment in path.split("/"))


def resolved(path: str) -> str:
    """Return a path without `.` and `..`."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    return "/".join(kept)


def cut(path: str) -> str:
    """Return a path up to a NUL or a `#`."""
    return re.split(r"[\0#]", path, maxsplit=1)[0]


SERVERS = {
    "literal": steps(),
    "RFC 3986": steps(resolved),
    "decoded once": steps(unquote, slashes, resolved),
    "decoded twice": steps(unquote, unquote, slashes, resolved),
    "servlet": steps(without_parameters, unquote, slashes, resolved),
    "servlet behind another": steps(unquote, without_parameters, slashes, resolved),
    "Windows": steps(unquote, slashes, bare, resolved, str),
    "C strings": steps(unquote, cut, slashes, resolved),
}
"""How servers read a path."""
_ALLOWED = re.compile(rf"{ROOT}/(packages/[^/]+|files/.+)")


def wrong_readings(target: str) -> list[str]:
    """Return the servers for which a target, as it was sent to the API, is outside of what `narrow` permits."""
    path = target.partition("?")[0]
    return [name for name, read in SERVERS.items() if not _ALLOWED.fullmatch(read(path))]


@pytest.mark.parametrize("path", PERMITTED)
def test_what_is_allowed_is_sent(setting: Setting, narrow: Proxy, path: str) -> None:
    answer = ask(narrow.port, request(f"{narrow.path}{path}", narrow.host))
    assert answer is not None
    assert (answer.status, setting.upstream.paths) == (200, [f"{ROOT}{path}"])
    assert wrong_readings(setting.upstream.paths[0]) == []


@pytest.mark.parametrize("path", REFUSED, ids=ascii)
def test_no_other_spelling_reaches_more_than_is_allowed(setting: Setting, narrow: Proxy, path: str) -> None:
    answer = ask(narrow.port, request(f"{narrow.path}{path}", narrow.host))
    assert answer is None or 400 <= answer.status < 500, answer
    assert setting.upstream.paths == []


@pytest.mark.parametrize("target", OUTSIDE)
def test_a_target_outside_of_the_base_url_is_refused(setting: Setting, proxy: Proxy, target: str) -> None:
    random = proxy.path.split("/")[1]
    shorter, longer = (proxy.path.replace(random, other) for other in (random[:-1], f"{random}a"))
    upper = proxy.path.replace(random, random.upper() if random.upper() != random else random.lower())
    wrong = proxy.path.replace(random, "A" * len(random))
    encoded = "".join(f"%{byte:02x}" if chr(byte) != "/" else "/" for byte in proxy.path.encode())
    given = {"path": proxy.path, "host": proxy.host, "upstream": setting.port, "shorter": shorter, "longer": longer}
    sent = target.format(**given, upper=upper, wrong=wrong, encoded=encoded)
    answer = ask(proxy.port, request(sent, proxy.host))
    assert answer is None or 400 <= answer.status < 500, answer
    assert setting.upstream.paths == []


def test_without_patterns_paths_stay_below_the_root(setting: Setting, proxy: Proxy) -> None:
    for path in REFUSED:
        ask(proxy.port, request(f"{proxy.path}{path}", proxy.host))
    for target in setting.upstream.paths:
        path = target.partition("?")[0]
        readings = {name: read(path) for name, read in SERVERS.items()}
        assert all(read == ROOT or read.startswith(f"{ROOT}/") for read in readings.values()), (target, readings)


_PARTS = ("packages", "files", "7", "admin", "..", ".", "...", "/", "//", "\\", ";", ";x=y", "%2e", "%2E%2e", "%2f", "%5c", "%3b",
          "%25", "%252e", "%252f", "%00", "%20", " ", "#", "?", "%", "a", "..;", "\t", "%0a", "\x7f", "\xe9", "%c0%af", "%ef%bc%8f", "*", "**")  # fmt: skip


def test_no_random_spelling_reaches_more_than_is_allowed(setting: Setting, narrow: Proxy) -> None:
    chooser = random.Random(repeated(1, None))
    for _ in range(given("spellings", 100)):
        start = chooser.choice(("/packages/", "/files/", "/files/a/", "/", ""))
        path = start + "".join(chooser.choices(_PARTS, k=chooser.randrange(1, 6)))
        setting.upstream.seen.clear()
        ask(narrow.port, request(f"{narrow.path}{path}", narrow.host))
        assert [target for target in setting.upstream.paths if wrong_readings(target)] == [], ascii(path)
