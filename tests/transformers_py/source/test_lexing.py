"""Tokens stand where their text is, on every version of Python."""

import sysconfig
from pathlib import Path
from typing import Any

import pytest

from transformers_py import Source, emit, names
from transformers_py.source.lexing import tokens

ROOT = Path(sysconfig.get_paths()["stdlib"])
REQUESTS: list[list[Any]] = [
    *([name] for name in names()),
    [{"if_true": {"wrap": "compound"}}],
    [{"if_true": {"style": "if_one"}}, {"dead_branch": {}}],
    [{"rename_variable": {"style": "swap"}}],
    list(names()),
]
NON_ASCII = [
    "def f(a):\n    é = f'ü{a}ö'; x = 'ß'  # ñ\n    return é, x\n",
    "def f(a):\n    return f'→{a!r:>{len(\"é\")}}é{{}}→', a, '→'\n",
    "def f(a):\n    b = f'''é\n  {a}é\n''' + 'é'; c = b\n    return c\n",
    "\ufeffdef f(a):\r\n    b = 'é𝒳'; c = b\r\n\r\n    return c + f'𝒳{b}'\r\n",
    "def f(ａ):\n    x = '\N{BOM}'; y = ａ\n    return x, y",
]
PARTS: list[list[str]] = [
    ["def", "f", "(", "a", ")", ":", "\n", "", "é", "=", "f'ü{a}ö'", ";", "x", "=", "'ß'", "\n"],
    [
        "def",
        "f",
        "(",
        "a",
        ")",
        ":",
        "\n",
        "",
        "return",
        "f'→{a!r:>{len(\"é\")}}é{{}}→'",
        ",",
        "a",
        ",",
        "'→'",
    ],
]


def spelt(text: str) -> list[str]:
    return [text[start:end] if kind not in ("indent", "dedent") else "" for start, end, kind in tokens(text)]


@pytest.mark.parametrize(("text", "parts"), list(zip(NON_ASCII, PARTS, strict=False)))
def test_tokens_after_non_ascii_text(text: str, parts: list[str]) -> None:
    assert spelt(text)[: len(parts)] == parts


def test_last_line_without_a_newline() -> None:
    assert [kind for _, _, kind in tokens("if x:\n  y")] == [
        *("other", "other", "other", "newline", "indent", "other", "newline", "dedent"),
    ]


def survive(text: str) -> None:
    """Every token of the original is met once and in order, changed only where the alignment says so."""
    source = Source.analyse(text)
    original = tokens(text)
    for rewrites in REQUESTS:
        result = emit(source, rewrites, rate=1.0, seed=1)
        assert result.status in ("rewritten", "unchanged"), (rewrites, result.problem)
        alignment = result.alignment()
        assert [origin for origin, _ in alignment if origin >= 0] == list(range(len(original))), rewrites
        for (start, end, kind), (origin, change) in zip(tokens(result.text), alignment, strict=True):
            if origin < 0:
                continue
            first, last, same = original[origin]
            assert kind == same
            if kind == "other":
                assert (result.text[start:end] == text[first:last]) == (change == 0), rewrites


@pytest.mark.parametrize("text", NON_ASCII)
def test_tokens_survive_non_ascii_text(text: str) -> None:
    survive(text)


@pytest.mark.parametrize(
    "name", ["distutils/text_file.py", "textwrap.py", "contextlib.py", "json/decoder.py"]
)
def test_tokens_survive_every_rewrite(name: str) -> None:
    if not (ROOT / name).exists():
        pytest.skip("not in this version of the standard library")
    survive((ROOT / name).read_bytes().decode("utf-8"))
