"""What can't be analysed is refused with a reason, never with a crash; what can comes back byte for byte."""

import libcst as cst
import pytest

from transformers_py import Source, Unparseable, names, rewrite

N = 2000
REFUSED = {
    "null_byte": ["x = 1\0"],
    "syntax_error": [
        "def f(:\n",
        "print 'a'\n",
        "x = 1 \\\n",
        "if a:\n\tb\n        c\n",
        "x = " + "(" * N + ")" * N,
    ],
    "not_unicode": ["x = '\ud800'\n"],
    "too_large": ["x = '" + "a" * 10_000_000 + "'\n"],
    "long_line": ["x = '" + "a" * 1_500_000 + "'\n"],
    "too_deep": [
        "x = " + "not " * N + "1\n",
        "x = " + "-" * N + "1\n",
        "x = " + "lambda: " * N + "1\n",
        "x = " + "a**" * N + "1\n",
        "x = " + "+".join("a" * 900) + "\n",
        "if a:\n  pass\n" + "elif b:\n  pass\n" * N,
    ],
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refused(reason: str) -> None:
    for text in REFUSED[reason]:
        with pytest.raises(Unparseable) as caught:
            Source.analyse(text)
        assert caught.value.reason == reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "# only a comment",
        "\ufeffx = a\n",
        "x = a\r\ny = b",
        "x = a\ry = b\r",
        "\fx = a\n\f\f\ndef f():\n    return a\n\fy = a\n",
        "try:\n    a\nexcept (b, c) :\n    d\n",
        "x = a + \\\n    b; y = c\n",
        "def f():\n\treturn a\n\n\n",
        "x = '''a\r\nb''' + f'{a!r:>{b}}'\r\n",
        "größe = 'ä' + a\n",
    ],
)
def test_spans_are_exact(text: str) -> None:
    source = Source.analyse(text)
    for i, node in enumerate(source.nodes):
        if isinstance(node, (cst.Name, cst.Integer, cst.SimpleString)):
            assert text[source.inner_starts[i] : source.inner_ends[i]] == node.value
    result = rewrite(text, list(names()), rate=1.0, seed=1)
    assert result.status in ("rewritten", "unchanged"), result.problem


def test_table_is_nested() -> None:
    source = Source.analyse("def f(a, *b: int) -> c:\n    return [a for a in b if {a: lambda d: (a, d)}]\n")
    for i in range(1, len(source.nodes)):
        parent = source.parents[i]
        assert parent < i < source.lasts[i] <= source.lasts[parent]
        assert source.starts[parent] <= source.starts[i] <= source.ends[i] <= source.ends[parent]
