"""Renames parameters that nobody else can name or see: `def f(x, /): ...` in a function, or `lambda x: ...`.

def f(rows): return sorted(rows, key=lambda r: r.id)  ->  def f(rows): return sorted(rows, key=lambda v: v.id)

Whoever has a function can ask for its signature: frameworks look for a parameter called `kwargs`, or hand
over what a signature names. So by default only functions that never leave the text are touched: lambdas and
inner functions whose every use is a call, here or by `sorted`, `map`, `re.sub` and the like; keywords of
these calls follow.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from random import Random

import libcst as cst

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites import closed_world, private_methods, renamable
from transformers_py.sites.callers import definition, escape, is_private, lambda_escape, named_in_strings
from transformers_py.sites.closed_world import Documentation, World
from transformers_py.sites.new_names import Style
from transformers_py.source import Source
from transformers_py.source.edits import Refusals, Site
from transformers_py.source.scopes import Binding, NameScope

VERSION = 11
PRESERVES = "names"
RENAMES = "parameter"
REASONS = {
    "annotated": "its name is a key of __annotations__",
    "decorated": "a decorator may call the function by keyword or look at it",
    "keyword_only": "callers can give it by name alone",
    "named_elsewhere": "a string, a comment or an attribute spells it, too",
    "signature": "whoever has the function sees it in its signature",
    "public": "callers that can't be seen may name it",
    "receiver": "it is self or cls by convention, or a method's own name",
}

_SIGNATURES = closed_world.SIGNATURE_WORDS | frozenset(
    ["parameters", "arguments", "varkwargs", "formatargspec", "create_autospec"]
)


_SPELT = frozenset(["annotated", "keyword_call", "keyword_only"])


@dataclass(frozen=True, kw_only=True)
class Options:
    """`style`: how new names are made, `keep_tokens` with as many subwords as the old ones, the last six as a
    form of the old one, which not every name has; `private`: also for module-level functions like `_f`, and
    methods like `self._f` of classes whose bases are builtins or in the text; `stars`: also `*args`,
    `**kwargs` and positional-only parameters of functions that others have, where this text asks for no
    signatures (programs elsewhere may); `world`: all parameters, with the keywords that mean them, if it is
    closed, where all that uses the text is in it; then `documentation` can follow the new names, in a class
    of its own.
    """

    style: Style = "pseudo"
    private: bool = False
    stars: bool = False
    world: World = "open"
    documentation: Documentation = "keep"

    def __post_init__(self) -> None:
        closed_world.check(self.style, self.world, self.documentation)


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Positional-only and starred parameters, and all where every call is known and by position."""

    together: set[int] = set()
    """Scope and name of parameters that are proved with the keywords and annotations that spell them."""

    def wanted(source: Source, binding: Binding) -> str | None:
        if not binding.scope.is_function or "parameter" not in binding.kinds:
            return ""
        if options.world == "closed":
            return closed_world.parameter_refusal(source, binding)
        reason = _refusal(source, binding, options)
        if reason not in _SPELT or options.style == "swap":
            return reason
        if _seen_problem(source, binding, None, options.private) is not None:
            return reason
        if closed_world.parameter_refusal(source, binding) is not None:
            return reason
        together.add(id(binding))
        return None

    def also(source: Source, binding: Binding) -> Sequence[tuple[int, int]]:
        if id(binding) in together:
            return closed_world.keywords(source, binding)
        return closed_world.places(options.world, options.documentation)(source, binding)

    bindings, refused = renamable.choose(source, wanted)
    found = renamable.sites(source, bindings, options.style, also)
    if together:
        found = [
            replace(site, closed=id(binding) in together)
            for site, binding in zip(found, bindings, strict=True)
        ]
    return found, refused


def draw(
    source: Source, options: Options, sites: Sequence[Site], rng: Random, taken: Collection[str]
) -> list[str | None]:
    """New names, all different."""
    return renamable.draw(source, sites, options.style, "arg", rng, taken)


def _refusal(source: Source, binding: Binding, options: Options) -> str | None:
    """Why a parameter keeps its name; one of `_SPELT` if only calls or annotations here spell it, perhaps."""
    node = source.nodes[binding.scope.node]
    assert isinstance(node, (cst.Lambda, cst.FunctionDef))
    keyword_only = _is_keyword_only(node.params, binding.name)
    if isinstance(node, cst.Lambda):
        return "keyword_only" if keyword_only else lambda_escape(source, binding.scope, binding.name)
    if _is_method(binding.scope) and private_methods.receives(source, node, binding.name):
        return "receiver" if options.private else "public"
    if node.decorators and not (_is_method(binding.scope) and private_methods.keeps_signature(source, node)):
        return "decorated"
    if keyword_only:
        return "keyword_only"
    if any(_is_annotated(source, i) for i in binding.names):
        return "annotated"
    unreachable = _is_unreachable(node.params, binding.name)
    problem = _seen_problem(source, binding, None if unreachable else binding.name, options.private)
    if problem is None or not unreachable:
        return problem
    if not options.stars or not _SIGNATURES.isdisjoint(source.words):
        return "signature"
    return "named_elsewhere" if named_in_strings(source, binding.name) else None


def _is_method(scope: NameScope) -> bool:
    return scope.parent is not None and scope.parent.kind == "class"


def _seen_problem(source: Source, binding: Binding, named: str | None, private: bool) -> str | None:
    """Why others may have a parameter's function; None if it is only called, only here, and no call may give
    the parameter `named` by its name."""
    node, around = source.nodes[binding.scope.node], binding.scope.parent
    if not isinstance(node, cst.FunctionDef) or around is None:
        return "escapes"
    function = around.resolved.get(node.name.value)
    if function is None:
        return "public"
    found = definition(source, function)
    if function.scope.is_function:
        return "bound_twice" if found is None or found[0] is not node else escape(source, function, named)
    if not private or (function.scope.kind == "module" and not is_private(function)):
        return "public"
    if not _SIGNATURES.isdisjoint(source.words):
        return "signature"
    if found is None or found[0] is not node:
        return "bound_twice"
    if function.scope.kind == "class":
        return private_methods.escape(source, function, named)
    return "public" if named_in_strings(source, function.name) else escape(source, function, named)


def _is_unreachable(params: cst.Parameters, name: str) -> bool:
    """Whether a parameter is positional-only or takes the rest."""
    by_place = any(p.name.value == name for p in params.posonly_params)
    return by_place or closed_world.is_starred(params, name)


def _is_keyword_only(params: cst.Parameters, name: str) -> bool:
    """Callers give it by its name, and its default is kept under that name."""
    return any(p.name.value == name for p in params.kwonly_params)


def _is_annotated(source: Source, i: int) -> bool:
    """Whether a parameter's name is also a key of `__annotations__`."""
    param = source.nodes[source.parents[i]]
    return isinstance(param, cst.Param) and param.name is source.nodes[i] and param.annotation is not None


EXAMPLES: list[Example] = [
    (
        "def f(x):\n    def g(y): return x + y\n    return g(x)\n",
        {"style": "generic"},
        "def f(x):\n    def g(arg_1): return x + arg_1\n    return g(x)\n",
    ),
    (
        "y = sorted(z, key=lambda a: a.b)\n",
        {"style": "generic"},
        "y = sorted(z, key=lambda arg_1: arg_1.b)\n",
    ),
    (
        "def _f(x): return x\n_f(1)\n",
        {"style": "generic", "private": True},
        "def _f(arg_1): return arg_1\n_f(1)\n",
    ),
    (
        "class A:\n    def f(self): return self._g(1)\n    def _g(self, x): return x\n",
        {"style": "generic", "private": True},
        "class A:\n    def f(self): return self._g(1)\n    def _g(self, arg_1): return arg_1\n",
    ),
    (
        "def f():\n    def g(a: int, *, by: int = 1): return a + by\n    return g(2, by=3)\n",
        {"style": "generic"},
        "def f():\n    def g(arg_1: int, *, arg_2: int = 1): return arg_1 + arg_2\n"
        "    return g(2, arg_2=3)\n",
    ),
    (
        "def f(x):\n    def g(a, b): return a - b\n    return g(x, 1)\n",
        {"style": "swap"},
        "def f(x):\n    def g(b, a): return b - a\n    return g(x, 1)\n",
    ),
    (
        "def f(x):\n    def g(*a, **b): return a, b\n    return g(*x, y=1)\n",
        {"style": "generic"},
        "def f(x):\n    def g(*arg_1, **arg_2): return arg_1, arg_2\n    return g(*x, y=1)\n",
    ),
    (
        "import re\ndef f(x):\n    def g(m): return m[0]\n    return re.sub('a', g, x)\n",
        {"style": "generic"},
        "import re\ndef f(x):\n    def g(arg_1): return arg_1[0]\n    return re.sub('a', g, x)\n",
    ),
    (
        "def f(*args, **kwargs):\n    return g(*args, **kwargs)\n",
        {"style": "generic", "stars": True},
        "def f(*arg_1, **arg_2):\n    return g(*arg_1, **arg_2)\n",
    ),
    (
        "def f(a, /, b):\n    return a\n",
        {"style": "generic", "stars": True},
        "def f(arg_1, /, b):\n    return arg_1\n",
    ),
    (
        "def f(a: int, *, by: int = 1) -> int: return a + by\nf(2, by=3)\nprint(f)\n",
        {"style": "generic", "world": "closed"},
        "def f(arg_1: int, *, arg_2: int = 1) -> int: return arg_1 + arg_2\nf(2, arg_2=3)\nprint(f)\n",
    ),
    (
        'def f(n):\n    """Twice n, a nice number."""\n    return n + n\n',
        {"style": "generic", "world": "closed", "documentation": "follow"},
        'def f(arg_1):\n    """Twice arg_1, a nice number."""\n    return arg_1 + arg_1\n',
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("def f(a):\n    return a\n", {}, "public"),
    ("def f(*args, **kwargs):\n    return g(*args, **kwargs)\n", {}, "signature"),
    ("def f(a, /, b):\n    return a\n", {}, "signature"),
    ("from inspect import signature\ndef f(*a): return a\nsignature(f)\n", {"stars": True}, "signature"),
    ("def f(*rest): return rest\nprint('rest')\n", {"stars": True}, "named_elsewhere"),
    ("def f(x, sorted):\n    return sorted(x, key=lambda a: a)\n", {}, "escapes"),
    ("class A:\n    def f(self, a):\n        return a\n", {}, "public"),
    ("def f(d):\n    def g(a): return a\n    return g(**d)\n", {}, "keyword_call"),
    ("def f():\n    def g(a, b): return a - b\n    return g(a=1, b=2)\n", {"style": "swap"}, "keyword_call"),
    ("def f():\n    def g(a): return a\n    return g\n", {}, "escapes"),
    ("def f(*a: int):\n    return a\n", {}, "annotated"),
    ("def f():\n    def g(*, a=1): return a\n    return g\n", {}, "keyword_only"),
    ("class A(B):\n    def _f(self, a): return a\nA()._f(1)\n", {"private": True}, "overrides"),
    ("class A:\n    def _f(self, a): return a\nA()._f(a=1)\n", {"private": True}, "keyword_call"),
    ("class A:\n    def _f(self, a): return a\nA._f\n", {"private": True}, "escapes"),
    ("class A:\n    def _f(this): return this\nA()._f()\n", {"private": True}, "receiver"),
    ("f = sorted(x, key=lambda *, a=1: a)\n", {}, "keyword_only"),
    ("@d\ndef f(*a):\n    return a\n", {}, "decorated"),
    ("g(key=lambda a: a)\n", {}, "escapes"),
    ("def _f(a): return a\n_f(1)\n", {}, "public"),
    ("def f(a): return a\nd = dict(a=1)\nprint(f(**d))\n", {"world": "closed"}, "unknown_call"),
    ("def f(a): return a\ng = f\nprint(g(a=1))\n", {"world": "closed"}, "unknown_call"),
    ("def f(a, /, **_): return a, _\nf(1, a=2)\n", {"world": "closed"}, "unknown_call"),
    ("def f(a): return a\nshow(f, kwargs={'a': 1})\n", {"world": "closed"}, "unknown_call"),
    ("def f(a): return a\nprint(signature(f))\n", {"world": "closed"}, "signatures"),
    ("def f(self): return self\n", {"world": "closed"}, "receiver"),
    ("def f(a): return a\ntry: f()\nexcept TypeError as e: print(e)\n", {"world": "closed"}, "error_texts"),
    ("class A(B):\n    def f(self, a): return a\n", {"world": "closed"}, "overrides"),
]
