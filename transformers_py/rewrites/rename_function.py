"""Renames functions that are only called, and only here: `def g(): ...; g()` -> `def scan(): ...; scan()`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random

import libcst as cst

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites import closed_world, renamable
from transformers_py.sites.callers import (
    called,
    definition,
    escape,
    is_private,
    lambda_escape,
    named_in_strings,
)
from transformers_py.sites.closed_world import Documentation, World
from transformers_py.sites.new_names import Style
from transformers_py.source import Source
from transformers_py.source.edits import Refusals, Site
from transformers_py.source.scopes import STACK_WORDS, Binding, NameScope

VERSION = 11
PRESERVES = "names"
RENAMES = "function"
REASONS = {
    "decorated": "a decorator may call the function by keyword or look at it",
    "named_elsewhere": "a string, a comment or an attribute spells it",
    "public": "callers that can't be seen may name it",
    "shows_its_name": "calling the function makes something that carries its name",
    "tracebacks": "the module looks at tracebacks or frames, which show the name",
}

_NAMING = frozenset(["__name__", "__qualname__", "func_name", "co_name", "co_qualname"])
_TRACEBACKS = STACK_WORDS | frozenset(
    """
    traceback __traceback__ exc_info stack_info excepthook f_code tb_lineno co_name co_qualname funcName
    findCaller cProfile profile pstats FrameInfo tracemalloc faulthandler
    """.split()  # noqa: SIM905
)
_NAMELESS = (cst.ListComp, cst.SetComp, cst.DictComp)
_CONSUMERS = frozenset("all any bytes dict frozenset list max min set sorted sum tuple".split())  # noqa: SIM905
"""Builtins that run through a generator and keep nothing of it."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """`style`: how new names are made, `keep_tokens` with as many subwords as the old ones, the last six as a
    form of the old one, which not every name has; `private`: also module-level functions like `_f`;
    `world`: all functions but methods if it is closed, where all that uses the text is in it; then
    `documentation` can follow the new names, in a class of its own.
    """

    style: Style = "pseudo"
    private: bool = False
    world: World = "open"
    documentation: Documentation = "keep"

    def __post_init__(self) -> None:
        closed_world.check(self.style, self.world, self.documentation)


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Every function inside of a function whose name is used for calls alone."""

    def wanted(source: Source, binding: Binding) -> str | None:
        if "function" not in binding.kinds or binding.scope.kind == "class":
            return ""
        if options.world == "closed":
            return closed_world.function_refusal(source, binding)
        return _refusal(source, binding, options.private)

    bindings, refused = renamable.choose(source, wanted)
    also = closed_world.places(options.world, options.documentation)
    return renamable.sites(source, bindings, options.style, also), refused


def draw(
    source: Source, options: Options, sites: Sequence[Site], rng: Random, taken: Collection[str]
) -> list[str | None]:
    """New names, all different."""
    return renamable.draw(source, sites, options.style, "func", rng, taken)


def _refusal(source: Source, binding: Binding, private: bool) -> str | None:
    if binding.scope.kind == "module":
        if not (private and is_private(binding)):
            return "public"
        if source.scoping.namespace_problem:
            return source.scoping.namespace_problem
        if named_in_strings(source, binding.name):
            return "named_elsewhere"
    if not _TRACEBACKS.isdisjoint(source.words) or {"inspect", "stack"} <= source.words:
        return "tracebacks"
    found = definition(source, binding)
    if found is None:
        return "bound_twice"
    node, index = found
    if node.decorators:
        return "decorated"
    if _shows_its_name(source, node, index):
        return "shows_its_name"
    return escape(source, binding)


def _shows_its_name(source: Source, node: cst.FunctionDef, index: int) -> bool:
    """Whether calling the function makes what carries its name: a generator, a nested definition."""
    if node.asynchronous is not None:
        return True
    inner = source.scoping.inner[index]
    for scope in inner.subtree():
        if scope is not inner and not _stays(source, scope):
            return True
        if not _NAMING.isdisjoint(scope.words) or not _NAMING.isdisjoint(scope.uses):
            return True
    last = source.lasts[index]
    return any(isinstance(n, (cst.Yield, cst.Await)) for n in source.nodes[index:last])


def _stays(source: Source, scope: NameScope) -> bool:
    """Whether nobody sees the name of what a scope inside of a function makes."""
    node = source.nodes[scope.node]
    if isinstance(node, cst.GeneratorExp):
        argument = source.nodes[source.parents[scope.node]]
        if not isinstance(argument, cst.Arg) or argument.keyword or argument.star:
            return False
        call = cst.ensure_type(source.nodes[source.parents[source.parents[scope.node]]], cst.Call)
        if isinstance(call.func, cst.Attribute):
            return call.func.attr.value == "join" and isinstance(call.func.value, cst.SimpleString)
        return call.args[0] is argument and called(source, call) in _CONSUMERS
    if isinstance(node, cst.Lambda):
        return lambda_escape(source, scope, None) is None
    if isinstance(node, cst.FunctionDef) and not node.decorators and scope.parent is not None:
        binding = scope.parent.resolved.get(node.name.value)
        if binding is None or not binding.scope.is_function:
            return False
        found = definition(source, binding)
        return found is not None and found[0] is node and escape(source, binding) is None
    return isinstance(node, _NAMELESS)


EXAMPLES: list[Example] = [
    (
        "def f(x):\n    def g(y): return y\n    return g(x)\n",
        {"style": "generic"},
        "def f(x):\n    def func_1(y): return y\n    return func_1(x)\n",
    ),
    (
        "def _f(x): return x\n_f(1)\n",
        {"style": "generic", "private": True},
        "def _func_1(x): return x\n_func_1(1)\n",
    ),
    (
        "def f(x):\n    def g(y): return -y\n    return sorted(x, key=g)\n",
        {"style": "generic"},
        "def f(x):\n    def func_1(y): return -y\n    return sorted(x, key=func_1)\n",
    ),
    (
        "def f(x):\n    def g(y): return sum(-z for z in y)\n    return g(x)\n",
        {"style": "generic"},
        "def f(x):\n    def func_1(y): return sum(-z for z in y)\n    return func_1(x)\n",
    ),
    (
        "def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\nprint(list(map(fib, [9])))\n",
        {"style": "generic", "world": "closed"},
        "def func_1(n):\n    return n if n < 2 else func_1(n - 1) + func_1(n - 2)\n"
        "print(list(map(func_1, [9])))\n",
    ),
    (
        'def fib(n):\n    """The n-th number: fib(1) is 1."""\n    return n\n',
        {"style": "generic", "world": "closed", "documentation": "follow"},
        'def func_1(n):\n    """The n-th number: func_1(1) is 1."""\n    return n\n',
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("def f(a):\n    return a\n", {}, "public"),
    ("def _f(a):\n    return a\n", {}, "public"),
    ("def _f(x): return x\nprint('_f')\n", {"private": True}, "named_elsewhere"),
    ("class A:\n    def f(self):\n        return self\n", {}, ""),
    ("def f():\n    def g(): return 1\n    return g\n", {}, "escapes"),
    ("def f():\n    @d\n    def g(): return 1\n    return g()\n", {}, "decorated"),
    ("from log import name\ndef f():\n    def g(): name(f_back=1)\n    return g()\n", {}, "tracebacks"),
    ("def f():\n    def g(): pass\n    try: g(1)\n    except TypeError as e: print(e)\n", {}, "error_texts"),
    ("def f():\n    def g(): yield 1\n    return g()\n", {}, "shows_its_name"),
    ("def f():\n    def g(): return lambda: 1\n    return g()\n", {}, "shows_its_name"),
    ("def f(x):\n    def g(): return iter(y for y in x)\n    return g()\n", {}, "shows_its_name"),
    ("def f(a):\n    return a\nprint(f.__name__)\n", {"world": "closed"}, "shows_its_name"),
    ("def f(a):\n    return a\nprint(globals()['f'])\n", {"world": "closed"}, "namespace"),
    ("def f(a):\n    return a\nrun('f(1)')\n", {"world": "closed"}, "named_elsewhere"),
    ("def f(a): return a\ntry: f()\nexcept TypeError as e: print(e)\n", {"world": "closed"}, "error_texts"),
    ("def f(self):\n    return self.f()\n", {"world": "closed"}, "receiver"),
    ("@d\ndef f(a):\n    return a\n", {"world": "closed"}, "decorated"),
    ("def f(a):\n    return eval(a)\n", {"world": "closed"}, "namespace"),
]
