"""What may be renamed where everything that uses a text is at hand: all of its names, with a few exceptions.

def add(first, by=1): return first + by        def sum_up(item, step=1): return item + step
add(2, by=3)                              ->   sum_up(2, step=3)

A keyword is renamed along with the parameter that it means; where a call may mean one and doesn't say so, the
parameter stays. What sees names by other ways (signatures, `__name__`, strings) keeps them, too.
"""

import builtins
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, cast

import libcst as cst

from transformers_py.sites.callers import definition, lambda_escape
from transformers_py.sites.error_texts import OF_CALLS, OF_VARIABLES, are_looked_at
from transformers_py.sites.renamable import Places
from transformers_py.source import Source, kept
from transformers_py.source.cpython import words
from transformers_py.source.scopes import STACK_WORDS, Binding

World = Literal["open", "closed"]
Documentation = Literal["keep", "follow"]

REASONS = {
    "decorated": "a decorator may call the function by keyword or look at it",
    "import": "it is the name of what is imported",
    "named_elsewhere": "a string, a comment or an attribute spells it",
    "overrides": "its method may stand for one of another text, which is called by keyword",
    "receiver": "it is self or cls by convention, or a method's own name",
    "shows_its_name": "something here looks at the names of functions",
    "signatures": "something here looks at the names of parameters",
    "unknown_call": "a call that may mean this function gives a keyword of this name, or any by **",
}

SIGNATURE_WORDS = frozenset(
    """
    signature getfullargspec getargspec getcallargs Parameter Signature BoundArguments varargs varkw autospec
    __annotations__ get_annotations get_type_hints __defaults__ __kwdefaults__ __signature__
    getsource getsourcelines findsource getblock
    """.split()  # noqa: SIM905
)
_NAME_ATTRIBUTES = frozenset(["__name__", "__qualname__", "func_name", "co_name", "co_qualname"])
_NAME_WORDS = STACK_WORDS | frozenset(
    """
    funcName traceback __traceback__ doctest getsource getsourcelines findsource getblock
    """.split()  # noqa: SIM905
)
_PASSED_ON = frozenset(["kwargs", "kwds", "keywords", "kw"])
"""Keywords by which a library is handed keywords for a function."""
_BUILTINS = frozenset(dir(builtins)) - {"dict", "type"}
"""Builtins but those that give their keywords to others."""


@dataclass(slots=True)
class _Calls:
    """Arguments that are given by keyword, and those given by **: indices of their Arg nodes."""

    named: dict[str, list[int]] = field(default_factory=dict)
    spread: list[int] = field(default_factory=list)


def check(style: str, world: World, documentation: Documentation) -> None:
    """Raises ValueError where documentation can't follow."""
    if documentation == "follow" and world == "open":
        raise ValueError("documentation: follow needs world: closed")
    if documentation == "follow" and style == "swap":
        raise ValueError("documentation: follow needs new names, and style: swap makes none")


def places(world: World, documentation: Documentation) -> Places:
    """Where a binding is spelt besides its names: nowhere in an open world."""

    def also(source: Source, binding: Binding) -> list[tuple[int, int]]:
        if world == "open":
            return []
        found = keywords(source, binding)
        return found + (_documented(source, binding) if documentation == "follow" else [])

    return also


def keywords(source: Source, binding: Binding) -> list[tuple[int, int]]:
    """(start, end) of the keywords of calls that mean a parameter."""
    return [(source.inner_starts[i], source.inner_ends[i]) for i in _keywords(source, binding)]


def function_refusal(source: Source, binding: Binding) -> str | None:
    """Why a function keeps its name although all its callers are here, or None."""
    if binding.kinds - {"function", "global"}:
        return "import" if binding.kinds & {"import", "import_as"} else "bound_twice"
    found = definition(source, binding)
    if found is None:
        return "bound_twice"
    node, _ = found
    if node.decorators:
        return "decorated"
    if _receiver(node.params) and (len(binding.names) > 1 or binding.name in source.scoping.attributes):
        return "receiver"
    return _outer_refusal(source, binding) or _shown(source) or _told_by_errors(source)


def variable_refusal(source: Source, binding: Binding) -> str | None:
    """Why a variable of the module keeps its name although all that uses it is here; "" for functions."""
    if binding.kinds & {"function", "class"}:
        return "definition" if "class" in binding.kinds else ""
    if "import" in binding.kinds:
        return "import"
    return _outer_refusal(source, binding) or _told_by_errors(source)


def parameter_refusal(source: Source, binding: Binding) -> str | None:
    """Why a parameter keeps its name although all calls of its function are here, or None."""
    scope = binding.scope
    node = cast(cst.FunctionDef | cst.Lambda, source.nodes[scope.node])
    if isinstance(node, cst.FunctionDef) and node.decorators:
        return "decorated"
    if binding.name in ("self", "cls"):
        return "receiver"
    if not SIGNATURE_WORDS.isdisjoint(source.words):
        return "signatures"
    if not _is_keyword(node.params, binding.name):
        taken = binding.name in _calls(source).named and not is_starred(node.params, binding.name)
        return "unknown_call" if taken else None
    if isinstance(node, cst.FunctionDef) and scope.parent is not None and scope.parent.kind == "class":
        around = cast(cst.ClassDef, source.nodes[scope.parent.node])
        if any(arg.star or not _is_own_base(source, arg) for arg in around.bases) or around.keywords:
            return "overrides"
    return "unknown_call" if _may_be_named(source, binding) else _told_by_errors(source)


def _keywords(source: Source, binding: Binding) -> list[int]:
    """The keywords of calls that mean a parameter: indices of their Name nodes."""
    node = source.nodes[binding.scope.node]
    if "parameter" not in binding.kinds or not isinstance(node, cst.FunctionDef):
        return []
    if not _is_keyword(node.params, binding.name):
        return []
    function = _only_function(source, binding)
    calls = set(_direct_calls(source, function)) if function is not None else set()
    found = [i for i in _calls(source).named.get(binding.name, ()) if source.parents[i] in calls]
    return [_keyword_name(source, i) for i in found]


def _documented(source: Source, binding: Binding) -> list[tuple[int, int]]:
    """Where docstrings spell a name: a parameter's own function's, or any for other names."""
    own = binding.scope.node if "parameter" in binding.kinds else -1
    found: list[tuple[int, int]] = []
    pattern = _as_word(binding.name)
    for start, end, owner in _docstrings(source):
        if own in (-1, owner):
            found += [match.span() for match in pattern.finditer(source.text, start, end)]
    return found


def _as_word(name: str) -> re.Pattern[str]:
    """A name as a word, not behind a backslash or an apostrophe; `a` only where it is no article."""
    article = r"(?!\s+[^\W\d])" if name in ("a", "A", "I") else ""
    return re.compile(rf"(?<![\\\w])(?<![^\W\d]['’]){re.escape(name)}(?!\w){article}")


def _outer_refusal(source: Source, binding: Binding) -> str | None:
    """Why a name may be reached by its spelling; only those of a module can be."""
    if binding.scope.kind != "module":
        return None
    if source.scoping.namespace_problem:
        return source.scoping.namespace_problem
    if _uses_main(source):
        return "namespace"
    if binding.name in _words_of_strings(source):
        return "named_elsewhere"
    return "class_body" if binding.name in _class_names(source) else None


@kept
def _uses_main(source: Source) -> bool:
    return any("__main__" in scope.uses for scope in source.scopes)


@kept
def _class_names(source: Source) -> frozenset[str]:
    """All names that are bound in classes."""
    return frozenset(name for scope in source.scopes if scope.kind == "class" for name in scope.bindings)


@kept
def _times_bound(source: Source) -> Counter[str]:
    """In how many scopes each name is bound."""
    return Counter(name for scope in source.scopes for name in scope.bindings)


def _shown(source: Source) -> str | None:
    seen = _NAME_ATTRIBUTES & source.scoping.attributes or _NAME_WORDS & source.words
    return "shows_its_name" if seen or {"inspect", "stack"} <= source.words else None


def _told_by_errors(source: Source) -> str | None:
    return "error_texts" if are_looked_at(source, (*OF_VARIABLES, *OF_CALLS)) else None


def _may_be_named(source: Source, binding: Binding) -> bool:
    """Whether a call that isn't known to be another function's may give the parameter by its name."""
    calls = _calls(source)
    function = _only_function(source, binding)
    direct = set(_direct_calls(source, function)) if function is not None else set()
    if any(source.parents[i] in direct for i in calls.spread):
        return True
    if not _escapes(source, binding, function, direct):
        return False
    handed = [i for keyword in sorted(_PASSED_ON) for i in calls.named.get(keyword, ())]
    others = [*calls.named.get(binding.name, ()), *calls.spread, *handed]
    return any(source.parents[i] not in direct and not _is_builtin_call(source, i) for i in others)


def _escapes(source: Source, binding: Binding, function: Binding | None, direct: set[int]) -> bool:
    if isinstance(source.nodes[binding.scope.node], cst.Lambda):
        return lambda_escape(source, binding.scope, binding.name) is not None
    return function is None or len(direct) + 1 < len(function.names)


def _only_function(source: Source, parameter: Binding) -> Binding | None:
    """The name of a parameter's function, if nothing else in the text has this name."""
    node, scope = source.nodes[parameter.scope.node], parameter.scope.parent
    if not isinstance(node, cst.FunctionDef) or scope is None or scope.kind == "class":
        return None
    found = scope.resolved.get(node.name.value)
    if found is None or found.kinds != {"function"}:
        return None
    bound = _times_bound(source)[found.name]
    parents = ((source.nodes[source.parents[i]], source.nodes[i]) for i in found.names)
    defined = sum(isinstance(parent, cst.FunctionDef) and parent.name is name for parent, name in parents)
    return found if bound == defined == 1 else None


def _direct_calls(source: Source, function: Binding) -> Iterator[int]:
    for i in function.names:
        parent = source.nodes[source.parents[i]]
        if isinstance(parent, cst.Call) and parent.func is source.nodes[i]:
            yield source.parents[i]


def _is_builtin_call(source: Source, argument: int) -> bool:
    """Whether an argument is given to a builtin that keeps it for itself."""
    call = source.nodes[source.parents[argument]]
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Name):
        return False
    return call.func.value in _BUILTINS and not _times_bound(source)[call.func.value]


@kept
def _calls(source: Source) -> _Calls:
    found = _Calls()
    for i, node in enumerate(source.nodes):
        if not isinstance(node, cst.Arg):
            continue
        if node.keyword is not None:
            found.named.setdefault(node.keyword.value, []).append(i)
        elif node.star == "**":
            found.spread.append(i)
    return found


def _keyword_name(source: Source, argument: int) -> int:
    node = cast(cst.Arg, source.nodes[argument])
    return next(i for i in range(argument + 1, source.lasts[argument]) if source.nodes[i] is node.keyword)


@kept
def _words_of_strings(source: Source) -> frozenset[str]:
    """The words of all strings but those that are statements."""
    found: set[str] = set()
    for i, node in enumerate(source.nodes):
        if isinstance(node, (cst.SimpleString, cst.FormattedStringText)):
            parent = source.nodes[source.parents[i]]
            if not isinstance(parent, cst.Expr):
                found.update(words(source.text[source.starts[i] : source.ends[i]]))
    return frozenset(found)


@kept
def _docstrings(source: Source) -> list[tuple[int, int, int]]:
    """(start, end, index of the definition) of all docstrings without named characters."""
    found: list[tuple[int, int, int]] = []
    for i, node in enumerate(source.nodes):
        value = _docstring(node)
        if value is None:
            continue
        k = next(k for k in range(i + 1, source.lasts[i]) if source.nodes[k] is value)
        if r"\N" not in source.text[source.starts[k] : source.ends[k]]:
            found.append((source.starts[k], source.ends[k], i))
    return found


def _docstring(node: cst.CSTNode) -> cst.SimpleString | cst.ConcatenatedString | None:
    if not isinstance(node, (cst.Module, cst.ClassDef, cst.FunctionDef)):
        return None
    statements = node.body if isinstance(node, cst.Module) else node.body.body
    first = next(iter(statements), None)
    small = first.body[0] if isinstance(first, cst.SimpleStatementLine) else first
    value = small.value if isinstance(small, cst.Expr) else None
    if isinstance(value, (cst.SimpleString, cst.ConcatenatedString)) and isinstance(
        value.evaluated_value, str
    ):
        return value
    return None


def _receiver(params: cst.Parameters) -> bool:
    first = next(iter((*params.posonly_params, *params.params)), None)
    return first is not None and first.name.value in ("self", "cls")


def _is_keyword(params: cst.Parameters, name: str) -> bool:
    """Whether callers can give a parameter by its name."""
    return any(p.name.value == name for p in (*params.params, *params.kwonly_params))


def is_starred(params: cst.Parameters, name: str) -> bool:
    """Whether a parameter takes the rest of the arguments."""
    rest = (params.star_arg, params.star_kwarg)
    return any(isinstance(p, cst.Param) and p.name.value == name for p in rest)


def _is_own_base(source: Source, arg: cst.Arg) -> bool:
    return isinstance(arg.value, cst.Name) and arg.value.value == "object"
