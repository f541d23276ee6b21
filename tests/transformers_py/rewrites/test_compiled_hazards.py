"""Hazards of how CPython compiles: closures, constants, private names, many variables, deep nesting, new syntax.

Each of these small programs does the same before and after every rewrite; those that need a newer Python are
skipped on older ones.
"""

# ruff: noqa: E501  (a program is a line)

import sys
from typing import Any

import pytest

from tests.transformers_py.executing import output
from tests.transformers_py.rewrites.test_hazards import VARIANTS
from transformers_py import Source, emit, names

_LOUD = "class D:\n    def __init__(self, n): self.n = n\n    def __del__(self): print(self.n)\n"

CLOSURES = {
    "looked at": (
        "def f():\n    alpha, beta, gamma = 1, 2, 3\n    def g(): return alpha, beta, gamma\n    return g\n"
        "print([c.cell_contents for c in f().__closure__])\n"
    ),
    "looked at from elsewhere": (
        "def f(a):\n    b = a + 1\n    c = b + 1\n    return lambda: (c, b, a)\n"
        "print([cell.cell_contents for cell in getattr(f(1), '__clo' + 'sure__')])\n"
    ),
    "with a parameter between": (
        "def f(m):\n    a, z = m + 1, m + 2\n    def g(): return z, m, a\n    return g\n"
        "print([c.cell_contents for c in f(1).__closure__])\n"
    ),
    "with a function between": (
        "def f():\n    a, z = 1, 2\n    def m(): return a\n    def g(): return m() + z + a\n    return g\n"
        "print([str(c.cell_contents)[:4] for c in f().__closure__])\n"
    ),
    "through another function": (
        "def f():\n    one, two = 1, 2\n    def g():\n        six = 6\n        def h(): return two, six, one\n        return h\n"
        "    return g\nprint([c.cell_contents for c in f()().__closure__], [c.cell_contents for c in f().__closure__])\n"
    ),
    "with super": (
        "class A:\n    def f(self):\n        X, x, y = 1, 2, 3\n        def g(): return super().__repr__(), x, X, y\n"
        "        return [c.cell_contents for c in g.__closure__ if type(c.cell_contents) is int]\nprint(A().f())\n"
    ),
    "with a private name": (
        "class A:\n    def f(self):\n        __m, a, _A, _B = 1, 2, 3, 4\n        def g(): return __m, a, _A, _B\n"
        "        return [c.cell_contents for c in g.__closure__]\nprint(A().f())\n"
    ),
    "of a class": (
        "def f():\n    b, a, c = 1, 2, 3\n    class A:\n        def g(self): return a, b, c\n    return A.g\n"
        "print([c.cell_contents for c in f().__closure__])\n"
    ),
    "of a comprehension": (
        "def f(n):\n    b, a = n, n + 1\n    return [lambda: (a, i, b) for i in range(2)]\n"
        "print([[c.cell_contents for c in g.__closure__] for g in f(5)])\n"
    ),
    "of two comprehensions": (
        "def f(n):\n    us = [lambda: i for i in range(n)]\n    vs = [lambda: (i, n) for i in range(n + 1)]\n"
        "    return [g() for g in us + vs]\nprint(f(2))\n"
    ),
    "of one of two comprehensions": (
        "def f(n):\n    us = [i for i in range(n)]\n    vs = [lambda: i for i in range(n + 1)]\n    ws = [i for i in range(n)]\n"
        "    return us, [g() for g in vs], ws\nprint(f(2))\n"
    ),
    "of nested comprehensions": (
        "def f(n):\n    return [[(lambda: (i, j))() for j in range(i)] for i in range(n)] + [[i] for i in range(n)]\nprint(f(3))\n"
    ),
    "let go": (
        _LOUD
        + "def f():\n    a, b = D('first'), D('second')\n    def g(): return a, b\n    return g\nh = f()\ndel h\nprint('end')\n"
    ),
    "let go by a frame": (
        _LOUD
        + "def f():\n    b, a, c = D(1), D(2), D(3)\n    def g(): return a, b, c\n    print('leaves')\nf()\nprint('end')\n"
    ),
    "let go by a generator": (
        _LOUD
        + "def f():\n    left, right = D(1), D(2)\n    return (left and right for _ in 'ab')\nprint([x.n for x in f()])\nprint('end')\n"
    ),
    "let go, with parameters": (
        _LOUD
        + "def f(k, d):\n    e = D(3)\n    def g(): return k, d, e\n    return lambda: g()\nh = f(D(1), D(2))\nh = None\nprint('end')\n"
    ),
}

CONSTANTS = {
    "a tuple": "def f(): return (1, (2, 3))\nprint(f() is f())\n",
    "two of one value": "a = 1000\nb = 1000\ndef f():\n    c = 1000\n    return c is a, a is b\nprint(f())\n",
    "a sum": "def f():\n    a = 500 + 500\n    return a is f.__defaults__\ndef g(): return 500 + 500\nprint(f(), g() is g())\n",
    "strings": "def f(): return 'a b' * 3 + ' c'\nprint(f() is f(), f())\n",
    "signs": "def f(): return -1000, +2000, ~3000, not 4\nprint(f() is f(), f())\n",
    "an index": "def f(): return ('a b', 'c d')[1], 'e f'[0], b'ghij'[2]\nprint(f() is f(), f())\n",
    "a tuple that is looked for": "def f(x): return x in (1, (2, 'a b')), x in [1, 2], x in {3, 4}\nprint(f(1), f((2, 'a b')), f(4))\n",
    "a default": "def f():\n    def g(a=(1, 2), b=-1000): return a, b\n    return g\nprint(f()()[0] is f()()[0], f()()[1] is f()()[1])\n",
    "a key": "def f(): return {(1, 2): (3, 4)}\nprint(next(iter(f())) is next(iter(f())), f()[1, 2] is f()[1, 2])\n",
    "in parts that are no constants": "def f(x): return [(1, 2), (3, x), -x, 2 ** 70]\nprint(f(1)[0] is f(1)[0], f(1)[3] is f(1)[3], f(2))\n",
    "None and others": "def f(): return (None, True, ..., False)\nprint(f() is f(), f())\n",
    "an empty one": "def f(): return (), ((),), '' 'a', b'' b'c'\nprint(f() is f(), f())\n",
    "nested powers": "def f(): return (2 ** 70, (1 << 80) - 1, 7 // 2, 7 % 4, 3.5 * 2)\nprint(f() is f(), f())\n",
    "that isn't folded": "def f():\n    try: return (1, 1 // 0)\n    except ZeroDivisionError: return 'a' * 3 * 10\nprint(f() is f())\n",
    "complex": "def f(): return 1 + 2j, -1j, (1e999, 0.0)\nprint(f() is f(), f())\n",
}

PRIVATE = {
    "spelt out beside it": "class A:\n    def f(self):\n        __w = 1\n        _A__w = 2\n        return __w, _A__w\nprint(A().f())\n",
    "spelt out alone": "class A:\n    def f(self):\n        _A__w = 2\n        return _A__w\nprint(A().f())\n",
    "shared with a nested function": (
        "class A:\n    def f(self):\n        __w = 1\n        def g():\n            return _A__w\n        return g()\nprint(A().f())\n"
    ),
    "nonlocal": (
        "class A:\n    def f(self):\n        _A__w = 1\n        def g():\n            nonlocal __w\n            __w += 1\n"
        "        g()\n        return _A__w\nprint(A().f())\n"
    ),
    "a parameter": "class A:\n    def f(self, *__w):\n        _A__w += (3,)\n        return __w\nprint(A().f(1))\n",
    "a global": "_A__w = 5\nclass A:\n    def f(self):\n        def g(_A__w): return __w\n        return g(1), __w\nprint(A().f())\n",
    "a private function": (
        "_A__g = 3\nclass A:\n    def f(self):\n        def _A__g(x): return x\n        return __g(2)\nprint(A().f())\n"
    ),
    "of a class with underscores": (
        "class __A:\n    def f(self):\n        __w = 1\n        _A__w = 2\n        return __w\nprint(globals()['__A']().f())\n"
    ),
    "in a comprehension": "class A:\n    def f(self):\n        return [_A__w for __w in (1, 2)]\nprint(A().f())\n",
    "a global function": "def _A__f(): return 1\nclass A:\n    def g(self): return __f()\nprint(A().g(), _A__f())\n",
}


def _many(count: int, shared: str, more: str = "") -> str:
    """A function of many variables, some of them shared with a nested function."""
    lines = "".join(f"    v{i} = {i % 7} + n\n" for i in range(count))
    every = " + ".join(f"v{i}" for i in range(0, count, 3))
    return f"def f(n):\n{lines}{more}    def g():\n        return {shared}\n    return g() + {every}\nprint(f(2))\n"


_FEW, _HALF = "v1 + v299", " + ".join(f"v{i}" for i in range(0, 300, 2))
MANY = {
    "a few in a closure": _many(300, _FEW),
    "half in a closure": _many(300, _HALF),
    "all in a closure": _many(270, " + ".join(f"v{i}" for i in range(270))),
    "with comprehensions": _many(
        300,
        "v7",
        "    v1 = sum([v2 for v2 in range(3)])\n    v4 = [i for i in 'ab'] + [i for i in 'cd']\n    v4 = len(v4)\n",
    ),
    "around sixteen": _many(
        14,
        "v3",
        "    a = [i for i in 'ab']\n    b = [i for i in 'cd']\n    x = y = n\n    z = x + y\n    n += z + len(a + b)\n",
    ),
    "around sixty-four": _many(
        62,
        "v3",
        "    a = [i for i in 'ab']\n    b = [i for i in 'cd']\n    if n:\n        late = 1\n    n += late + len(a + b)\n",
    ),
    "in loops and handlers": _many(
        260,
        "v3",
        "    u = [i for i in 'ab'] + [i for i in 'cd']\n    for k in range(3):\n        try:\n            n += k // (k - 1)\n        except ZeroDivisionError as e:\n            n += len(e.args)\n    n += len(u)\n",
    ),
}

_HUNDRED = "x" + "".join(f".replace(str({i % 7}), '')" for i in range(120))
DEEP = {
    "a sum": "def f(x):\n    return " + " + ".join(["x"] * 250) + "\nprint(f(2))\n",
    "chained calls": f"def f(x):\n    return {_HUNDRED}\nprint(f('a1b2'))\n",
    "brackets": "def f(x):\n    return " + "[" * 90 + "x" + "]" * 90 + "\nprint(f(2))\n",
    "parentheses": "def f(x):\n    return " + "(" * 150 + "x" + ")" * 150 + " + 1\nprint(f(2))\n",
    "negations": "def f(x):\n    if " + "not " * 80 + "x: return 1\n    return 2\nprint(f(2))\n",
    "conditions": "def f(x):\n    if "
    + " and (x or ".join(["x"] * 60)
    + ")" * 59
    + ": return 1\nprint(f(2))\n",
    "choices": "def f(x):\n    return " + "1 if x else (" * 60 + "2" + ")" * 60 + "\nprint(f(0))\n",
    "indices": "def f(x):\n    return " + "x[" * 95 + "0" + "]" * 95 + "\nprint(f([0]))\n",
    "lambdas": "def f(x):\n    return " + "(lambda y: " * 20 + "x" + ")(1)" * 20 + "\nprint(f(2))\n",
    "beside what isn't": "def f(x):\n    y = x + 1\n    return "
    + " - ".join(["y"] * 300)
    + "\ndef g(z): return f(z) + 1\nprint(g(2))\n",
    "in a decorator and a default": (
        "def d(x): return lambda g: g\n@d("
        + "[" * 95
        + "]" * 95
        + ")\ndef f(a="
        + " + ".join(["1"] * 150)
        + "): return a\nprint(f())\n"
    ),
}

NEW = {
    "3.12 type parameters": (
        "def f[T](a: T) -> T:\n    b = a\n    return b\nclass A[T, *Ts, **P]:\n    def g(self, a: T) -> T:\n        b = [x for x in (a,)]\n"
        "        return b\nprint(f(1), A().g(2), f.__type_params__, A.__type_params__)\n"
    ),
    "3.12 bounds": (
        "def f():\n    limit = int\n    def g[T: limit, U: (int, str)](a: T, b: U) -> T:\n        c = a, b\n        return c\n"
        "    return g(1, 'x'), g.__type_params__[0].__bound__, g.__type_params__[1].__constraints__\nprint(f())\n"
    ),
    "3.12 type aliases": (
        "type Pair[T] = tuple[T, T]\ndef f(n):\n    type Local = list[n]\n    m = n\n    return Local.__value__, m\n"
        "print(f(int), Pair.__value__, Pair.__name__)\n"
    ),
    "3.12 a type alias in a class": "class A:\n    x = int\n    type B = list[x]\n    def f(self):\n        y = 1\n        return y\nprint(A.B.__value__, A().f())\n",
    "3.12 type is a name, too": "def f(a):\n    type = a\n    type[0] = 2\n    b = type\n    return b\nprint(f([1]))\n",
    "3.12 f-strings with the same quotes": "def f(a):\n    b = {'x': a}\n    return f'{b['x']} {f'{b['x']}{f'{a}'}'}'\nprint(f(1))\n",
    "3.12 f-strings of several lines": (
        "def f(a):\n    b = a\n    return f'{\n        b  # not a string\n        + a\n    } and {\n b:>{\n a + 5}} {'\\n'.join(['x', 'y'])!r}'\nprint(f(1))\n"
    ),
    "3.12 f-strings with quotes in comments": "def f(a):\n    b = a\n    c = f'{b + (  # it's\n        a)}'\n    return c\nprint(f(1))\n",
    "3.12 nested formats": "def f(a):\n    w = 7\n    p = 2\n    return f'{a:{'>'}{w}.{p}f} {a!r:^{w}} {{{a}}}'\nprint(f(1.234))\n",
    "3.12 triple quotes in f-strings": 'def f(a):\n    b = a\n    return f"""{f"""{b}"""} {"""x\ny"""} {b}"""\nprint(f(1)[:4])\n',
    "3.12 walrus and lambda in f-strings": "def f(a):\n    return f'{(b := a + 1)} {(lambda x: f'{x}{b}')(3)} {[f'{i}' for i in range(b)]}'\nprint(f(1))\n",
    "3.12 debug f-strings of several lines": "def f(a):\n    b = a\n    c = 1\n    return f'{\n  b = }', c\nprint(f(1))\n",
    "3.12 raw f-strings": "def f(a):\n    b = a\n    return rf'\\{b}\\d{b:\\>5}', rf'{'\\\\'}'\nprint(f(1))\n",
    "3.12 inlined comprehensions": (
        "x = 'global'\ndef f(a):\n    x = a\n    u = [x for x in range(3)]\n    v = {x: y for x in u for y in [x]}\n    w = [(lambda: x)() for _ in u]\n"
        "    return x, u, v, w, [z := i for i in u], z\nclass A:\n    y = 1\n    z = [y for y in range(2)]\n    w = [x for i in range(2)]\nprint(f(1), A.z, A.w, A.y)\n"
    ),
    "3.12 comprehensions that fail": (
        "def f(a):\n    i = 'kept'\n    try:\n        return [1 // i for i in a]\n    except ZeroDivisionError:\n        j = [i for i in i]\n        return i, j\nprint(f([1, 0]))\n"
    ),
    "3.12 comprehensions over unbound names": (
        "def f(a):\n    u = [i for i in a]\n    try:\n        return i\n    except NameError as e:\n        k = type(e).__name__\n    i = u\n    return k, i\nprint(f([1]))\n"
    ),
    "3.12 asynchronous comprehensions": (
        "import asyncio\nasync def g(n):\n    for i in range(n):\n        yield i\nasync def f(n):\n    u = [i async for i in g(n)]\n    v = {i: [j async for j in g(i)] for i in u}\n"
        "    return u, v, [await h(i) for i in u]\nasync def h(i): return -i\nprint(asyncio.run(f(3)))\n"
    ),
    "3.11 except*": (
        "def f(*errors):\n    seen = []\n    try:\n        raise ExceptionGroup('g', errors)\n    except* (KeyError, ValueError) as eg:\n        n = len(eg.exceptions)\n        seen.append(n)\n"
        "    except* TypeError as eg:\n        seen.append('type')\n    else:\n        seen.append('none')\n    finally:\n        seen.append('end')\n    return seen\nprint(f(KeyError(), TypeError(), ValueError()))\n"
    ),
    "3.13 docstrings without indentation": (
        "class A:\n    '''One.\n\n        Two.\n    '''\n    def f(self):\n        '''\n        Three\n            four\n        '''\n        x = 1\n        return x\nprint(repr(A.__doc__), repr(A.f.__doc__), A().f())\n"
    ),
    "3.13 static attributes": (
        "class A:\n    def __init__(self, b):\n        c = b\n        self.a = c\n        self.d, self.e = c, c\n    def f(self):\n        self.g = lambda x: x\nprint(A.__static_attributes__)\n"
    ),
    "3.13 static attributes of another self": (
        "class A(list):\n    def __new__(cls, b):\n        self = super().__new__(cls)\n        self.c = b\n        return self\n"
        "    def f(self):\n        def g(self, /):\n            self.d = 1\n        g(self)\nprint(sorted(A.__static_attributes__), A([1]).c)\n"
    ),
    "3.13 static attributes of lambdas": (
        "class A:\n    x = [(lambda self, /: setattr(self, 'a', 1)) for _ in 'a']\n    def f(me, *self):\n        self = me\n        self.b = 2\n"
        "print(sorted(A.__static_attributes__))\n"
    ),
    "3.13 first lines": "class A:\n    x = 1\n    def f(self): return 1\nprint(type(A.__firstlineno__), 'x' in vars(A), A().f())\n",
    "3.13 defaults of type parameters": (
        "def f[T = int, *Ts = *tuple[int, str], **P = [int]](a: T) -> T:\n    b = a\n    return b\nclass A[T = str]: pass\nprint(f(1), [t.__default__ for t in (*f.__type_params__, *A.__type_params__)])\n"
    ),
    "3.13 superinstructions": (
        "def f(a, b):\n    c = a; d = b\n    a, b = b, a\n    for c, d in [(a, b), (b, a)]:\n        e, g = c, d\n        a = e; b = g\n    (x, y), z = (c, d), e\n    return a, b, c, d, e, g, x, y, z\nprint(f(1, 2))\n"
    ),
    "3.13 locals in comprehensions": "def f(a):\n    b = a\n    return [sorted(locals()) for i in range(1)], b\nprint(f(1))\n",
    "3.13 exec with named globals": "def f(a):\n    b = {'x': a}\n    exec('y = x', globals=b)\n    return b['y']\nprint(f(1))\n",
}

PROGRAMS = {
    f"{kind}: {name}": text
    for kind, programs in {
        "closures": CLOSURES,
        "constants": CONSTANTS,
        "private names": PRIVATE,
        "many variables": MANY,
        "deep": DEEP,
        "new": NEW,
    }.items()
    for name, text in programs.items()
}
OPTIONS: list[list[Any]] = [
    [{"parentheses": {"nested": True}}],
    [{"conditional_identity": {"side": "second"}}],
    [{"lambda_identity": {"style": "constant"}}],
    [{"if_true": {"wrap": "compound"}}],
]


def needed(name: str) -> tuple[int, int]:
    """The Python that a program asks for."""
    for word in name.split():
        if word.startswith("3."):
            return 3, int(word[2:])
    return 3, 0


@pytest.mark.parametrize("name", PROGRAMS)
def test_does_the_same(name: str) -> None:
    if sys.version_info < needed(name):
        pytest.skip(f"needs Python {needed(name)}")
    before = PROGRAMS[name]
    expected = output(before)
    assert isinstance(expected, str), expected
    source = Source.analyse(before)
    long = len(before) > 1000
    some = [[name] for name in names()] + [VARIANTS["nested"], VARIANTS["all"], *OPTIONS]
    for rewrites in some if long else (*VARIANTS.values(), *OPTIONS):
        for seed, rate in ((1, 1.0),) if long else ((1, 1.0), (2, 0.5)):
            result = emit(source, rewrites, rate=rate, seed=seed, key=name)
            assert result.status != "disproved", (rewrites, seed, result.problem)
            assert output(result.text) == expected, (rewrites, seed, result.text)


def test_most_of_them_are_rewritten() -> None:
    possible = [text for name, text in PROGRAMS.items() if sys.version_info >= needed(name)]
    changed = sum(
        emit(Source.analyse(text), list(names()), rate=1.0, seed=1).text != text for text in possible
    )
    assert changed > 0.9 * len(possible)
