"""Whether every call of a function is known: what may rename its parameters, or itself, has to be sure.

def f(a):
    def g(b): return b      <- g is only called, here, by position: its parameter b is nobody else's
    business return g(a)
"""

from collections import Counter

import libcst as cst

from transformers_py.sites.error_texts import OF_CALLS, are_looked_at
from transformers_py.source import Source, kept
from transformers_py.source.scopes import Binding, NameScope

_CALLERS: dict[str, tuple[int | None, str, int]] = {
    "sorted": (None, "key", 1),
    "min": (None, "key", 1),
    "max": (None, "key", 1),
    "map": (0, "", -1),
    "filter": (0, "", 1),
    "functools.reduce": (0, "", 2),
    "functools.cmp_to_key": (0, "mycmp", 2),
    "itertools.accumulate": (1, "func", 2),
    "itertools.dropwhile": (0, "", 1),
    "itertools.filterfalse": (0, "", 1),
    "itertools.groupby": (1, "key", 1),
    "itertools.starmap": (0, "", -1),
    "itertools.takewhile": (0, "", 1),
    "heapq.merge": (None, "key", 1),
    "heapq.nlargest": (2, "key", 1),
    "heapq.nsmallest": (2, "key", 1),
    "re.sub": (1, "repl", 1),
    "re.subn": (1, "repl", 1),
    "bisect.bisect": (None, "key", 1),
    "bisect.bisect_left": (None, "key", 1),
    "bisect.bisect_right": (None, "key", 1),
    "bisect.insort": (None, "key", 1),
    "bisect.insort_left": (None, "key", 1),
    "bisect.insort_right": (None, "key", 1),
    "list.sort": (None, "key", 1),
    "re.Pattern.sub": (0, "repl", 1),
    "re.Pattern.subn": (0, "repl", 1),
}
"""What calls a function by position alone -> the function's place and keyword, and with how many arguments;
-1 where that isn't known."""
_MAKERS = {"list": "list", "sorted": "list", "re.compile": "re.Pattern"}
"""What gives objects whose methods call functions by position alone -> their type."""
REASONS = {
    "bound_twice": "it is defined or assigned more than once",
    "escapes": "the function is used for more than calling it, so a caller may name it",
    "keyword_call": "a call names it",
}


def escape(source: Source, binding: Binding, named: str | None = None) -> str | None:
    """Why a function's name may be used for more than calling it, or None.

    A call that may give the parameter `named` by its name counts as an escape, too.
    """
    if binding.kinds != {"function"} or _definitions(source, binding) != 1:
        return "bound_twice"
    found = definition(source, binding)
    assert found is not None
    for i in binding.names:
        if source.nodes[i] is not found[0].name:
            problem = use_problem(source, i, found[0].params, named)
            if problem:
                return problem
    return None


def use_problem(source: Source, i: int, params: cst.Parameters, named: str | None) -> str | None:
    """Why a use of a function may be more than a call, or being handed to what calls it by position.

    A call that may not fit its parameters is a problem where the text of the error is looked at.
    """
    node, k = source.nodes[i], source.parents[i]
    parent = source.nodes[k]
    if isinstance(parent, cst.Call) and parent.func is node:
        if named is not None and not _is_given_otherwise(parent, params, named):
            return "keyword_call"
        given = -1 if any(arg.keyword or arg.star for arg in parent.args) else len(parent.args)
    else:
        caller = _known_caller(source, k)
        if caller is None:
            return "escapes"
        given = caller[2]
    return "error_texts" if not _fits(params, given) and are_looked_at(source, OF_CALLS) else None


def _fits(params: cst.Parameters, given: int) -> bool:
    """Whether so many arguments by position are as many as the parameters take."""
    by_place = [*params.posonly_params, *params.params]
    needed = sum(param.default is None for param in by_place)
    if any(param.default is None for param in params.kwonly_params):
        return False
    return needed <= given and (given <= len(by_place) or isinstance(params.star_arg, cst.Param))


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
    return source.word_counts[name] != spelt(source)[name]


@kept
def spelt(source: Source) -> Counter[str]:
    """How often each name is spelt where it is a name."""
    found: Counter[str] = Counter()
    for scope in source.scopes:
        found.update({name: len(places) for name, places in scope.uses.items()})
    return found


def is_private(binding: Binding) -> bool:
    """A module-level name with one leading underscore."""
    return (
        binding.scope.kind == "module" and binding.name.startswith("_") and not binding.name.startswith("__")
    )


def lambda_escape(source: Source, scope: NameScope, named: str | None) -> str | None:
    """Why a lambda may be used for more than calling it, or called with its parameter `named` by name; None
    if it is called at once, by a builtin or through a local name."""
    node, parent = source.nodes[scope.node], source.nodes[source.parents[scope.node]]
    assert isinstance(node, cst.Lambda)
    if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
        return _assigned_escape(source, parent, scope, named)
    return use_problem(source, scope.node, node.params, named)


def _assigned_escape(source: Source, assign: cst.Assign, scope: NameScope, named: str | None) -> str | None:
    target = assign.targets[0].target
    params = cst.ensure_type(source.nodes[scope.node], cst.Lambda).params
    around = scope.parent
    if not isinstance(target, cst.Name) or around is None or not around.is_function:
        return "escapes"
    binding = around.resolved.get(target.value)
    if binding is None or binding.kinds != {"variable"} or binding.scope is not around:
        return "escapes"
    for i in binding.names:
        problem = None if source.nodes[i] is target else use_problem(source, i, params, named)
        if problem:
            return problem
    return None


def _known_caller(source: Source, k: int) -> tuple[int | None, str, int] | None:
    """The entry of `sorted`, `re.sub` and the like if an argument is the function that they call."""
    argument, call = source.nodes[k], source.nodes[source.parents[k]]
    if not isinstance(argument, cst.Arg) or not isinstance(call, cst.Call) or argument.star:
        return None
    caller = _CALLERS.get(_method(source, call) or called(source, call))
    if caller is None or argument.keyword is not None:
        return caller if caller and argument.keyword and argument.keyword.value == caller[1] else None
    place = call.args.index(argument)
    plain = all(arg.keyword is None and not arg.star for arg in call.args[:place])
    return caller if plain and place == caller[0] else None


def _method(source: Source, call: cst.Call) -> str:
    """The method that a call of `rows.sort` or `PATTERN.sub` means, "list.sort"; "" where it isn't sure."""
    function = call.func
    if not isinstance(function, cst.Attribute) or function.attr.value not in ("sort", "sub", "subn"):
        return ""
    owner = function.value
    kind = _made(source, owner) or (_kept_in(source, owner) if isinstance(owner, cst.Name) else "")
    return f"{kind}.{function.attr.value}" if kind else ""


def _made(source: Source, node: cst.BaseExpression | None) -> str:
    """The type of what an expression makes anew, as `_MAKERS` has it, or ""."""
    if isinstance(node, (cst.List, cst.ListComp)):
        return "list"
    return _MAKERS.get(called(source, node), "") if isinstance(node, cst.Call) else ""


def _kept_in(source: Source, name: cst.Name) -> str:
    """The type of all that is ever assigned to a variable, or ""."""
    binding = source.scoping.of[source.index[id(name)]].resolved.get(name.value)
    if binding is None or binding.kinds != {"variable"} or binding.scope.kind == "class":
        return ""
    found: set[str] = set()
    for i in binding.names:
        if source.scoping.roles.get(id(source.nodes[i])) is None:
            continue
        target = source.nodes[source.parents[i]]
        assign = source.nodes[source.parents[source.parents[i]]]
        if isinstance(target, cst.AnnAssign) and target.value is not None:
            found.add(_made(source, target.value))
        elif isinstance(target, cst.AssignTarget) and isinstance(assign, cst.Assign):
            found.add(_made(source, assign.value))
        else:
            found.add("")
    return found.pop() if len(found) == 1 else ""


def called(source: Source, call: cst.Call) -> str:
    """The builtin or imported function that a call names, "sorted" or "re.sub"; "" where it isn't sure."""
    function = call.func
    names: list[str] = []
    while isinstance(function, cst.Attribute):
        names.append(function.attr.value)
        function = function.value
    if not isinstance(function, cst.Name):
        return ""
    if names:
        return ".".join([_imported(source, function), *reversed(names)])
    scope = source.scoping.of[source.index[id(function)]]
    known = function.value in scope.resolved or function.value in source.scopes[0].bindings
    return _imported(source, function) if known else function.value


def _imported(source: Source, name: cst.Name) -> str:
    """The dotted name that a name stands for, if the module imports it once and never binds it otherwise."""
    binding = source.scoping.of[source.index[id(name)]].resolved.get(name.value)
    if binding is None or binding.scope.kind != "module" or not binding.kinds <= {"import", "import_as"}:
        return ""
    found: list[str] = []
    for i in binding.names:
        k = source.parents[i]
        alias = source.nodes[source.parents[k] if isinstance(source.nodes[k], cst.AsName) else k]
        if not isinstance(alias, cst.ImportAlias):
            continue
        statement = source.nodes[source.parents[source.index[id(alias)]]]
        if not isinstance(alias.name, cst.Name):
            found.append("")
        elif isinstance(statement, cst.ImportFrom):
            head = statement.module if not statement.relative else None
            found.append(f"{head.value}.{alias.name.value}" if isinstance(head, cst.Name) else "")
        else:
            found.append(alias.name.value)
    return found[0] if len(found) == 1 else ""


def _definitions(source: Source, binding: Binding) -> int:
    parents = (source.nodes[source.parents[i]] for i in binding.names)
    return sum(isinstance(p, cst.FunctionDef) and p.name.value == binding.name for p in parents)


def _is_given_otherwise(call: cst.Call, params: cst.Parameters, named: str) -> bool:
    """Whether a call gives a parameter by position or not at all, and others by names that are parameters."""
    others = {param.name.value for param in (*params.params, *params.kwonly_params)} - {named}
    return all(arg.star != "**" and (arg.keyword is None or arg.keyword.value in others) for arg in call.args)
