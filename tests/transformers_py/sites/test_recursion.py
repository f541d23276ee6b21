"""Functions on a cycle of calls and what they call, but not what calls them."""

import libcst as cst
import pytest

from transformers_py import Source
from transformers_py.sites.recursion import recursive

CASES = [
    ("def f(): f()\ndef g(): f()\n", {"f"}),
    ("def f(): g()\ndef g(): h(); f()\ndef h(): pass\ndef i(): h()\n", {"f", "g", "h"}),
    ("class A:\n    def f(self): self.g()\n    def g(self): [x.f() for x in self]\n", {"f", "g"}),
    ("class A:\n    def f(self): return A()\n", set()),
    ("class A:\n    def __init__(self, n): self.n = A(n - 1)\n", {"__init__"}),
    ("class B: pass\nclass A(B):\n    def __init__(self): super().__init__()\n", set()),
    ("class A(B):\n    def f(self): super().f()\n    def g(self): B.g(self)\n", {"g"}),
    ("from b import B\nclass A(B):\n    def g(self): B.g(self)\n", set()),
    ("class B:\n    def g(self): self.h()\nclass A(B):\n    def h(self): super().g()\n", {"g", "h"}),
    ("class A:\n    def f(self): self.f.g\n    def g(self): pass\n", {"f", "g"}),
    ("class A:\n    def f(self): [x.f() for x in self]\n", {"f"}),
    ("import os\nclass A:\n    def walk(self): os.walk(1)\n    def join(self): ','.join(self)\n", set()),
    ("class A:\n    def f(self): self.f()\nclass B:\n    def f(self): pass\n", {"f"}),
    ("class A:\n    def __neg__(self): return -self.a\n", {"__neg__"}),
    ("class A:\n    def __len__(self): return 1 + len(self.a)\n", {"__len__"}),
    ("class A:\n    def __iter__(self): yield from self.a\n    def g(self): return 1\n", {"__iter__"}),
    ("class A:\n    def __add__(self, o): return self\n    def f(self): return self + self\n", set()),
    ("class A:\n    def __eq__(self, o): return self.a == o.a\n", {"__eq__"}),
    (
        "class A:\n    def f(self, k): getattr(self, 'go_' + k)()\n    def go_a(self): self.f(1)\n",
        {"f", "go_a"},
    ),
    ("class A:\n    def f(self, k): getattr(self, 'g')()\n    def g(self): self.f(1)\n", {"f", "g"}),
    ("def f():\n    g = lambda n: g(n - 1)\n    return g(3)\n", {"lambda"}),
    ("class A:\n    def __init__(self, a):\n        if isinstance(a, A): a = a.a\n", set()),
    ("def f():\n    def g(): f()\n    return h\ndef h(): pass\n", {"f", "g", "h"}),
    ("def f(): g()\ndef g(): pass\n", set()),
]


@pytest.mark.parametrize("text, expected", CASES)
def test_recursive(text: str, expected: set[str]) -> None:
    source = Source.analyse(text)
    functions = [source.nodes[source.scopes[index].node] for index in recursive(source)]
    assert {f.name.value if isinstance(f, cst.FunctionDef) else "lambda" for f in functions} == expected
