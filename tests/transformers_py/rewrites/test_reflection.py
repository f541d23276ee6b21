"""Programs that look at themselves, at names, signatures, lines, code or the depth of the stack, do the same."""

# ruff: noqa: E501  (a program is a line)

import contextlib
import io
import sys
from typing import Any

import pytest

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
PROGRAMS = {
    f"{kind}: {name}": text
    for kind, programs in {
        "signatures": SIGNATURES,
        "names of functions": FUNCTION_NAMES,
        "closures": CLOSURES,
        "evaluated": EVALUATED,
        "callers' names": CALLERS_NAMES,
        "error texts": ERROR_TEXTS,
    }.items()
    for name, text in programs.items()
}
VARIANTS: dict[str, list[Any]] = {
    **{name: [name] for name in names()},
    "swap": [
        {name: {"style": "swap"}} for name in ("rename_variable", "rename_parameter", "rename_function")
    ],
    "private": [{"rename_parameter": {"private": True}}, {"rename_function": {"private": True}}],
    "all": list(names()),
}


def output(text: str) -> Any:
    """What a program prints, or how it fails."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(text, "<program>", "exec"), {"__name__": "program"})
        except Exception as error:
            return printed.getvalue(), type(error)
        finally:
            sys.setprofile(None)
    return printed.getvalue()


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
