"""Functions that are only called here: what renames them, or their parameters, changes nothing that a program does."""

# ruff: noqa: E501  (a program is a line)

from typing import Any

import pytest

from tests.transformers_py.executing import output
from transformers_py import Source, emit, names
from transformers_py.engine import plan_of

NAMED = {
    "by keyword": "def f():\n    def g(first, by=1): return first - by\n    return g(1, by=2), g(by=3, first=4), g(5)\nprint(f())\n",
    "keyword-only and annotated": "def f():\n    def g(first: int, *, by: int = 1) -> int: return first - by\n    return g(1, by=2), g(first=5)\nprint(f())\n",
    "rest of keywords": "def f():\n    def g(first, **rest): return first, sorted(rest)\n    return g(1, second=2, third=3), g(first=2)\nprint(f())\n",
    "other functions' keywords": "def h(first): return first\ndef f():\n    def g(first): return -first\n    return g(first=1), h(first=2), dict(first=3)\nprint(f())\n",
    "a default of the same name": "def f(first):\n    def g(first=first): return first\n    return g(), g(first=first + 1), [g(first=first) for first in (5, 6)]\nprint(f(3))\n",
    "read in a closure": "def f():\n    def g(first, scale=2):\n        def h(): return first * scale\n        return h()\n    return g(first=3), g(4, scale=5)\nprint(f())\n",
    "in a call of a method": "def f(x):\n    def g(first): return str(first)\n    return x.format(first=g(first=1))\nprint(f('{first}'))\n",
    "a keyword and parentheses": "def f():\n    def g(first): return first\n    return g(\n        first=(  # a comment\n            1\n        ),\n    )\nprint(f())\n",
}
NAMED_ELSEWHERE = {
    "two functions of one name": "def f(a):\n    if a:\n        def g(first): return first\n    else:\n        def g(first): return -first\n    return g(first=1)\nprint(f(0), f(1))\n",
    "a namesake in another function": "def f():\n    def g(first): return first\n    return g(first=1)\ndef e():\n    def g(first): return g\n    return g(first=2)(first=3) is not None\nprint(f(), e())\n",
    "spread": "def f(d):\n    def g(first, second): return first - second\n    return g(**d), g(1, **{'second': 2})\nprint(f({'first': 1, 'second': 3}))\n",
    "handed out as well": "def f():\n    def g(first): return first\n    return g(first=1), g\nprint(f()[1](first=2))\n",
    "under another name": "def f():\n    def g(first): return first\n    h = g\n    return h(first=2), g(first=1)\nprint(f())\n",
    "its annotations": "def f():\n    def g(first: int): return first\n    return g(first=1), g.__annotations__\nprint(f())\n",
    "type hints": "import typing\ndef f():\n    def g(first: int): return first\n    return g(1), typing.get_type_hints(g)\nprint(f())\n",
    "its defaults": "def f():\n    def g(*, first=1): return first\n    g.__kwdefaults__['first'] = 5\n    return g()\nprint(f())\n",
    "positional-only, and in the rest": "def f():\n    def g(first, /, second, **rest): return first, second, rest\n    return g(1, 2, first=3), g(1, second=4)\nprint(f())\n",
    "the text of an error": "def f():\n    def g(first): return first\n    try: return g(last=1)\n    except TypeError as error: return str(error)\nprint(f())\n",
    "decorated": "import functools\ndef f():\n    @functools.cache\n    def g(first): return first\n    return g(first=1), g(first=1)\nprint(f())\n",
    "partial": "import functools\ndef f():\n    def g(first, second): return first - second\n    return functools.partial(g, second=1)(3), g(first=1, second=2)\nprint(f())\n",
    "sorted and a spread elsewhere": "def h(**d): return d\ndef f(d):\n    def g(first: int): return -first\n    return sorted([1, 2], key=g), h(**d)\nprint(f({'first': 1}))\n",
}
METHODS = {
    "called on self": "class A:\n    def f(self): return self._step(1), self._step(2, 3)\n    def _step(self, size, by=1): return size - by\nprint(A().f())\n",
    "static, of the class, inherited": (
        "class A:\n    @staticmethod\n    def _one(first, *rest): return first, rest\n    @classmethod\n    def _two(cls, second): return cls.__base__ is object, second\n"
        "class B(A):\n    def _three(self, third): return self._one(third), super()._two(third)\nprint(A._one(1, 2), A._two(3), B()._three(4))\n"
    ),
    "overridden here": "class A:\n    def f(self): return self._step(1)\n    def _step(self, size): return size\nclass B(A):\n    def _step(self, width): return super()._step(-width)\nprint(A().f(), B().f())\n",
    "of an error": "class E(ValueError):\n    def _say(self, word): return word + self.args[0]\nprint(E('a')._say('b'))\n",
    "called by sorted": "class A:\n    def f(self, rows): return sorted(rows, key=self._key)\n    def _key(self, row): return -row\nprint(A().f([1, 2]))\n",
    "some by keyword": "class A:\n    def f(self): return self._step(1, by=2)\n    def _step(self, size, by): return size - by\nprint(A().f())\n",
    "private names": "class A:\n    def _step(self, _size, *, __by=1): return _size\nprint(A()._step(3))\n",
}
METHODS_ELSEWHERE = {
    "a base calls it by keyword": "import types\nlib = types.ModuleType('lib')\nexec('class B:\\n    def f(self): return self._step(size=1)', vars(lib))\nclass A(lib.B):\n    def _step(self, size): return size\nprint(A().f())\n",
    "mixed in": "import types\nlib = types.ModuleType('lib')\nexec('class B:\\n    def f(self): return self._step(size=1)', vars(lib))\nclass A:\n    def _step(self, size): return size\nclass C(A): pass\nclass D(C, lib.B): pass\nprint(D().f())\n",
    "by a looked-up name": "class A:\n    def f(self, kind): return getattr(self, '_st' + kind)(size=1)\n    def _step(self, size): return size\nprint(A().f('ep'), A()._step(2))\n",
    "by a literal": "class A:\n    def f(self): return getattr(self, '_step')(size=1)\n    def _step(self, size): return size\nprint(A().f(), A()._step(2))\n",
    "methodcaller": "import operator\nclass A:\n    def _step(self, size): return size\nprint(operator.methodcaller('_' + 'step', size=1)(A()), A()._step(2))\n",
    "kept": "class A:\n    def f(self):\n        step = self._step\n        return step(size=1)\n    def _step(self, size): return size\nprint(A().f())\n",
    "an alias in the class": "class A:\n    def _step(self, size): return size\n    step = _step\nprint(A().step(size=1), A()._step(2))\n",
    "a property's": "class A:\n    def _get(self): return 1\n    def _set(self, value): self.__dict__['x'] = value\n    x = property(_get, _set)\na = A()\na.x = 3\nprint(a.x, A._set(a, 5))\n",
    "its signature": "import inspect\nclass A:\n    def _step(self, size): return size\nprint(inspect.signature(A._step), A()._step(2))\n",
    "a class decorator": "def trace(cls):\n    step = cls.__dict__['_' + 'step']\n    cls.g = lambda self: step(self, size=7)\n    return cls\n@trace\nclass A:\n    def _step(self, size): return size\nprint(A().g(), A()._step(1))\n",
    "a metaclass": "class M(type):\n    def __call__(cls): return super().__call__()._step(size=1)\nclass A(metaclass=M):\n    def _step(self, size): return size\nprint(A())\n",
    "by keyword on something else": "class A:\n    def _step(self, size): return size\nfor a in (A(),): print(a._step(size=1))\n",
    "the text of an error": "class A:\n    def _step(self, size): return size\ntry: A()._step()\nexcept TypeError as error: print(error)\n",
    "a doctest": "import doctest\nclass A:\n    def _step(self, size):\n        '''>>> A()._step(size=1)\n        1'''\n        return size\nparsed = doctest.DocTestParser().get_doctest(A._step.__doc__, {'A': A}, 'A', None, 0)\nprint(doctest.DocTestRunner().run(parsed), A()._step(2))\n",
    "twice in a class": "class A:\n    if A_FIRST := True:\n        def _step(self, size): return size\n    else:\n        def _step(self, width): return width\nprint(A()._step(1))\n",
}
CALLED_BY_METHODS = {
    "sort of a list": "def f(rows):\n    found = [row for row in rows]\n    found.sort(key=lambda row: -row)\n    return found\nprint(f([1, 2]))\n",
    "a pattern": "import re\nPATTERN = re.compile('a+')\ndef f(text):\n    def up(match): return match[0].upper()\n    return PATTERN.sub(up, text), re.compile('b').subn(lambda match: match[0] * 2, text)\nprint(f('aab'))\n",
    "insort": "import bisect\ndef f(rows):\n    bisect.insort(rows, 2, key=lambda row: row)\n    return rows\nprint(f([1, 3]))\n",
    "an own sort": "class L:\n    def sort(self, key): return key(row=3)\ndef f():\n    found = []\n    found = L()\n    return found.sort(key=lambda row: row)\nprint(f())\n",
    "an own list": "class list:\n    def sort(self, key): return key(row=3)\ndef f():\n    found = list()\n    return found.sort(key=lambda row: row)\nprint(f())\n",
    "a loop's variable": "class L:\n    def sort(self, key): return key(row=3)\ndef f():\n    found = []\n    for found in [L()]:\n        return found.sort(key=lambda row: row)\nprint(f())\n",
    "taken apart": "class L:\n    def sort(self, key): return key(row=3)\ndef f():\n    found, _ = [L(), 1]\n    return found.sort(key=lambda row: row)\nprint(f())\n",
    "from outside": "class L:\n    def sub(self, a, b): return a(match=b)\ndef f(pattern):\n    return pattern.sub(lambda match: match, 'x')\nprint(f(L()))\n",
    "assigned by another function": "import re\nclass L:\n    def sub(self, a, b): return a(match=b)\nPATTERN = re.compile('a')\ndef g():\n    global PATTERN\n    PATTERN = L()\ndef f():\n    g()\n    return PATTERN.sub(lambda match: match, 'x')\nprint(f())\n",
    "added to": "class L(list):\n    def __radd__(self, other): return self\n    def sort(self, key): print(key(row=3))\ndef f():\n    found = []\n    found = found + L()\n    found.sort(key=lambda row: row)\nf()\n",
}
FUNCTIONS = {
    "a generator that is used up": "def f(x):\n    def g(y): return sum(z for z in y), any(z for z in y), ', '.join(str(z) for z in y)\n    return g(x)\nprint(f([1, 2]))\n",
    "a lambda that is called": "def f(x):\n    def g(y): return sorted(y, key=lambda z: -z)\n    return g(x)\nprint(f([1, 2]))\n",
    "a function that is called": "def f(x):\n    def g(y):\n        def h(z): return -z\n        return h(y)\n    return g(x)\nprint(f(3))\n",
    "a generator's name": "def f(x):\n    def g(y): return (z for z in y)\n    return g(x).__qualname__\nprint(f([1]))\n",
    "a generator shown": "def f(x):\n    def g(y): return repr(z for z in y).split(' at ')[0]\n    return g(x)\nprint(f([1]))\n",
    "an own consumer": "def sum(gen): return gen.__qualname__\ndef f(x):\n    def g(y): return sum(z for z in y)\n    return g(x)\nprint(f([1]))\n",
    "a lambda's name": "def f(x):\n    def g(y): return (lambda: y).__qualname__\n    return g(x)\nprint(f([1]))\n",
    "a function handed out": "def f(x):\n    def g(y):\n        def h(): return y\n        return h\n    return str(g(x)).split(' at ')[0]\nprint(f([1]))\n",
    "a class": "def f(x):\n    def g(y):\n        class H: pass\n        return H\n    return g(x).__qualname__\nprint(f(1))\n",
    "the text of an error": "def f(x):\n    def g(y): return sorted(y, key=lambda: 1)\n    try: return g(x)\n    except TypeError as error: return str(error)\nprint(f([1]))\n",
}
KINDS = {
    "named": NAMED,
    "named elsewhere": NAMED_ELSEWHERE,
    "methods": METHODS,
    "methods elsewhere": METHODS_ELSEWHERE,
    "called by methods": CALLED_BY_METHODS,
    "functions": FUNCTIONS,
}
PROGRAMS = {f"{kind}: {name}": text for kind, programs in KINDS.items() for name, text in programs.items()}
PRIVATE = [{name: {"private": True}} for name in ("rename_parameter", "rename_function")]
VARIANTS: dict[str, list[Any]] = {
    "parameters": ["rename_parameter"],
    "functions": ["rename_function"],
    "generic": [{name: {"style": "generic"}} for name in ("rename_parameter", "rename_function")],
    "swap": [{name: {"style": "swap", "private": True}} for name in ("rename_parameter", "rename_function")],
    "private": PRIVATE,
    "private, variables": ["rename_variable", *PRIVATE],
    "all": [*PRIVATE, *(name for name in names() if not name.startswith("rename_")), "rename_variable"],
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_does_the_same(program: str) -> None:
    before = PROGRAMS[program]
    expected = output(before)
    assert isinstance(expected, str), expected
    source = Source.analyse(before)
    for label, rewrites in VARIANTS.items():
        for seed, rate in ((1, 1.0), (2, 0.5)):
            result = emit(source, rewrites, rate=rate, seed=seed, key=program)
            assert result.status != "disproved", (label, seed, result.problem)
            assert output(result.text) == expected, (label, seed, result.text)


@pytest.mark.parametrize(
    "program, rewrites, least",
    [
        *((f"named: {name}", ["rename_parameter"], 1) for name in NAMED),
        *((f"methods: {name}", PRIVATE, 1) for name in METHODS),
        *((f"called by methods: {name}", ["rename_parameter"], 1) for name in list(CALLED_BY_METHODS)[:3]),
        *((f"functions: {name}", ["rename_function"], 1) for name in list(FUNCTIONS)[:3]),
        ("named: keyword-only and annotated", ["rename_parameter"], 2),
        ("methods: static, of the class, inherited", PRIVATE, 4),
        ("called by methods: a pattern", ["rename_parameter"], 2),
    ],
)
def test_finds_what_is_safe(program: str, rewrites: list[Any], least: int) -> None:
    result = emit(Source.analyse(PROGRAMS[program]), rewrites, rate=1.0, seed=1)
    assert sum(result.sites.values()) >= least, result.refusals


def test_a_wrong_keyword_is_disproved() -> None:
    """The proof sees a keyword that wasn't renamed with its parameter."""
    text = "def f():\n    def g(first): return first\n    return g(first=1)\n"
    source = Source.analyse(text)
    done = emit(source, ["rename_parameter"], rate=1.0, seed=1)
    assert done.status == "rewritten"
    assert len(done.edits) == 3
    again = Source.analyse(text)
    plan = plan_of(again, ["rename_parameter"])
    keyword = max(i for i, edit in enumerate(plan.edits) if text[edit.end] == "=")
    for listed in (plan.edits, plan.owners, plan.roles, plan.numbers):
        del listed[keyword]
    wrong = emit(again, ["rename_parameter"], rate=1.0, seed=1)
    assert wrong.status == "disproved"
    assert "keyword" in wrong.problem
