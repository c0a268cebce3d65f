"""Messages about syntax of other languages in a manifest: templates, placeholders, SOPS, JSON comments, YAML tags.

Layer 1, no IO.
"""

from __future__ import annotations

import re

from connform.manifest.foreign_references import from_variable
from connform.manifest.text import Mistake

_TEMPLATE = re.compile(r"\{\{|\{%|\{#|<%")
_TEMPLATE_END = re.compile(r"(?:\}\}|%\}|#\}|%>)[ \t]*\Z")
_PLACEHOLDER = re.compile(r"\$\{[^{}\n]*\}?")
_JSON_COMMENT = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"?|(?P<comment>(?<![:\w*/])(?://|/\*))")
_KEY = re.compile(r"([A-Za-z_]{1,64})[\"']?:[ \t]+\Z")


def foreign_syntax(text: str, position: int, context_start: int) -> Mistake | None:
    """Return the mistake of another language's syntax at one of two offsets, if it is there.

    Args:
        text: the file.
        position: where the parser stopped.
        context_start: where the part that it was reading began.
    """
    for place in (position, position - 1, position - 2, context_start, context_start - 1):
        if place >= 0 and (found := _TEMPLATE.match(text, place)):
            return template_mistake(text, found.start())
    line = text[text.rfind("\n", 0, position) + 1 : position]
    if _TEMPLATE_END.search(line) and (started := _TEMPLATE.search(line)):
        return template_mistake(text, position - len(line) + started.start())
    if text[position - 1 : position] == "$" and (found := _PLACEHOLDER.match(text, position - 1)):
        return _placeholder(found, line[:-1])
    if text.startswith("```", position):
        return Mistake("yaml-syntax", "a code fence of Markdown stands here: remove it", position, position + 3)
    if text[position - 3 : position + 1] == "ENC[":
        detail = "a value that SOPS encrypted stands here: keep it in its own file, and name it by `sops://FILE#/FIELD`"
        return Mistake("yaml-syntax", detail, position - 3, position + 1)
    return _json_comment(text, position) if text.lstrip()[:1] in ("{", "[") else None


def _json_comment(text: str, position: int) -> Mistake | None:
    for found in _JSON_COMMENT.finditer(text, 0, position + 2):
        if found["comment"]:
            detail = "this is no comment of YAML, nor of JSON: start it with `#`, or remove it"
            return Mistake("yaml-syntax", detail, *found.span())
    return None


_BRACES = re.compile(r"\{{2,3}(?!\{)")


def template_around(text: str, brace: int) -> Mistake | None:
    """Return the mistake of a template whose first or second character is the brace at an offset, if it is one."""
    for place in (brace - 1, brace):
        if place >= 0 and _BRACES.match(text, place):
            return template_mistake(text, place)
    return None


def template_mistake(text: str, start: int) -> Mistake:
    """Return the mistake of a template that was not rendered; it starts at an offset."""
    opening = text[start : start + 2]
    closing = {"{{": "}}", "{%": "%}", "{#": "#}", "<%": "%>"}[opening]
    detail = (
        f"`{opening} … {closing}` is a template, and connform reads what it renders: render it first, "
        "or write a reference such as `env://NAME` for a secret"
    )
    line_end = text.find("\n", start)
    end = text.find(closing, start, line_end if line_end >= 0 else len(text))
    return Mistake("yaml-syntax", detail, start, end + 2 if end >= 0 else start + 2)


def _placeholder(found: re.Match[str], before: str) -> Mistake:
    key = _KEY.search(before)
    reference = from_variable(found[0])
    instead = f"`{reference}`" if reference else "a reference such as `env://NAME`"
    detail = f"`${{…}}` is a placeholder, and there is no interpolation here: write {instead} for a secret, and other values themselves"
    return Mistake("yaml-syntax", detail, *found.span(), key[1] if key else "", reference)


_OUR_TYPES = "str int float bool null map seq binary timestamp set omap pairs merge value"
_TAGS = {
    **{f"tag:yaml.org,2002:{name}": f"!!{name}" for name in _OUR_TYPES.split()},
    **dict.fromkeys(
        (
            *("!vault", "!unsafe", "!vault-encrypted", "!encrypted", "!env", "!ENV", "!env_var", "!environ", "!secret"),
            *("!include", "!reference", "!file", "!ref", "!Ref", "!Sub", "!GetAtt", "!ImportValue", "!Join", "!Select"),
            *("!If", "!Base64", "!FindInMap", "!Split", "!Equals", "!Transform", "!Condition", "!input", "!expr"),
            *("!lambda", "!var", "!param", "!ssm", "!sops", "!kms", "!op", "!aws", "!gcp", "!azure"),
        ),
        "",
    ),
}
"""Known tags, which messages may name → their short form, or empty."""


def tag_message(tag: str) -> str:
    """Return the message about a tag. It names known tags only, because a password may begin with `!`, too."""
    named = f"`{_TAGS[tag] or tag}`" if tag in _TAGS else "`!…`"
    if tag.startswith("tag:yaml.org,"):
        return f"the tag {named} is refused, for types follow from the schema: remove it, and quote a text that looks like a number"
    return (
        f"the tag {named} is refused, for no tool is run here: write where a secret lies, such as `env://NAME`, and "
        "other values themselves; put a text that begins with `!` into quotes"
    )
