"""Programs that look at themselves, at names, signatures, lines, code or the depth of the stack, do the same."""

# ruff: noqa: E501  (a program is a line)

import importlib.util
import inspect
import io
import linecache
import sys
import tokenize
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.transformers_py.executing import output
from transformers_py import Source, emit, names

SIGNATURES = {
    "signature_kwargs": (
        "import inspect\nclass Mixin:\n    def prepare(self, ids, **kwargs): return ids\n    def forward(self, ids, mask=None): return mask\n"
        "    def unknown(self, given):\n        known = set(inspect.signature(self.prepare).parameters)\n"
        "        if 'kwargs' in known: known |= set(inspect.signature(self.forward).parameters)\n"
        "        return [key for key in given if key not in known]\nprint(Mixin().unknown(['mask']))\n"
    ),
    "bound_arguments": "import inspect\ndef f(x, *rest): return rest\nprint(inspect.signature(f).bind(1, 2).arguments['rest'])\n",
    "getfullargspec": "import inspect\ndef f(*items): return items\nprint(inspect.getfullargspec(f).varargs)\n",
    "asked from another file": (
        "import types\nlib = types.ModuleType('lib')\nexec('import inspect\\ndef ask(f): return list(inspect.signature(f).parameters)', vars(lib))\n"
        "def f(first, /, *args, **kwargs): return first\nprint(lib.ask(f))\n"
    ),
    "a decorator asks": (
        "import types\nlib = types.ModuleType('lib')\nexec('import inspect\\ndef ask(f): return str(inspect.signature(f))', vars(lib))\n"
        "def outer():\n    def inner(*values, **named): return values\n    return lib.ask(inner)\nprint(outer())\n"
    ),
    "a method's positional-only parameter": (
        "import types\nlib = types.ModuleType('lib')\nexec('import inspect\\ndef ask(f): return inspect.getfullargspec(f).args', vars(lib))\n"
        "class A:\n    def f(self, place, /): return place\nprint(lib.ask(A.f))\n"
    ),
    "a lambda's parameters": (
        "import types\nlib = types.ModuleType('lib')\nexec('import inspect\\ndef ask(f): return str(inspect.signature(f))', vars(lib))\n"
        "print(lib.ask(lambda left, *more: left))\n"
    ),
    "help": "import pydoc\ndef f(*things, **options): 'doc'\nprint(pydoc.plain(pydoc.render_doc(f)))\n",
    "partial and autospec": (
        "from unittest import mock\ndef f(a, /, *rest): return a\nfake = mock.create_autospec(f)\nfake(1, 2)\n"
        "import inspect\nprint(inspect.signature(fake))\n"
    ),
    "functools.wraps": (
        "import functools, inspect\ndef deco(f):\n    @functools.wraps(f)\n    def run(*args, **kw): return f(*args, **kw)\n    return run\n"
        "@deco\ndef g(x, *, y=1): return x\nprint(inspect.signature(g), inspect.signature(g, follow_wrapped=False))\n"
    ),
    "a private function's signature": "import inspect\ndef _f(count): return count\nprint(_f(1), [list(inspect.signature(v).parameters) for k, v in list(globals().items()) if k == '_' + 'f'])\n",
    "handed to sorted, and on": "def f(rows, keep):\n    def key(row): return row\n    keep.append(key)\n    return sorted(rows, key=key)\nkeep = []\nprint(f([2, 1], keep), keep[0](row=3), keep[0].__name__)\n",
    "own re": "class re:\n    @staticmethod\n    def sub(pattern, function, text): return function(match=text)\ndef f():\n    return re.sub('a', lambda match: match * 2, 'b')\nprint(f())\n",
    "a module by another name": (
        "import sys, types\nfake = types.ModuleType('fake')\nfake.sub = lambda a, b, c: b(m=c)\nsys.modules['fake'] = fake\nimport fake as re\n"
        "print(re.sub('a', lambda m: m, 'x'))\ndel sys.modules['fake']\n"
    ),
    "one of two imports": (
        "import re\ntry:\n    import no_such_module as re\nexcept ImportError:\n    class Own:\n        def sub(self, a, b, c): return b(m=c)\n    re = Own()\n"
        "print(re.sub('a', lambda m: m, 'x'))\n"
    ),
    "re, reduce and groupby": (
        "import re, itertools\nfrom functools import reduce as fold, cmp_to_key\ndef f(text):\n    def up(match): return match[0].upper()\n"
        "    def by(a, b): return (a > b) - (a < b)\n    groups = {k: len(list(g)) for k, g in itertools.groupby(text, lambda c: c > 'b')}\n"
        "    return re.sub('b', up, text), fold(lambda a, b: a + b, text), sorted(text, key=cmp_to_key(by)), groups\nprint(f('cba'))\n"
    ),
}
FUNCTION_NAMES = {
    "co_name_seen_by_callee": (
        "import sys\ndef who(): return sys._getframe(1).f_code.co_name\ndef f():\n    def helper(): return who()\n    return helper()\nprint(f())\n"
    ),
    "inspect_stack": "import inspect\ndef who(): return inspect.stack()[1][3]\ndef f():\n    def loader(): return who()\n    return loader()\nprint(f())\n",
    "a log format": (
        "import io, logging\nout = io.StringIO()\nhandler = logging.StreamHandler(out)\nhandler.setFormatter(logging.Formatter('%(funcName)s %(message)s'))\n"
        "log = logging.Logger('x')\nlog.addHandler(handler)\ndef f():\n    def loader(): log.warning('hello')\n    loader()\nf()\nprint(out.getvalue())\n"
    ),
    "findCaller": "import logging\nlog = logging.getLogger('x')\ndef f():\n    def loader(): return log.findCaller()[2]\n    return loader()\nprint(f())\n",
    "the profiler": (
        "import sys\nseen = []\ndef f():\n    def loader(): return 1\n    return loader()\n"
        "sys.setprofile(lambda frame, event, arg: seen.append(frame.f_code.co_name))\nf()\nsys.setprofile(None)\nprint(seen)\n"
    ),
    "exc_info": (
        "import sys\ndef f():\n    def loader(): raise ValueError\n    try: loader()\n    except ValueError: return sys.exc_info()[2].tb_next.tb_frame.f_code.co_name\nprint(f())\n"
    ),
    "a caller's qualified name": (
        "import sys\ndef who(): return getattr(sys._getframe(1).f_code, 'co_qual' + 'name', '')\ndef f():\n    def loader(): return who()\n    return loader()\nprint(f())\n"
    ),
    "a traceback in another function": (
        "import traceback\ndef show(error): return [s.name for s in traceback.TracebackException.from_exception(error).stack]\n"
        "def f():\n    def loader(): raise ValueError\n    try: loader()\n    except ValueError as error: return show(error)\nprint(f())\n"
    ),
}
CLOSURES = {
    "closure_order": (
        "def f():\n    alpha, beta, gamma = 1, 2, 3\n    def g(): return alpha, beta, gamma\n    return g\nprint([c.cell_contents for c in f().__closure__])\n"
    ),
    "closure by getattr": (
        "def f(beta):\n    alpha = 1\n    def g(): return alpha, beta\n    return g\nprint([c.cell_contents for c in getattr(f(2), '__closure__')])\n"
    ),
    "a new function of the same code": (
        "import types\ndef f():\n    alpha, beta = 1, 2\n    def g(): return alpha - beta\n    return g\ng = f()\n"
        "print(types.FunctionType(g.__code__, {}, 'h', (), tuple(types.CellType(v) for v in (5, 3)))())\n"
    ),
    "cells counted": "def f():\n    beta, alpha = [], {}\n    return lambda: (beta, alpha)\nprint([type(c.cell_contents).__name__ for c in f().__closure__])\n",
    "getclosurevars": (
        "import inspect\ndef f():\n    beta, alpha = 1, 2\n    def g(): return beta, alpha\n    return g\nprint(inspect.getclosurevars(f()).nonlocals)\n"
    ),
    "co_freevars": "def f():\n    beta, alpha = 1, 2\n    def g(): return beta, alpha\n    return g\nprint(f().__code__.co_freevars)\n",
    "written through cells": (
        "def f():\n    zulu, yankee = 1, 2\n    def g(): return zulu, yankee\n    return g\ng = f()\ng.__closure__[0].cell_contents = 9\nprint(g())\n"
    ),
}
EVALUATED = {
    "eval_as_attribute": (
        "def f():\n    amount = 3\n    try: return __import__('builtins').eval('amount + 1')\n    except NameError: return 'NameError'\nprint(f())\n"
    ),
    "locals in sys.modules": "import sys\ndef f():\n    amount = 3\n    return sys.modules['builtins'].locals()\nprint(f())\n",
    "eval as an item": "def f():\n    amount = 3\n    space = globals()['__builtins__']\n    look = space['eval'] if isinstance(space, dict) else space.eval\n    return look('amo' + 'unt')\nprint(f())\n",
    "an item called at once": "import builtins\nspace = vars(builtins)\ndef f():\n    amount = 3\n    return space['locals']()\nprint(f())\n",
    "getattr of what was imported": "import importlib\nm = importlib.import_module('built' + 'ins')\ndef f():\n    amount = 3\n    return getattr(m, 'vars')()\nprint(f())\n",
    "behind a method": "def f():\n    amount = 3\n    return print.__self__.dir()\nprint(f())\n",
    "kept under another name": "import types\nlib = types.SimpleNamespace(look=__import__('builtins').locals)\ndef f():\n    amount = 3\n    return lib.look()\nprint(f())\n",
    "attrgetter": "import builtins, operator\nlook = operator.attrgetter('locals')(builtins)\ndef f():\n    amount = 3\n    return look()\nprint(f())\n",
    "exec behind a dot": "import types\nlib = types.SimpleNamespace()\nlib.exec = exec\ndef f():\n    amount = 3\n    lib.exec('print(amo' 'unt)')\nf()\n",
    "evaluation in an inner function": "m = __import__('builtins')\ndef f():\n    amount = 3\n    def g():\n        amount\n        return m.locals()\n    return g()\nprint(f())\n",
    "a method called eval": "class M:\n    def eval(self): return 1\n    def dir(self, x): return x\ndef f():\n    model = M()\n    return model.eval(), model.dir(2)\nprint(f())\n",
}
_READER = (
    "import types\nlib = types.ModuleType('lib')\nexec(\"import sys\\ndef query(text, depth=1):\\n"
    "    names = getattr(sys._getframe(depth), 'f_' + 'locals')\\n    return [names.get(w.strip('@')) for w in text.split()]\", vars(lib))\n"
)
CALLERS_NAMES = {
    "caller_frame_by_library": _READER + "def f():\n    cut = 4\n    return lib.query('@cut')\nprint(f())\n",
    "a parameter": _READER
    + "def f():\n    def g(cut): return lib.query('x > @cut')\n    return g(4)\nprint(f())\n",
    "an f-string": _READER + "def f(op):\n    cut = 4\n    return lib.query(f'x {op} @cut')\nprint(f('>'))\n",
    "a string built before": _READER
    + "def f():\n    cut = 4\n    text = 'x '\n    text += '@cut'\n    return lib.query(text)\nprint(f())\n",
    "a free variable": _READER
    + "def f():\n    cut = 4\n    def g():\n        cut\n        return lib.query('@cut')\n    return g()\nprint(f())\n",
    "a string of the module": _READER
    + "TEXT = 'x > @cut'\ndef f():\n    cut = 4\n    return lib.query(TEXT)\nprint(f())\n",
    "behind an escape": _READER
    + "def f():\n    cut, low = 4, 1\n    return lib.query('x\\tcut\\nlow')\nprint(f())\n",
    "spelt by escapes": _READER
    + "def f():\n    cut = 4\n    return lib.query('\\x63\\u0075t')\nprint(f())\n",
    "implicit concatenation": _READER
    + "def f():\n    cut, low = 4, 1\n    return lib.query('cut '\n        'low')\nprint(f())\n",
    "a formula in a default": _READER
    + "def f(text='y ~ cut'):\n    cut = 4\n    return lib.query(text)\nprint(f())\n",
    "a loop's variable": _READER
    + "def f():\n    for cut in (1, 2):\n        found = lib.query('cut')\n    return found\nprint(f())\n",
    "a with's and an except's": (
        _READER
        + "import contextlib\ndef f():\n    with contextlib.nullcontext(5) as inner:\n        try: raise KeyError(1)\n"
        "        except KeyError as problem: return lib.query('inner')[0], str(lib.query('problem')[0])\nprint(f())\n"
    ),
}
ERROR_TEXTS = {
    "UnboundLocalError": "def f(n):\n    if n: size = 1\n    try: return size\n    except UnboundLocalError as error: return str(error)\nprint(f(0))\n",
    "NameError.name": "def f():\n    size = 1\n    del size\n    try: return size\n    except NameError as error: return getattr(error, 'name', None)\nprint(f())\n",
    "a free variable without a value": (
        "def f():\n    def g(): return size\n    try: return g()\n    except (ValueError, NameError) as error: return str(error)\n    size = 1\nprint(f())\n"
    ),
    "a missing argument": (
        "def f():\n    def g(a, b, /): return a\n    try: return g(1)\n    except TypeError as error: return str(error)\nprint(f())\n"
    ),
    "one too many": "def f():\n    def g(a): return a\n    try: return g(1, 2)\n    except TypeError as error: return str(error)\nprint(f())\n",
    "a lambda's missing argument": (
        "def f():\n    try: return sorted([1, 2], key=lambda a, b: a)\n    except TypeError as error: return str(error)\nprint(f())\n"
    ),
    "caught elsewhere": (
        "def show(action):\n    try: action()\n    except TypeError as error: print(error)\ndef f():\n    def g(first): return first\n    def run(): g()\n    show(run)\nf()\n"
    ),
    "expected by a test": (
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        def g(first): return first\n"
        "        with self.assertRaises(TypeError) as caught: g()\n        print(caught.exception)\nT('test').test()\n"
    ),
}
LINES = {
    "traceback_line": (
        "def work(n):\n    half = n // 2\n    raise ValueError(half)\ndef main():\n    try: work(4)\n"
        "    except ValueError as e: return e.__traceback__.tb_next.tb_lineno\nprint(main())\n"
    ),
    "a log format": (
        "import io, logging\nout = io.StringIO()\nhandler = logging.StreamHandler(out)\nhandler.setFormatter(logging.Formatter('%(lineno)d %(message)s'))\n"
        "log = logging.Logger('x')\nlog.addHandler(handler)\ndef f(n):\n    half = n // 2\n    log.warning('hello %d', half)\nf(3)\nprint(out.getvalue())\n"
    ),
    "a recorded warning": (
        "import warnings\ndef old():\n    text = 'old'\n    warnings.warn(text)\nwith warnings.catch_warnings(record=True) as got:\n"
        "    warnings.simplefilter('always')\n    old()\nprint(got[0].lineno)\n"
    ),
    "a recorded warning's text": (
        "import warnings\ndef old():\n    text = 'old'\n    warnings.warn(text)\nwith warnings.catch_warnings(record=True) as got:\n"
        "    warnings.simplefilter('always')\n    old()\nprint(got[0])\n"
    ),
    "a tracer counts lines": (
        "import sys\nseen = []\ndef f(n):\n    half = n // 2\n    if half:\n        half += 1\n    return half\ndef trace(frame, event, arg):\n"
        "    seen.append(event)\n    return trace\nsys.settrace(trace)\nf(4)\nsys.settrace(None)\nprint(seen)\n"
    ),
    "where a function starts": "def f(n):\n    half = n // 2\n    return half\ndef g(): return 1\nprint(f.__code__.co_firstlineno, g.__code__.co_firstlineno)\n",
    "a callee looks at its caller": (
        "import sys\ndef here(): return sys._getframe(1).f_lineno\ndef f(n):\n    half = n // 2\n    return here()\nprint(f(2))\n"
    ),
    "extract_tb in another function": (
        "import traceback\ndef show(e): return [s.lineno for s in traceback.extract_tb(e.__traceback__)]\ndef f(n):\n    half = n // 2\n"
        "    try: return 1 // half\n    except ZeroDivisionError as e: return show(e)\nprint(f(1))\n"
    ),
    "lines of code": "import dis\ndef f(n):\n    half = n // 2\n    return half\nprint([line for _, line in dis.findlinestarts(f.__code__)])\n",
    "a printed traceback": (
        "import traceback, sys\ndef show(e): traceback.print_exception(e, file=sys.stdout)\ndef f(n):\n    half = n // 2\n"
        "    try: return 1 // half\n    except ZeroDivisionError as e: show(e)\nf(1)\n"
    ),
}
ONE_WARNING_A_LINE = {
    "one_warning_a_line": (
        "import warnings\ndef old(*a): warnings.warn('old', DeprecationWarning, 2); return 1\n"
        "def f(): return old() + sum([old(), old(3, 4)]) + old(5, 6)\n"
    ),
    "by keyword": (
        "import warnings\ndef old(a, b): warnings.warn('old', stacklevel=2); return a\ndef f():\n    return [old(1, 2), old(3, 4)]\n"
    ),
    "the warning itself": "import warnings\nfrom warnings import warn\ndef f():\n    return (warn('old', UserWarning), warn('old', UserWarning))\n",
    "an operator warns": (
        "import warnings\nclass A:\n    def __add__(self, other): warnings.warn('old', stacklevel=2); return self\n"
        "def f():\n    a, b = A(), A()\n    return max([a + b, a + b, a], key=id)\n"
    ),
    "a property warns": (
        "import warnings\nclass A:\n    @property\n    def b(self): warnings.warn('old', stacklevel=2); return 1\n"
        "def f():\n    a = A()\n    return [a.b, a.b], max(a.b, a.b)\n"
    ),
    "a decorator warns": (
        "import warnings\ndef deprecated(g):\n    def run(*a):\n        warnings.warn('old', stacklevel=2)\n        return g(*a)\n    return run\n"
        "@deprecated\ndef old(*a): return 1\ndef f(): return old(1, 2), old(3, old(4, 5))\n"
    ),
}
_NEST = (
    "class E:\n    def __init__(self, inner=None): self.inner = inner\n{}"
    "def build(n):\n    e = E()\n    for _ in range(n): e = E(e)\n    return e\n"
)
DEPTH = {
    "an operator": _NEST.format(
        "    def __neg__(self): return 0 if self.inner is None else -self.inner + 1\n"
    )
    + "def ask(e): return -e\n",
    "len": _NEST.format("    def __len__(self): return 0 if self.inner is None else 1 + len(self.inner)\n")
    + "def ask(e): return len(e)\n",
    "getattr": _NEST.format(
        "    def go_in(self, to): return 0 if self.inner is None else 1 + getattr(self.inner, 'go_' + to)(to)\n"
    )
    + "def ask(e): return e.go_in('in')\n",
    "a property": _NEST.format(
        "    @property\n    def depth(self): return 0 if self.inner is None else 1 + self.inner.depth\n"
    )
    + "def ask(e): return e.depth\n",
    "another object's method": _NEST.format(
        "    def depth(self): return 0 if self.inner is None else 1 + self.inner.depth()\n"
    )
    + "def ask(e): return e.depth()\n",
    "a binary operator": _NEST.format(
        "    def __add__(self, other): return other if self.inner is None else self.inner + (other + 1)\n"
    )
    + "def ask(e): return e + 0\n",
    "str": _NEST.format("    def __str__(self): return '' if self.inner is None else 'i' + str(self.inner)\n")
    + "def ask(e): return len(str(e))\n",
    "an f-string": _NEST.format(
        "    def __str__(self): return '' if self.inner is None else f'i{self.inner}'\n"
    )
    + "def ask(e): return len(str(e))\n",
    "a call": _NEST.format("    def __call__(self): return 0 if self.inner is None else 1 + self.inner()\n")
    + "def ask(e): return e()\n",
    "an item": _NEST.format(
        "    def __getitem__(self, i): return i if self.inner is None else self.inner[i + 1]\n"
    )
    + "def ask(e): return e[0]\n",
    "a base's method": (
        "class B:\n    def size(self): return self.deep(0)\n"
        + _NEST.format(
            "    def deep(self, n): return n if self.inner is None else super(E, self.inner).size() + 1\n"
        ).replace("class E:", "class E(B):")
        + "def ask(e): return e.size()\n"
    ),
    "two functions": "def even(n): return n if n == 0 else 1 + odd(n - 1)\ndef odd(n): return 1 + even(n - 1) if n else n\nbuild, ask = int, even\n",
    "below a recursion": "def low(n): return n\ndef down(n): return low(n) if n == 0 else 1 + down(n - 1)\nbuild, ask = int, down\n",
    "a lambda": "ask = lambda n: n if n == 0 else 1 + ask(n - 1)\nbuild = int\n",
}
CODE = {
    "how many variables": "def f(n):\n    half = n // 2\n    return half\nprint(f.__code__.co_nlocals)\n",
    "constants": "def f(n):\n    half = n // 2\n    return half + 1.5\nprint(f.__code__.co_consts[:3])\n",
    "names": "def f(n):\n    half = abs(n)\n    return max(half, 1)\nprint(f.__code__.co_names)\n",
    "instructions": "import dis\ndef f(n):\n    half = n // 2\n    return half\nprint([i.opname for i in dis.get_instructions(f)])\n",
    "bytes": "def f(n):\n    half = n // 2\n    return half\nprint(getattr(f, '__code__').co_code.hex())\n",
    "equal code": "def make(): \n    def f(n): return n + 1\n    return f\nmakes = [lambda: 1, lambda: 2]\nprint(make().__code__ == make().__code__, makes[0].__code__.co_stacksize)\n",
    "marshalled": "import marshal\ndef f(n):\n    half = n // 2\n    return half\nprint(len(marshal.dumps(f.__code__)))\n",
}
PROGRAMS = {
    f"{kind}: {name}": text
    for kind, programs in {
        "signatures": SIGNATURES,
        "names of functions": FUNCTION_NAMES,
        "closures": CLOSURES,
        "evaluated": EVALUATED,
        "callers' names": CALLERS_NAMES,
        "error texts": ERROR_TEXTS,
        "lines": LINES,
        "code": CODE,
    }.items()
    for name, text in programs.items()
}
MESSAGES = (
    "print(_('one'), gettext(\"two\"))\nself.ngettext('three', 'three%d', n)\nN_('four' 'five')\nclass A:\n    label = _('six')\n"
    "    def f(self, n):\n        return _('seven %s') % n, pgettext('menu', 'eight'), [_('nine'), lazy_gettext('ten')]\n"
)
DOCUMENTED = (
    "# about the module\nimport os\n\n# about f\ndef f(a): return a\n\ndef g(a):\n    b = a\n    return b\n\n"
    "class A:\n    size = 1\n\n    def m(self):\n        return 1\n\n    # about n\n    def n(self):\n        return 2\n\n"
    "    @staticmethod\n    def s():\n        return 3\n\ndef h():\n    'documented'\n    return 4\n"
)
VARIANTS: dict[str, list[Any]] = {
    **{name: [name] for name in names()},
    "swap": [
        {name: {"style": "swap"}} for name in ("rename_variable", "rename_parameter", "rename_function")
    ],
    "private": [{"rename_parameter": {"private": True}}, {"rename_function": {"private": True}}],
    "all": list(names()),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_does_the_same(program: str) -> None:
    before = PROGRAMS[program]
    expected = output(before)
    assert isinstance(expected, str), expected
    source = Source.analyse(before)
    for label, rewrites in VARIANTS.items():
        for seed in (1, 2):
            result = emit(source, rewrites, rate=1.0, seed=seed, key=program)
            assert result.status != "disproved", (label, seed, result.problem)
            assert output(result.text) == expected, (label, seed, result.text)


def warned(text: str) -> int:
    """How many warnings `f` shows with Python's default filter."""
    space: dict[str, Any] = {"__name__": "program"}
    exec(compile(text, "<program>", "exec"), space)
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("default")
        space["f"]()
    return len(shown)


@pytest.mark.parametrize("program", ONE_WARNING_A_LINE)
def test_as_many_warnings_are_shown(program: str) -> None:
    before = ONE_WARNING_A_LINE[program]
    expected = warned(before)
    assert expected > 0
    source = Source.analyse(before)
    for label, rewrites in VARIANTS.items():
        for seed in (1, 2, 3):
            done = emit(source, rewrites, rate=1.0, seed=seed, key=program)
            assert warned(done.text) == expected, (label, done.text)


def deepest(text: str) -> int:
    """How deep `ask` can go in what `build` makes, when the stack has room for some sixty frames more."""
    space: dict[str, Any] = {}
    exec(compile(text, "<program>", "exec"), space)
    used = 0
    frame = inspect.currentframe()
    while frame is not None:
        used, frame = used + 1, frame.f_back
    before = sys.getrecursionlimit()
    for _ in range(20):
        assert space["ask"](space["build"](9)) == 9
    things = [space["build"](n) for n in range(80)]
    sys.setrecursionlimit(used + 60)
    try:
        for n, thing in enumerate(things):
            try:
                space["ask"](thing)
            except RecursionError:
                return n
    finally:
        sys.setrecursionlimit(before)
    return len(things)


@pytest.mark.parametrize("program", DEPTH)
def test_recursion_goes_as_deep(program: str) -> None:
    before = DEPTH[program]
    expected = deepest(before)
    assert 10 < expected < 80
    source = Source.analyse(before)
    for label, rewrites in VARIANTS.items():
        for seed in (1, 2):
            done = emit(source, rewrites, rate=1.0, seed=seed, key=program)
            assert deepest(done.text) == expected, (label, done.text)


def messages(text: str) -> list[tuple[str, str]]:
    """What xgettext and Babel see: strings right behind the bracket or a comma of a translating function."""
    words = {"_", "N_", "gettext", "ngettext", "pgettext", "lazy_gettext"}
    found: list[tuple[str, str]] = []
    calls: list[str] = []
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.string in ("(", "[", "{"):
            calls.append(before)
        elif token.string in (")", "]", "}"):
            calls.pop()
        elif token.type == tokenize.STRING and calls and calls[-1] in words:
            found.append((calls[-1], token.string))
        before = token.string
    return found


def test_messages_stay_where_tools_look_for_them() -> None:
    expected = messages(MESSAGES)
    assert len(expected) == 12
    source = Source.analyse(MESSAGES)
    for label, rewrites in VARIANTS.items():
        for seed in (1, 2, 3):
            done = emit(source, rewrites, rate=1.0, seed=seed)
            assert messages(done.text) == expected, (label, done.text)


def documentation(path: Path, text: str) -> list[str | None]:
    """What `pydoc` shows of a module and of what is in it, without signatures."""
    path.write_text(text)
    linecache.checkcache(str(path))
    spec = importlib.util.spec_from_file_location("documented", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    own = [value for _, value in sorted(vars(module).items()) if inspect.isfunction(value)]
    methods = [module.A.m, module.A.n, module.A.s]
    return [
        inspect.getdoc(thing) or inspect.getcomments(thing) for thing in (module, *own, module.A, *methods)
    ]


def test_comments_that_document_stay_the_same(tmp_path: Path) -> None:
    expected = documentation(tmp_path / "documented.py", DOCUMENTED)
    assert "# about n\n" in expected
    for text in (DOCUMENTED, DOCUMENTED.removeprefix("# about the module\n")):
        shown = documentation(tmp_path / "documented.py", text)
        source = Source.analyse(text)
        for label, rewrites in VARIANTS.items():
            for seed in (1, 2, 3):
                done = emit(source, rewrites, rate=1.0, seed=seed)
                assert documentation(tmp_path / "documented.py", done.text) == shown, (label, done.text)
