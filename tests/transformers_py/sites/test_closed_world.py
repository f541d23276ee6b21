"""Programs that look at their own names do the same in a closed world, and all others have every name renamed."""

# ruff: noqa: E501  (a program is a line)

from typing import Any, get_args

import pytest

from tests.transformers_py.executing import output
from transformers_py import Source, emit, names
from transformers_py.sites.new_names import Style

RENAMES = ("rename_variable", "rename_parameter", "rename_function")
SEES_NAMES = {
    "name": "def f(a): return a\nprint(f.__name__, f.__qualname__)\n",
    "name of an argument": "def f(a): return a\ndef show(g): return g.__name__\nprint(show(f))\n",
    "code": "def f(a):\n    b = a\n    return b\nprint(f.__code__.co_name)\n",
    "caller's name": "import sys\ndef who(): return sys._getframe(1).f_code.co_name\ndef f(): return who()\nprint(f())\n",
    "stack": "import inspect\ndef who(): return inspect.stack()[1].function\ndef f(): return who()\nprint(f())\n",
    "traceback": "import traceback\ndef f(): raise ValueError\ntry: f()\nexcept ValueError: print('f' in traceback.format_exc())\n",
    "globals": "def f(a): return a\nx = 1\nprint(globals()['f'](2), globals()['x'])\n",
    "sys.modules": "import sys\nx = 1\nprint(vars(sys.modules['builtins'])['len']('ab'), x)\n",
    "main": "import __main__\ndef f(a): return a\nprint(getattr(__main__, 'f', 'none'))\n",
    "eval": "def f(a): return a\nx = 3\nprint(eval('f(x)'))\n",
    "exec": "x = 3\nexec('x = 4')\nprint(x)\n",
    "timeit": "import timeit\ndef f(a): return a\nx = 3\nprint(timeit.timeit('f(x)', 'from builtins import f' if 0 else 'f = abs; x = 1', number=1) > 0)\n",
    "signature": "import inspect\ndef f(a, *b, c=1): return a\nprint(inspect.signature(f))\n",
    "annotations": "def f(a: int, *, b: str = ''): return a\nprint(f.__annotations__)\n",
    "type hints": "import typing\ndef f(a: int, b: 'str' = ''): return a\nprint(typing.get_type_hints(f))\n",
    "keyword defaults": "def f(*, b=1): return b\nprint(f.__kwdefaults__)\n",
    "doctest": "import doctest\ndef f(a):\n    '''\n    >>> f(1)\n    2\n    '''\n    return a + 1\nprint(doctest.run_docstring_examples(f, {'f': f}))\n",
    "named tuple": "import collections\nPair = collections.namedtuple('Pair', 'a b')\nprint(Pair(a=1, b=2), Pair.__name__)\n",
    "type variable": "import typing\nT = typing.TypeVar('T')\nprint(T)\n",
    "all": "__all__ = ['f']\ndef f(): return 1\nprint(__all__, f())\n",
    "debug f-string": "x = 1\ndef f(a): return f'{a=} {x=}'\nprint(f(2))\n",
    "keywords by **": "def f(a, b=2): return a - b\nd = {'b': 1, 'a': 5}\nprint(f(**d))\n",
    "keywords by dict()": "def f(a, b=2): return a - b\nprint(f(**dict(b=1, a=5)))\n",
    "keywords through": "def f(a, b=2): return a - b\ndef g(**k): return f(**k)\nprint(g(b=1, a=5))\n",
    "keywords of an alias": "def f(a, b=2): return a - b\ng = f\nprint(g(b=1, a=5))\n",
    "keywords of an argument": "def f(a, b=2): return a - b\ndef g(h): return h(b=1, a=5)\nprint(g(f))\n",
    "partial": "import functools\ndef f(a, b=2): return a - b\nprint(functools.partial(f, b=1)(5))\n",
    "thread": "import threading\nout = []\ndef f(a): out.append(a)\nt = threading.Thread(target=f, kwargs={'a': 1}); t.start(); t.join(); print(out)\n",
    "keyword or rest": "def f(a, /, **b): return a, b\nprint(f(1, a=2))\n",
    "method": "class A:\n    def f(self, a): return a\nprint(A().f(a=1))\n",
    "constructor": "class A:\n    def __init__(self, a): self.a = a\nprint(A(a=1).a, vars(A(2)))\n",
    "init_subclass": "class A:\n    def __init_subclass__(cls, *, a): cls.a = a\nclass B(A, a=3): pass\nprint(B.a)\n",
    "override": "import json\nclass E(json.JSONEncoder):\n    def __init__(self, *, skipkeys=False, **rest):\n        self.s = skipkeys\n        super().__init__(**rest)\nprint(json.dumps([1], cls=E, skipkeys=True))\n",
    "two of a name": "def f(a): return a\ng = f\ndef f(b): return -b\nprint(g(a=1), f(b=2))\n",
    "conditional definitions": "if 1:\n    def f(a): return a\nelse:\n    def f(a): return -a\nprint(f(a=1))\n",
    "local of the name": "def f(a): return a\ndef g(f): return f(a=2)\nprint(g(f), g(lambda a: -a))\n",
    "lambda": "f = lambda a, b=1: a - b\nprint(f(a=3), (lambda q: q)(q=2))\n",
    "class attribute": "x = 1\ndef f(): return 2\nclass A:\n    x = 3\n    def f(self): return f(), x\nprint(A().f(), A.x)\n",
    "class body reads": "x = 1\ndef f(): return 2\nclass A:\n    y = x + f()\nprint(A.y)\n",
    "deleted": "x = 1\ndel x\ntry: x\nexcept NameError: print('gone')\n",
    "global made in a function": "def f():\n    global made\n    made = 3\nf()\nprint(made)\n",
    "postponed annotations": "from __future__ import annotations\nx = int\ndef f(a: x) -> x: return a\nprint(f.__annotations__)\n",
    "format": "def f(a): return '{a}'.format(a=a)\nprint(f(1))\n",
    "sort key": "def f(key): return sorted([3, 1], key=key)\nprint(f(lambda v: -v), f(key=abs))\n",
    "shadowed builtin": "def sum(list, start=0):\n    for x in list: start += x\n    return start\nprint(sum([1, 2], start=3))\n",
    "getattr": "class A:\n    def f(self, a): return a\ndef f(a): return -a\nprint(getattr(A(), 'f')(1), f(1))\n",
}
SEES_NONE = {
    "recursion": "def fib(n: int) -> int:\n    return n if n < 2 else fib(n - 1) + fib(n=n - 2)\nprint(fib(9), list(map(fib, [3])))\n",
    "helpers": "STEP = 2\ndef up(n, *, by=STEP):\n    def more(k): return k + by\n    return more(k=n)\ndef run(start): return up(start, by=3)\nprint(run(start=1), up(n=1))\n",
    "async": "import asyncio\nasync def inner(a, b=1): return a + b\nasync def outer(c): return await inner(a=c, b=2)\nprint(asyncio.run(outer(c=3)))\n",
    "generator": "def count(stop):\n    for i in range(stop): yield i\nprint([j for j in count(stop=3)])\n",
    "decorator": "def twice(f):\n    def inner(*args): return f(f(*args))\n    return inner\ndef up(a): return a + 1\nup2 = twice(up)\nprint(up2(1))\n",
    "global": "total = 0\ndef add(amount):\n    global total\n    total += amount\nadd(2); add(amount=3); print(total)\n",
    "annotated": "def f(a: int, b: 'str' = 'x', *c: float, d: None = None, **e: dict) -> None:\n    return a, b, c, d, e\nprint(f(1), f(a=2, b='y'), f(1, 'z', 2.0, g=3))\n",
}


def variants() -> dict[str, list[Any]]:
    closed = {
        style: [{name: {"world": "closed", "style": style}} for name in RENAMES] for style in get_args(Style)
    }
    follow = {"world": "closed", "documentation": "follow"}
    rest: list[Any] = [name for name in names() if name not in RENAMES]
    return {
        **closed,
        "documented": [{name: follow} for name in RENAMES[1:]],
        "all": [*closed["pseudo"], *rest],
        "all, reversed": [*reversed(rest), *reversed(closed["pseudo"])],
    }


@pytest.mark.parametrize("program", [*SEES_NAMES, *SEES_NONE])
def test_does_the_same(program: str) -> None:
    before = (SEES_NAMES | SEES_NONE)[program]
    expected = output(before)
    assert isinstance(expected, str), expected
    source = Source.analyse(before)
    for label, rewrites in variants().items():
        for seed in (1, 2):
            result = emit(source, rewrites, rate=1.0, seed=seed, key=program)
            assert result.status != "disproved", (label, seed, result.problem)
            assert output(result.text) == expected, (label, seed, result.text)


@pytest.mark.parametrize("program", SEES_NONE)
def test_everything_is_renamed(program: str) -> None:
    source = Source.analyse(SEES_NONE[program])
    result = emit(source, variants()["pseudo"], rate=1.0, seed=1)
    refused = {reason for reason in result.refusals if not reason.endswith((":import", ":definition"))}
    assert not refused
    assert "import" in SEES_NONE[program] or result.sites["rename_function"] > 0
