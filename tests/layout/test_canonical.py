"""What vouches for the model: references in their one form, texts that readers disagree on, and a layout with a bug."""

from __future__ import annotations

import pytest

from connform.layout import canonical as module
from connform.layout.canonical import ModelChangedError, canonical
from connform.manifest.parser import parse
from connform.manifest.reference_rewrites import canonical_reference
from connform.manifest.yaml_errors import YamlError
from connform.secret import SecretReference

NAME = "connections.yaml"


def laid_out(text: str) -> str:
    return canonical(text.encode(), NAME, lambda: {"api_key", "client_secret"}).decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("api_key: ref+env://KEY", "api_key: env://KEY"),
        ("api_key: ref+vault://kv/a?version=2#/b/c", "api_key: vault://kv/a?version=2#/b/c"),
        ("api_key: ref+awssecrets://svc@acme", "api_key: awssecrets://svc@acme"),
        (
            'a: {api_key: "ref+env://KEY", client_secret: ref+env://B}',
            'a: {api_key: "env://KEY", client_secret: env://B}',
        ),
        ("a: [{api_key: 'ref+env://KEY'}]", "a: [{api_key: 'env://KEY'}]"),
        ("a: &a\n  api_key: ref+env://KEY # ref+\nb: *a", "a: &a\n  api_key: env://KEY # ref+\nb: *a"),
    ],
)
def test_the_prefix_of_vals_goes(before: str, after: str) -> None:
    assert laid_out(before) == laid_out(after) == f"{after}\n"


@pytest.mark.parametrize(
    "text",
    [
        "description: ref+env://KEY",  # no reference stands at this key
        "api_key: &a ref+env://KEY\ndescription: *a",  # the same text is meant as text
        "a: &a ref+env://KEY\napi_key: *a",
        "api_key: ref+env://a b",  # no reference
        "api_key: ref+env://KEY?address=x",
        "api_key: ref+file://a.json#/field",  # `validate --fix` mends it, and must still see whose form it is
        "api_key: REF+env://KEY",
        'api_key: "ref\\x2Benv://KEY"',
        "api_key: |-\n  ref+env://KEY",
        "api_key: [ref+env://KEY]",
        "api_key:\n  client: ref+env://KEY",
    ],
)
def test_other_texts_stay(text: str) -> None:
    assert laid_out(text) == f"{text}\n"


@pytest.mark.parametrize(
    "text", ["ref+env://A", "env://A", "ref+x://a?version=1#b", "plain", "", "ref+", "ref+ref+env://A"]
)
def test_a_canonical_reference_means_the_same_and_is_canonical(text: str) -> None:
    once = canonical_reference(text)
    assert canonical_reference(once) == once
    if text.startswith("ref+") and once != text:
        assert SecretReference.parse(once) == SecretReference.parse(text)
    else:
        assert once == text


@pytest.mark.parametrize(
    ("text", "line", "column", "number"),
    [
        ("a: 1 # b\u2028c: 2", 1, 9, "U+2028"),
        ("a: 1\nb: 'c\u2029  d'", 2, 6, "U+2029"),
        (" \n  \ufeffa: 1", 2, 3, "U+FEFF"),
        ("a: |+\n  b\n\ufeff\nc: 1", 3, 1, "U+FEFF"),
    ],
)
def test_a_text_that_readers_disagree_on_is_refused_at_its_place(
    text: str, line: int, column: int, number: str
) -> None:
    with pytest.raises(YamlError) as caught:
        laid_out(text)
    assert (caught.value.span.line, caught.value.span.column) == (line, column)
    assert number in caught.value.detail
    assert caught.value.code == "yaml-syntax"


def test_its_advice_works() -> None:
    text = 'a: "b\\u2028c"\n'
    assert laid_out(text) == text
    assert parse(text.encode(), NAME)[0] == {"a": "b\u2028c"}


@pytest.mark.parametrize(
    "code", ["duplicate-key", "yaml-tag", "multiple-documents", "yaml-alias", "not-utf8", "yaml-tab"]
)
def test_what_validate_refuses_is_refused(code: str) -> None:
    texts = {
        "duplicate-key": b"a: 1\na: 2",
        "yaml-tag": b"a: !!str 1",
        "multiple-documents": b"a: 1\n---\nb: 1",
        "yaml-alias": b"a: &a [*a]",
        "not-utf8": b"a: \xff",
        "yaml-tab": b"a:\n\tb: 1",
    }
    with pytest.raises(YamlError) as caught:
        canonical(texts[code], NAME, set)
    assert caught.value.code == code


@pytest.mark.parametrize("wrong", ["a: 2\n", "a: [\n", "b: 1\n", ""])
def test_a_layout_that_says_something_else_is_a_bug(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setattr(module, "lay_out", lambda _: wrong)
    with pytest.raises(ModelChangedError):
        laid_out("a:   1")
