"""Functions on a cycle of calls and what they call, but not what calls them."""

import libcst as cst
import pytest

from transformers_py import Source
from transformers_py.sites.recursion import recursive

CASES = [
    ("def f(): f()\ndef g(): f()\n", {"f"}),
    ("def f(): g()\ndef g(): h(); f()\ndef h(): pass\ndef i(): h()\n", {"f", "g", "h"}),
    ("class A:\n    def f(self): self.g()\n    def g(self): [x.f() for x in self]\n", {"f", "g"}),
    ("class A:\n    def f(self): return A()\n", {"f"}),
    ("def f():\n    def g(): f()\n    return h\ndef h(): pass\n", {"f", "g", "h"}),
    ("def f(): g()\ndef g(): pass\n", set()),
]


@pytest.mark.parametrize("text, expected", CASES)
def test_recursive(text: str, expected: set[str]) -> None:
    source = Source.analyse(text)
    functions = [source.nodes[source.scopes[index].node] for index in recursive(source)]
    assert {f.name.value for f in functions if isinstance(f, cst.FunctionDef)} == expected
