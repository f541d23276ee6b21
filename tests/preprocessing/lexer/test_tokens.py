import io
import keyword
import sysconfig
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.errors import BadSource
from preprocessing.lexer.tokens import KINDS, TokensConfig, lex, texts


def kinds(text: str, **options: Any) -> list[tuple[str, str]]:
    tokens = lex(text, **options)
    return [
        (KINDS[kind], text[start:end])
        for start, end, kind in zip(tokens.starts, tokens.ends, tokens.kinds, strict=True)
    ]


FORMATTED = [
    'f"{x}"',
    "f'{x!r:>{width}}'",
    "rf'\\d{n}'",
    "f'\\N{DIGIT ONE}{x}'",
    "f'{{}}{x}'",
    "f'{x:%H:%M}'",
    "f\"{d['key']}\"",
    'f"{x:\'>10}"',
    "f'''{a\n+ b}'''",
    "f'''{f\"{x:{'y'}}\"}'''",
    "f'{(lambda x: x)(1)}'",
    "f'{x != y}'",
    "f'{x:=5}'",
    "f'{x=!r}'",
    "f'a\\\nb'",
    'f"{x["a"]}"',  # from here on Python 3.12 and later: PEP 701
    'f"{"}"}"',
    "f'{x\n}'",
    "f'{f'{f'{1}'}'}'",
    "f'{x # why }\n}'",
    "f'{\"\\n\".join(x)}'",
    "f'{x if y else'z'}'",
]


@pytest.mark.parametrize("literal", FORMATTED)
def test_fstring_is_one_token(literal: str) -> None:
    assert kinds(f"x = {literal} + y\n")[2:4] == [("string", literal), ("operator", "+")]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", []),
        ("# only\n\n", []),
        ("x", [("name", "x"), ("newline", "")]),
        ("x\r\ny\r", [("name", "x"), ("newline", "\r\n"), ("name", "y"), ("newline", "\r")]),
        ("pass;x", [("keyword", "pass"), ("operator", ";"), ("name", "x"), ("newline", "")]),
        ("(\n1\n)\n", [("operator", "("), ("number", "1"), ("operator", ")"), ("newline", "\n")]),
        ('x if y else"z"', [*[("name", "x"), ("keyword", "if"), ("name", "y"), ("keyword", "else")],
                            ("string", '"z"'), ("newline", "")]),
        ("1if x else.5j", [("number", "1"), ("keyword", "if"), ("name", "x"), ("keyword", "else"),
                           ("number", ".5j"), ("newline", "")]),
        ("a\\\n.b", [("name", "a"), ("operator", "."), ("name", "b"), ("newline", "")]),
        ("naïve·x̄ = 1\n", [("name", "naïve·x̄"), ("operator", "="), ("number", "1"), ("newline", "\n")]),
        ("x->...", [("name", "x"), ("operator", "->"), ("operator", "..."), ("newline", "")]),
    ],
)  # fmt: skip
def test_tokens(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(text) == expected


def test_indentation() -> None:
    text = "if x:\n\n  # why\n  y\n  if z:\n\tw\nv"
    assert [kind for kind, _ in kinds(text)] == [
        "keyword",
        "name",
        "operator",
        "newline",
        "indent",
        "name",
        "newline",
        "keyword",
        "name",
        "operator",
        "newline",
        "indent",
        "name",
        "newline",
        "dedent",
        "dedent",
        "name",
        "newline",
    ]


def test_continued_indentation_is_that_of_its_first_line() -> None:
    assert [kind for kind, _ in kinds("if x:\n    \\\n  y\n    z\n")].count("indent") == 1


def test_comments_are_kept_when_asked_for() -> None:
    text = "x  # why\n# more\n"
    assert kinds(text, comments="keep") == [
        ("name", "x"), ("comment", "# why"), ("newline", "\n"), ("comment", "# more"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text, reason",
    [
        ("'open", "untokenizable"),
        ("'''open", "untokenizable"),
        ("f'{x", "untokenizable"),
        ("f'{x:", "untokenizable"),
        ("f'''{{{", "untokenizable"),
        ("(]", "untokenizable"),
        ("(", "untokenizable"),
        (")", "untokenizable"),
        ("x ? y", "untokenizable"),
        ("\\", "untokenizable"),
        ("\\\n", "untokenizable"),
        ("if x:\n    y\n  z\n", "untokenizable"),
        ("(" * 2000 + ")" * 2000, "too_deep"),
        ("".join(" " * n + "if x:\n" for n in range(2000)), "too_deep"),
        ("f'{" * 2000, "too_deep"),
        ("f'" + "{x:" * 2000, "too_deep"),
    ],
)
def test_what_no_python_reads_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadSource) as refusal:
        lex(text)
    assert refusal.value.reason == reason


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        tokens = lex(text)
    except BadSource:
        return
    assert all(0 <= s <= e <= len(text) for s, e in zip(tokens.starts, tokens.ends, strict=True))
    assert sorted(tokens.starts) == tokens.starts


PIECES = st.sampled_from(
    ["x", "naïve", "if", "1_0", "0xf", "1e-3", "'s'", 'rb"""t\n"""', "f'{x:{y}}'", "(", ")", "+", "**=",
     "...", ".", ":", ";", "\n", "\r\n", " ", "\t", "\\\n", "# c\n", "    ", "\f"]
)  # fmt: skip


@given(st.lists(PIECES).map("".join))
def test_tokens_read_alone_are_the_same_tokens(text: str) -> None:
    try:
        tokens = lex(text)
    except BadSource:
        return
    words = [
        (kind, spelling) for kind, spelling in kinds(text) if kind not in ("newline", "indent", "dedent")
    ]
    for kind, spelling in words:
        if spelling not in "()[]{}":
            assert kinds(spelling)[0] == (kind, spelling)
    gaps = zip([0, *tokens.ends], [*tokens.starts, len(text)], strict=True)
    assert all(not text[end:start].strip(" \t\f\r\n\\") or "#" in text[end:start] for end, start in gaps)


def test_agrees_with_tokenize_on_the_standard_library() -> None:
    if hasattr(tokenize, "FSTRING_START"):
        pytest.skip("tokenize of this Python cuts f-strings into pieces")
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted((root / "asyncio").glob("*.py")) + sorted((root / "json").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert kinds(text, comments="keep") == list(reference(text)), path


def reference(text: str) -> Iterator[tuple[str, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type].lower()
        if kind in ("nl", "endmarker"):
            continue
        if kind == "name" and keyword.iskeyword(token.string):
            kind = "keyword"
        yield "operator" if kind == "op" else kind, token.string


@pytest.mark.parametrize(
    "literal, seen",
    [
        ("'a'", "'a'"),
        ("'" + "a" * 15 + "'", "'" + "a" * 15 + "'"),
        ("'" + "a" * 16 + "'", "''"),
        ('Rb"' + "a" * 16 + '"', 'Rb""'),
        ('"""' + "a" * 16 + '"""', '""""""'),
        ("f'{" + "a" * 16 + "}'", "f''"),
    ],
)
def test_long_strings_become_empty(literal: str, seen: str) -> None:
    assert texts(literal, lex(literal), TokensConfig()) == [seen, "<newline>"]
    assert texts(literal, lex(literal), TokensConfig(max_string_chars=None))[0] == literal
