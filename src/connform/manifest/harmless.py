"""Rules for which text of a manifest may be shown: plain words may, what may be a pasted secret may not.

Layer 1, no IO. Every output uses these rules: source lines, pointers, messages, suggestions, diffs and reports.
They don't recognise a password that is an ordinary word: it looks like a name.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from connform.diagnostics import MASK
from connform.secret import looks_generated

MAX_WORD = 253
"""The length of the longest host name; longer text is no word."""

_BETWEEN = r"[-._:/+,']{1,3}"
_HUMP = "[A-Z][a-z0-9]{2,}"
_CAMEL = f"(?:[A-Z]?[a-z0-9]++|[A-Z])(?:{_HUMP})*"
# Patterns are compiled when they are first needed: a manifest without mistakes needs none.
_STYLES = (
    rf"[a-z0-9]++(?:{_BETWEEN}[a-z0-9]++)*+"  # sandbox-us, read_s, https://acme.example/v1
    rf"|[A-Z0-9]++(?:{_BETWEEN}[A-Z0-9]++)*+"  # ACME_KEY
    rf"|{_CAMEL}(?:{_BETWEEN}{_CAMEL})*"  # baseUrl, X-Api-Key
)
"""A word has one of these styles. A mixture, such as `ABC-def`, may have been generated."""
_EDGES = "-._/"
_ADDRESS = r"[A-Za-z0-9._+-]++@[A-Za-z0-9.-]++"
_ENDS_OF_TEXT = ".,;:!?()\"'`"
_MIXED = r"(?:[A-Za-z]++[0-9]++){2}[A-Za-z]|(?:[0-9]++[A-Za-z]++){2}[0-9]"
"""Letters and digits alternate, as in `p4ssw0rd`."""
_RUN = r"(?<![A-Za-z0-9])(?=[A-Za-z]*+[0-9])(?=[0-9]*+[A-Za-z])[A-Za-z0-9]{16,}+"
_LETTERS_AND_DIGITS = bytes([*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B)])
_AS_ONE_LETTER = bytes.maketrans(_LETTERS_AND_DIGITS, b"a" * len(_LETTERS_AND_DIGITS))
_LONG_RUN = b"a" * 16
_CHOSEN = r"[a-z]*(?:[A-Z]{1,5}[a-z]{2,})*[A-Z]{0,5}[0-9]{0,4}[a-z]*|[0-9]+"
"""Words that a person wrote in one, with one number: `acmeproduction2026eu`, `AcmeHTTPClientV2`."""
_WELL_KNOWN = (
    r"(?<![A-Za-z0-9])(?:gh[oprsu]_|github_pat_|glpat-|xox[abeoprs]-|[prs]k[-_](?:live|test|proj|ant)[-_]|AKIA|AIza|eyJ)"
    r"[A-Za-z0-9_+/-]{4}"
)
"""How tokens of GitHub, GitLab, Slack, Stripe, OpenAI, AWS and Google begin, and every JSON Web Token (RFC 7519)."""
_UUID = r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Fa-f])"
_BASE64 = r"[A-Za-z0-9_+/-]{20,}+"
_CONSTANT = r"[A-Z]{1,15}(?:[_-][A-Z]{1,15})+"
"""Capitals alone, in words: `PROGRAMMATIC_ACCESS_TOKEN`. Of 15,000,000 random tokens of 20 characters, fewer than one looks so."""
_PARAMETER = r"(?<=[?&;])(?!(?<=\?)version=[A-Za-z0-9._-]++(?:[#\s,)]|$))([^?&;=#\s]{0,64}=)?[^?&;#\s]++"
"""A parameter of a URL's query, but not the version of a secret reference, which a reader of a plan has to see."""


def is_plain(word: str) -> bool:
    """Whether a word, name, path or URL looks as if a person had chosen it."""
    bare = re.sub(r"[^\x00-\x7f]+", "a", word.strip(_EDGES))
    if not bare:
        return True
    if len(word) > MAX_WORD or looks_generated(word) or re.search(_MIXED, bare):
        return False
    return (re.fullmatch(_STYLES, bare) or re.fullmatch(_ADDRESS, bare)) is not None


def is_plain_text(text: str) -> bool:
    """Whether each word of a text is plain."""
    return all(is_plain(word.strip(_ENDS_OF_TEXT)) for word in text.split())


def holds_token(text: str, *, or_id: bool) -> bool:
    """Whether a text of a definition surely holds a key or a token.

    Args:
        text: a header, a part of a URL, a value; versions, dates and media types are none.
        or_id: whether UUIDs and Base64 are tokens there too; in an address they name an account.
    """
    if re.search(_WELL_KNOWN, text) or any(not re.fullmatch(_CHOSEN, run) for run in re.findall(_RUN, text)):
        return True
    if not or_id:
        return False
    words = [word for word in re.findall(_BASE64, text) if not re.fullmatch(_CONSTANT, word)]
    parts = [part for word in words for part in re.split("[-_+/]", word)]
    return re.search(_UUID, text) is not None or any(not re.fullmatch(_CHOSEN, part) for part in parts)


def is_identifier(key: str) -> bool:
    """Whether an unknown key can't be a pasted secret; stricter than for names, which may have hyphens."""
    return key.isidentifier() and is_plain(key)


def shown_name(name: str) -> str:
    """Return a name or key as messages and pointers show it."""
    return name if is_plain(name.removeprefix("$")) or name == "<<" else MASK


def shown_origin(origin: str) -> str:
    """Return `template NAME`, `defaults` or `connection` as messages show it."""
    kind, blank, name = origin.partition(" ")
    return kind + blank + (shown_name(name) if name else "")


@lru_cache(maxsize=4096)  # thousands of connections share a few addresses and tags
def mask_generated_text(text: str) -> str:
    """Return a text of a valid manifest; whatever looks generated, and the values of a URL's query but `version`, are masked."""
    without_runs = _run().sub(MASK, text)
    return re.sub(_PARAMETER, rf"\1{MASK}", without_runs) if _may_have_parameter(text) else without_runs


def may_be_masked(lines: str) -> bool:
    """Whether `mask_generated_text` may mask a part of a line; of lines in which it masks nothing, this is known sooner."""
    has_run = _LONG_RUN in lines.encode(errors="surrogatepass").translate(_AS_ONE_LETTER) and _run().search(lines)
    return bool(has_run or (_may_have_parameter(lines) and re.search(_PARAMETER, lines)))


def _may_have_parameter(text: str) -> bool:
    return "?" in text or "&" in text or ";" in text  # one of them stands before each


@cache
def _run() -> re.Pattern[str]:
    return re.compile(_RUN)


def masked(value: Any) -> Any:
    """Return data of a valid manifest with each of its texts masked as `mask_generated_text` does."""
    if isinstance(value, list | tuple):
        return [masked(one) for one in value]
    if isinstance(value, dict):
        return {mask_generated_text(key): masked(one) for key, one in value.items()}
    return mask_generated_text(value) if isinstance(value, str) else value
