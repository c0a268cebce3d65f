"""Manifests that are made to cost time or memory, each of any size: what they are called, and how they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice

HEAD = "version: 1\nconnections:\n"
_GOOD = '{environment: sandbox, region: us, auth: {method: api_key, api_key: "env://A"}'
_ONE = f"{HEAD}  a: {_GOOD}"


def _filled(head: str, pieces: Iterator[str], size: int, tail: str = "") -> str:
    """Return a text of about `size` characters: pieces between a head and a tail."""
    text = [head]
    room = size - len(head) - len(tail)
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            break
        text.append(piece)
    return "".join((*text, tail))


def _numbered(form: str) -> Iterator[str]:
    """Yield a text with 0, 1, 2, … for each `%`, without end."""
    number = 0
    while True:
        yield form.replace("%", str(number))
        number += 1


def _repeated(form: str, *, head: str = HEAD, tail: str = "\n") -> Callable[[int], str]:
    return lambda size: _filled(head, _numbered(form), size, tail)


def _twice(head: str, first: str, middle: str, second: str, tail: str = "\n") -> Callable[[int], str]:
    """Return a maker of as many of one kind of line as of another."""

    def make(size: int) -> str:
        number = max(1, (size - len(head) - len(middle) - len(tail)) // (len(first) + len(second) + 10))
        parts = (islice(_numbered(form), number) for form in (first, second))
        return "".join((head, *next(parts_ := iter(parts)), middle, *next(parts_), tail))

    return make


def _padded(head: str, tail: str, filler: str = " ") -> Callable[[int], str]:
    return lambda size: head + filler * ((size - len(head) - len(tail)) // len(filler)) + tail


def _aliases(node: str, alias: str, *, head: str = HEAD) -> Callable[[int], str]:
    """Return a maker of one wrong node in half of the file, and of aliases of it in the other."""

    def make(size: int) -> str:
        wrong = _filled(f"{head}  a: &a {{", _numbered(node), min(size // 2, 3_000), "x: 1}\n")
        return _filled(wrong, _numbered(alias), size)

    return make


def _nested(size: int) -> str:
    """Return as many trees of 60 levels as there is room for."""
    tree = "{a: " * 58 + "1" + "}" * 58
    return _filled(HEAD, _numbered(f"  c%: {tree}\n"), size)


def _deep_errors(size: int) -> str:
    tree = "[" * 58 + "]" * 58
    return _filled(HEAD, _numbered(f"  c%: {{tags: {tree}, auth: {tree}}}\n"), size)


def _chain(size: int) -> str:
    """Return templates that extend each other in one long line, and connections that extend the last."""
    number = max(2, size // 2 // 28)
    links = (f"  t{each}: {{extends: t{each + 1}}}\n" for each in range(number - 1))
    head = "".join(chain(["version: 1\ntemplates:\n"], links, [f"  t{number - 1}: {_GOOD}}}\nconnections:\n"]))
    return _filled(head, _numbered("  c%: {extends: t0}\n"), size)


def _circle(size: int) -> str:
    number = max(2, size // 28)
    links = (f"  t{each}: {{extends: t{(each + 1) % number}}}\n" for each in range(number))
    return "".join(chain(["version: 1\ntemplates:\n"], links, [f"connections:\n  a: {_GOOD}}}\n"]))


def _moves(size: int, open_ends: int) -> str:
    """Return renames that follow each other in one long line, or in a circle."""
    number = max(2, size // 18)
    links = (f"  n{each}: n{each + 1 if each < number - 1 else open_ends * number}\n" for each in range(number))
    return "".join(chain([f"{_ONE}}}\nmoved:\n"], links))


def _inherited(size: int) -> str:
    """Return one template with many mistakes, and connections that inherit all of them."""
    wrong = _filled("version: 1\ntemplates:\n  t: {", _numbered("k%: 1, "), min(size // 2, 3_000), f"{_GOOD[1:]}}}\n")
    return _filled(f"{wrong}connections:\n", _numbered("  c%: {extends: t}\n"), size)


def _defaults(size: int) -> str:
    wrong = _filled("version: 1\ndefaults: {", _numbered("k%: 1, "), min(size // 2, 3_000), "owner: a}\nconnections:\n")
    return _filled(wrong, _numbered(f"  c%: {_GOOD}}}\n"), size)


_STORES = "version: 1\nstores:\n"
_TEMPLATES = "version: 1\ntemplates:\n"
_CONNECTIONS = "connections:\n"
_KEY = '{environment: sandbox, region: us, auth: {method: api_key, api_key: "%"}}'

SHAPES: dict[str, Callable[[int], str]] = {
    "unknown keys": _repeated("k%: 1, ", head=f"{_ONE}, ", tail="}\n"),
    "unknown keys, one a line": _repeated("    k%:\n", head=f"{HEAD}  a:\n"),
    "unknown keys at the top": _repeated("k%: 1\n", head="version: 1\n"),
    "keys that are nearly known": _repeated("environmen%: 1, ", head=f"{_ONE}, ", tail="}\n"),
    "keys of another branch": _repeated("  c%: {client_secret: a, region: b, instance: c, token: d}\n"),
    "entries with one unknown key": _repeated("  c%: {z: 1}\n"),
    "entries that are empty": _repeated("  c%: {}\n"),
    "entries that are no mappings": _repeated("  c%: 1\n"),
    "entries without values": _repeated("  c%:\n"),
    "names of a wrong form": _repeated(f"  C%: {_GOOD}}}\n"),
    "the same key twice": _repeated("  a: {b: 1}\n"),
    "the same key in one mapping": _repeated("a: 1, ", head=f"{HEAD}  a: {{", tail="}\n"),
    "regions that are nearly known": _repeated("  c%: {environment: sandbox, region: uss, owner: 1}\n"),
    "tags that are mappings": _repeated("{a: %},", head=f"{_ONE}, tags: [", tail="]}\n"),
    "tags that are lists": _repeated("[%],", head=f"{_ONE}, tags: [", tail="]}\n"),
    "tags that are numbers": _repeated("%,", head=f"{_ONE}, tags: [", tail="]}\n"),
    "tags that are all the same": _repeated("a,", head=f"{_ONE}, tags: [", tail="]}\n"),
    "tags in pairs": _repeated("a%,a%,", head=f"{_ONE}, tags: [", tail="]}\n"),
    "tags of many kinds": _repeated("1, 1.0, a, true, {a: 1}, [1], %, ", head=f"{_ONE}, tags: [", tail="]}\n"),
    "good tags": _repeated("a%,", head=f"{_ONE}, tags: [", tail="]}\n"),
    "one tag a line": _repeated("      - a%\n", head=f"{HEAD}  a:\n    tags:\n"),
    "templates that are nearly known": _twice(
        _TEMPLATES, "  templ%: {region: us}\n", _CONNECTIONS, "  c%: {extends: tmpl%}\n"
    ),
    "templates with a long common start": _twice(
        _TEMPLATES, f"  {'a' * 50}%: {{region: us}}\n", _CONNECTIONS, f"  c%: {{extends: {'a' * 50}x%}}\n"
    ),
    "templates in another order": _twice(
        _TEMPLATES, "  a_b_%: {region: us}\n", _CONNECTIONS, "  c%: {extends: b_%_a}\n"
    ),
    "templates that nobody uses": _repeated(
        "  t%: {region: us}\n", head=_TEMPLATES, tail=f"{_CONNECTIONS}  a: {_GOOD}}}\n"
    ),
    "one unknown template": _twice(_TEMPLATES, "  templ%: {region: us}\n", _CONNECTIONS, "  c%: {extends: tmpl}\n"),
    "stores that are nearly known": _twice(
        _STORES, "  store-%: {type: dotenv, path: a}\n", _CONNECTIONS, f"  c%: {_KEY.replace('%', 'stroe-%://A')}\n"
    ),
    "stores that are wrong": _repeated(
        "  s%: {type: dotenv, pth: a}\n", head=_STORES, tail=f"{_CONNECTIONS}  a: {_GOOD}}}\n"
    ),
    "stores of unknown types": _repeated("  s%: {type: dotnv}\n", head=_STORES, tail=f"{_CONNECTIONS}  a: {_GOOD}}}\n"),
    "many good stores": _twice(
        _STORES, "  s%: {type: dotenv, path: a}\n", _CONNECTIONS, f"  c%: {_KEY.replace('%', 's%://A')}\n"
    ),
    "aliases of a wrong connection": _aliases("k%: 1, ", "  c%: *a\n"),
    "aliases of a wrong connection, with defaults": _aliases(
        "k%: 1, ", "  c%: *a\n", head="version: 1\ndefaults: {owner: a}\nconnections:\n"
    ),
    "aliases of a wrong list": _aliases("tags: &t [1, 2], k%: 1, ", "  c%: {tags: *t, auth: *a}\n"),
    "anchors": _repeated("  c%: &a% {environment: sandbox}\n"),
    "aliases in aliases": lambda size: _filled(
        f"{HEAD}  a0: &a0 {{b: [1]}}\n", (f"  a{n}: &a{n} {{b: *a{n - 1}}}\n" for n in range(1, 1_000_000)), size
    ),
    "blanks in one line": _padded(f"{HEAD}  a: {{zz: a", "b}\n"),
    "blanks in many lines": _repeated(f"  a%: {{zz: a{' ' * 760}b}}\n"),
    "blanks behind values": _repeated(f"  a%: {{zz: a{' ' * 760}}}{' ' * 800}\n"),
    "empty lines": _padded(f"{_ONE}}}\n", "", "\n"),
    "empty lines inside": _padded(f"{HEAD}\n", f"  a: {_GOOD}, z: 1}}\n", "\n"),
    "carriage returns": _padded(f"{_ONE}}}\r\n", "", "\r\n"),
    "comments": _padded(HEAD, f"  a: {_GOOD}, z: 1}}\n", "# a\n"),
    "one long comment": _padded(f"{HEAD}  # ", f"\n  a: {_GOOD}, z: 1}}\n", "a "),
    "comments behind mistakes": _repeated("  c%: {z: 1} # a comment # of a kind # that goes on\n"),
    "ignore comments": _repeated("  c%: {z: 1} # connform: ignore[unused-template]\n"),
    "ignore comments of unknown codes": _repeated("# connform: ignore[unused-templte-%]\n", tail=f"  a: {_GOOD}}}\n"),
    "many codes in one ignore comment": _repeated("unused-templte%,", head=f"{_ONE}}} # connform: ignore[", tail="]\n"),
    "ignore comments that are used": _repeated(
        "  t%: {region: us} # connform: ignore[unused-template]\n",
        head=_TEMPLATES,
        tail=f"{_CONNECTIONS}  a: {_GOOD}}}\n",
    ),
    "marks of ignore comments": _padded(f"{_ONE}}}\n", "\n", "# connform: ignore["),
    "trees": _nested,
    "trees of lists": _deep_errors,
    "open brackets": _padded(HEAD + "  a: ", "", "["),
    "pairs of brackets": _padded(f"{_ONE}, tags: [", "]}\n", "[],"),
    "pairs of braces": _padded(f"{_ONE}, tags: [", "]}\n", "{},"),
    "documents": _repeated("---\na: 1\n"),
    "ends of documents": _padded(f"{_ONE}}}\n", "", "...\n"),
    "question marks": _padded(HEAD, "", "? "),
    "dashes": _padded(HEAD + "  a:\n", "", "- "),
    "long keys": _repeated(f"  c%: {{{'k' * 1000}%: 1}}\n"),
    "a long key": _padded(f"{HEAD}  a: {{", ": 1}\n", "k"),
    "long names": _repeated(f"  {'n' * 1000}%: {_GOOD}}}\n"),
    "long values": _repeated(f"  c%: {{region: {'v' * 60_000}}}\n"),
    "long references": _repeated(f"  c%: {_KEY.replace('%', 'env://' + 'A' * 60_000)}\n"),
    "aliases of a long text": lambda size: _filled(
        f"version: 1\ndefaults: {{owner: &v '${{{'v' * min(size // 2, 60_000)}'}}\nconnections:\n",
        _numbered("  c%: {region: *v}\n"),
        size,
    ),
    "references that are nearly whole": _repeated(f"  c%: {_KEY.replace('%', 'vault://' + '/a' * 500 + '#b#c')}\n"),
    "paths that climb": _repeated(f"  c%: {_KEY.replace('%', 'file://' + '../' * 20 + 'a')}\n"),
    "placeholders": _repeated(f"  c%: {_KEY.replace('%', '${' * 500)}\n"),
    "placeholders in all values": _repeated(
        "  c%: {environment: $X_Y, region: '{{ a }}', auth: {method: __A__}, owner: '${%}'}\n"
    ),
    "placeholders in names": _repeated("  __A%__: {region: us}\n"),
    "aliases of placeholders": _repeated("*t,", head=f"{HEAD}  a: {{tags: [&t [{'__A__,' * 8}],", tail="]}\n"),
    "moves to no connection": _repeated("  a%: b%\n", head=f"{_ONE}}}\nmoved:\n"),
    "moves that are nearly known": _twice(HEAD, f"  conn%: {_GOOD}}}\n", "moved:\n", "  a%: con%\n"),
    "moves of names that stand": _twice(HEAD, f"  a%: {_GOOD}}}\n", "moved:\n", "  a%: b%\n"),
    "moves to one name": _repeated("  a%: a\n", head=f"{_ONE}}}\nmoved:\n"),
    "moves of a wrong form": _repeated("  A%: {a: b}\n", head=f"{_ONE}}}\nmoved:\n"),
    "a chain of moves": lambda size: _moves(size, 1),
    "a circle of moves": lambda size: _moves(size, 0),
    "secrets as keys": _repeated("  c%: {x9Kf82LmQw71Zp0T%, region: us}\n"),
    "secrets as keys of one mapping": _repeated("x9Kf82LmQw71Zp0T%: 1, ", head=f"{_ONE}, ", tail="}\n"),
    "secrets as names": _repeated("  x9kf82lmqw71zp0t%: {extends: a%, region: us}\n"),
    "keys with letters that look alike": _repeated("regi\u043en%: 1, ", head=f"{_ONE}, ", tail="}\n"),
    "typographic quotes": _repeated("  c%: {region: \u201cus\u201d, \u201cowner\u201d: \u201ca\u201d}\n"),
    "blanks that are letters": _repeated("  c%: {region: a\u00a0b}\n"),
    "colons in keys": _repeated("  c%: {a:b: 1, region=us: 2}\n"),
    "keys of another provider": _repeated("  c%: {provider: http, region: eu, auth: {method: bearer, scopes: a}}\n"),
    "pairs of surrogates": _repeated(
        '"c%": {"owner": "\\ud83d\\ude42"}, ', head='{"version": 1, "connections": {', tail='"a": {}}}'
    ),
    "other tools' references": _repeated(f"  c%: {_KEY.replace('%', 'ref+vault://a%#/b')}\n"),
    "URLs": _repeated('  c%: {environment: private, base_url: "https://a' + ".b" * 500 + '/%?x", auth: 1}\n'),
    "escapes": _padded(f'{HEAD}  a: {{region: "', '"}\n', "\\u0041"),
    "escapes in keys": _repeated('  c%: {"\\u0041\\u0042\\t%": 1}\n'),
    "quotes": _padded(f"{HEAD}  a: {{region: '", "'}\n", "''"),
    "one block scalar": _padded(f"{HEAD}  a:\n    description: |\n", "", "      a\n"),
    "block scalars": _repeated("  c%:\n    region: |\n      a\n\n\n"),
    "folded block scalars": _repeated("  c%:\n    region: >-\n      a\n\n      b\n"),
    "one line": _repeated("c%: {z: 1}, ", head="{version: 1, connections: {", tail="}}\n"),
    "no spaces": _repeated('"c%":{"z":1},', head='{"version":1,"connections":{', tail='"a":{}}}\n'),
    "numbers": _repeated("  c%: {timeouts: {total_s: -1, read_s: 1e400, connect_s: 99999999999999999999}}\n"),
    "letters that take two columns": _repeated("  c%: {z: 漢字漢字漢字, k: ｅｎｖ}\n"),
    "control characters": _repeated('  c%: {"\\e[31m\\u202e%": "\\a"}\n'),
    "values that look like keys": _repeated(f"  c%: {{api_key: {'a1B2' * 12}%}}\n"),
    "a chain of templates": _chain,
    "a circle of templates": _circle,
    "mistakes that are inherited": _inherited,
    "mistakes in defaults": _defaults,
    "a key that is empty, and its content beside it": _repeated("  c%:\n  environment: sandbox\n  region%: us\n"),
    "many good connections": _repeated(f"  c%: {_GOOD}}}\n"),
    "unused scopes": _repeated("profile ", head=f'{HEAD}  a: {{auth: {{method: oauth2, scopes: ["', tail='"]}}\n'),
    "missing keys": _repeated("  c%: {auth: {}, tls: {client_cert: a}}\n"),
    "certificates without keys": _repeated(f"  c%: {_GOOD}, tls: {{client_cert: a}}}}\n"),
    "warnings": _repeated(f'  c%: {_GOOD[:-12]}"file://../../../../a"}}}}\n'),
}
"""What costs → a function from a size in characters to a manifest of about that size."""
