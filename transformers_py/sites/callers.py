"""Whether every call of a function is known: what may rename its parameters, or itself, has to be sure.

def f(a):
    def g(b): return b      <- g is only called, here, by position: its parameter b is nobody else's
    business return g(a)
"""

import re
from typing import cast

import libcst as cst

from transformers_py.source import Source
from transformers_py.source.scopes import Binding, NameScope

_CALLERS = {"sorted": "key", "min": "key", "max": "key", "map": None, "filter": None}
"""Builtins that call a function by position alone -> the keyword that gives it; None: it comes first."""
REASONS = {
    "bound_twice": "it is defined or assigned more than once",
    "escapes": "the function is used for more than calling it, so a caller may name it",
    "keyword_call": "a call names it",
}


def escape(source: Source, binding: Binding, *, by_position: bool) -> str | None:
    """Why a function's name may be used for more than calling it, or None.

    `by_position`: calls with keywords count as escapes, too.
    """
    if binding.kinds != {"function"} or _definitions(source, binding) != 1:
        return "bound_twice"
    for i in binding.names:
        parent = source.nodes[source.parents[i]]
        if isinstance(parent, cst.FunctionDef) and parent.name is source.nodes[i]:
            continue
        if not (isinstance(parent, cst.Call) and parent.func is source.nodes[i]):
            return "escapes"
        if by_position and not _is_positional(parent):
            return "keyword_call"
    return None


def definition(source: Source, binding: Binding) -> tuple[cst.FunctionDef, int] | None:
    """The one `def` of a binding and its index, or None."""
    for i in binding.names:
        parent = source.parents[i]
        node = source.nodes[parent]
        if isinstance(node, cst.FunctionDef) and node.name is source.nodes[i]:
            return node, parent
    return None


def named_in_strings(source: Source, name: str) -> bool:
    """Whether a word also stands in strings, comments or attributes, and not only where it is a name."""
    spelt = sum(len(scope.uses.get(name, ())) for scope in source.scopes)
    return len(re.findall(rf"\b{re.escape(name)}\b", source.text)) != spelt


def is_private(binding: Binding) -> bool:
    """A module-level name with one leading underscore."""
    return (
        binding.scope.kind == "module" and binding.name.startswith("_") and not binding.name.startswith("__")
    )


def lambda_escape(source: Source, scope: NameScope) -> str | None:
    """Why a lambda may be called by keyword; None if at once, by a builtin or through a local name."""
    node = cast(cst.Lambda, source.nodes[scope.node])
    parent_index = source.parents[scope.node]
    parent = source.nodes[parent_index]
    if isinstance(parent, cst.Call) and parent.func is node:
        return None if _is_positional(parent) else "keyword_call"
    if isinstance(parent, cst.Arg):
        call = source.nodes[source.parents[parent_index]]
        return (
            None
            if isinstance(call, cst.Call) and _is_builtin_caller(source, call, parent, scope)
            else "escapes"
        )
    if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
        return _assigned_escape(source, parent, scope)
    return "escapes"


def _assigned_escape(source: Source, assign: cst.Assign, scope: NameScope) -> str | None:
    target = assign.targets[0].target
    around = scope.parent
    if not isinstance(target, cst.Name) or around is None or not around.is_function:
        return "escapes"
    binding = around.resolved.get(target.value)
    if binding is None or binding.kinds != {"variable"} or binding.scope is not around:
        return "escapes"
    for i in binding.names:
        name, parent = source.nodes[i], source.nodes[source.parents[i]]
        if name is target:
            continue
        if not (isinstance(parent, cst.Call) and parent.func is name):
            return "escapes"
        if not _is_positional(parent):
            return "keyword_call"
    return None


def _is_builtin_caller(source: Source, call: cst.Call, argument: cst.Arg, scope: NameScope) -> bool:
    if not isinstance(call.func, cst.Name) or call.func.value not in _CALLERS:
        return False
    name = call.func.value
    if scope.parent is None or name in scope.parent.resolved or name in source.scopes[0].bindings:
        return False
    keyword = _CALLERS[name]
    if keyword is None:
        return call.args[0] is argument and argument.keyword is None
    return argument.keyword is not None and argument.keyword.value == keyword


def _definitions(source: Source, binding: Binding) -> int:
    parents = (source.nodes[source.parents[i]] for i in binding.names)
    return sum(isinstance(p, cst.FunctionDef) and p.name.value == binding.name for p in parents)


def _is_positional(call: cst.Call) -> bool:
    return all(arg.keyword is None and arg.star != "**" for arg in call.args)
