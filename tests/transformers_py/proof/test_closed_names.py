"""The proof of a closed world finds every name that was missed, and every one that was renamed by mistake."""

import re

import pytest

from transformers_py import Source
from transformers_py.proof.compilation_units import units_of
from transformers_py.proof.prover import numbers_of, prove
from transformers_py.proof.roles import Role
from transformers_py.source.edits import REPLACING, Edit

KINDS = {"V": "variable", "P": "parameter", "F": "function"}
MODULE = frozenset("VF")


def problem(marked: str, *, documented: bool = False) -> str | None:
    """What the proof says of a text in which <F:old:new> marks what is renamed, as what."""
    edits: list[Edit] = []
    roles: list[Role] = []
    text, last = "", 0
    for match in re.finditer(r"<([VPF]):(\w+):(\w+)>", marked):
        text += marked[last : match.start()]
        edits.append(Edit(len(text), len(text) + len(match[2]), match[3]))
        scope = 0 if match[1] in MODULE else 1
        roles.append(Role("names", KINDS[match[1]], REPLACING, scope, closed=True, documented=documented))
        text += match[2]
        last = match.end()
    source = Source.analyse(text + marked[last:])
    units = units_of(source)
    rewritten, found = prove(source, units, edits, roles, numbers_of(units, edits, roles), {*roles})
    assert found or rewritten != source.text
    return found


RIGHT = [
    "def <F:f:g>(<P:a:b>): return <P:a:b>\n<F:f:g>(1)\n",
    "def <F:f:g>(<P:a:b>): return <F:f:g>(<P:a:b>=<P:a:b>)\nprint(<F:f:g>)\n",
    "def f(<P:a:b>: int, *, <P:c:d>: str = '') -> None: return <P:a:b>, <P:c:d>\n",
    "def f(<P:a:b>: 'int', <P:c:d>: 'str'): return <P:a:b>, <P:c:d>\n",
    "async def <F:f:g>(<P:a:b>=1): await <F:f:g>(<P:a:b>=2)\n",
    "<V:x:y> = 1\ndef f():\n    global <V:x:y>\n    <V:x:y> += 1\nprint(<V:x:y>)\n",
    "class A:\n    def m(self, <P:a:b>): return <P:a:b>\nA().m(1)\n",
    "def f(<P:a:b>): return <P:a:b>\nprint(sorted([], key=f), end='')\n",
    "def f(<P:a:b>): return <P:a:b>\ndef h(a): return a\nf(<P:a:b>=1) + h(a=2)\n",
    "def f(<P:a:b>):\n    'The a.'\n    return <P:a:b>, 'a'\n",
    "def <F:f:g>(): pass\nclass A:\n    x = 1\n    def m(self): return <F:f:g>()\n",
]
WRONG = [
    ("def <F:f:g>(n): return f(n)\n", "isn't renamed everywhere"),
    ("def <F:f:g>(n): return n\ndef h(): return f\n", "isn't renamed everywhere"),
    ("def f(<P:a:b>): return a\n", "in f"),
    ("def f(<P:a:b>): return <P:a:b>\nf(a=1)\n", "keyword"),
    ("def f(<P:a:b>): return <P:a:b>\ndef h(a): return a\nh(<P:a:b>=1)\n", "keyword"),
    ("def f(<P:a:b>): return <P:a:b>\nprint(<P:a:b>=f)\n", "keyword"),
    ("def f(<P:a:b>): return <P:a:b>\nf(**{'a': 1})\n", "given by"),
    ("def f(<P:a:b>): return <P:a:b>\ng = f\ng(a=1)\n", "a call may give a to f"),
    ("def f(<P:a:b>): return <P:a:b>\ng(f, **{'a': 1})\n", "a call may give"),
    ("def f(<P:a:b>): return <P:a:b>\nf = d(f)\nf(a=1)\n", "a call may give a to f"),
    ("def f(<P:a:b>): return <P:a:b>\ndef f(a): return a\nf(a=1)\n", "a call may give a to f"),
    ("class A:\n    def m(self, <P:a:b>): return <P:a:b>\nA().m(a=1)\n", "a call may give a to m"),
    ("def f(<P:a:b>): return <P:a:b>, '<P:a:b>'\n", "Constant"),
    ("def f(<P:a:b>):\n    'The <P:a:b>.'\n    return <P:a:b>\n", "Constant"),
    ("def f(<P:a:b>): return x.<P:a:b>\n", "in f"),
    ("<V:x:y> = 1\nclass A:\n    x = 2\n", "isn't renamed everywhere"),
    ("<V:x:y> = 1\ndef f(): return x\n", "isn't renamed everywhere"),
    ("import <V:x:y>\n<V:x:y>.f()\n", ""),
]


@pytest.mark.parametrize("marked", RIGHT)
def test_right(marked: str) -> None:
    assert problem(marked) is None


@pytest.mark.parametrize("marked, words", WRONG)
def test_wrong(marked: str, words: str) -> None:
    found = problem(marked)
    assert found is not None
    assert words in found


def test_words_of_docstrings() -> None:
    assert problem("def f(<P:a:b>):\n    'The <P:a:b>.'\n    return <P:a:b>\n", documented=True) is None
    assert problem("def f(<P:a:b>): return <P:a:b>, '<P:a:b>'\n", documented=True) is not None
    other = "def f(<P:a:b>):\n    'The <P:a:b> and <P:c:b>.'\n    return <P:a:b>\n"
    assert problem(other, documented=True) is not None
    assert problem("'<F:f:g>'\ndef <F:f:g>():\n    '''\n    <F:f:g>'''\n", documented=True) is None
