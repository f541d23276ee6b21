"""Whether an inserted statement does nothing: dead, or an assignment of constants to names that nobody reads.

if False: print(x)      spare = [1, 2]      pass      anything after a return      def _spare(a): ...
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from transformers_py.source import Source
from transformers_py.source.scopes import DYNAMIC, NameScope

_FORBIDDEN = (
    ast.Yield,
    ast.YieldFrom,
    ast.Await,
    ast.Global,
    ast.Nonlocal,
    ast.Import,
    ast.ImportFrom,
    ast.ClassDef,
    ast.AsyncFor,
    ast.AsyncWith,
    ast.AsyncFunctionDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.JoinedStr,
    ast.Break,
    ast.Continue,
    ast.Starred,
    ast.NamedExpr,
    ast.Delete,
)
ENDS = (ast.Return, ast.Raise, ast.Continue, ast.Break)
Owner = Literal["module", "class", "function"]
"""Whose names a statement binds: the innermost definition around it."""
_DYNAMIC = DYNAMIC | {"super", "__class__"}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an inserted statement may use: the source, and the names that are new in this text."""

    source: Source
    fresh: frozenset[str]
    scope: NameScope
    renamed: Mapping[str, Sequence[tuple[int, str]]] = field(default_factory=dict)
    """New name -> the variables that are renamed to it: (index of their scope, old name)."""


def why_not(node: ast.stmt, previous: ast.stmt | None, owner: Owner, around: Surroundings) -> str | None:
    """None when the inserted statement can't be noticed, else the reason.

    Names that are new in a module or class could be seen from elsewhere: there nothing may be bound but
    private functions in modules that don't look at their own names.
    """
    if isinstance(node, ast.Pass):
        return None
    if (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and not isinstance(node.value.value, str)
    ):
        return None
    if owner == "module" and isinstance(node, ast.FunctionDef):
        return _module_problem(node, around) or _function_problem(node, around)
    if owner != "function":
        return "a statement was inserted into a module or class body"
    if isinstance(node, ast.FunctionDef):
        return _function_problem(node, around)
    if is_dead(node) or isinstance(previous, ENDS):
        return dead_problem(node, around)
    if isinstance(node, ast.Assign) and is_constant(node.value):
        plain = all(isinstance(target, ast.Name) for target in node.targets)
        return _names_problem(node, around, dead=False) if plain else "an inserted assignment isn't to a name"
    return f"an inserted {type(node).__name__} is not known to be inert"


def dead_problem(node: ast.stmt, around: Surroundings) -> str | None:
    """Why a statement that never runs, in a function, could be noticed; else None."""
    return _names_problem(node, around, dead=True)


def is_within(source: Source, scope: NameScope, offset: int) -> bool:
    """Whether an offset of the original is in a scope's node, and not amid a function or class in it."""
    starts, ends = source.starts, source.ends
    if not starts[scope.node] <= offset <= ends[scope.node]:
        return False
    inner = (child.node for child in scope.children if child.kind in ("function", "class"))
    return not any(source.inner_starts[node] < offset < ends[node] for node in inner)


def is_dead(node: ast.stmt) -> bool:
    """Whether a statement has a body that never runs, and nothing else."""
    never = (
        isinstance(node, (ast.If, ast.While)) and isinstance(node.test, ast.Constant) and not node.test.value
    )
    return never and not node.orelse  # type: ignore[attr-defined]


def is_constant(node: ast.expr | None) -> bool:
    """Literals and displays of literals: evaluating them can't fail and runs nobody's code."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.UnaryOp):
        number = isinstance(node.operand, ast.Constant) and isinstance(node.operand.value, (int, float))
        return number and isinstance(node.op, (ast.UAdd, ast.USub, ast.Not))
    if isinstance(node, (ast.List, ast.Tuple)):
        return all(map(is_constant, node.elts))
    if isinstance(node, ast.Set):
        return all(isinstance(e, ast.Constant) for e in node.elts)
    if isinstance(node, ast.Dict):
        keys = all(isinstance(key, ast.Constant) for key in node.keys)
        return keys and all(map(is_constant, node.values))
    return False


def _names_problem(node: ast.AST, around: Surroundings, *, dead: bool) -> str | None:
    """Statements may bind fresh names alone, dead ones local variables, too, and none may change what kind of
    function it is in. Where a value may not be returned, the text doesn't compile."""
    for child in ast.walk(node):
        if isinstance(child, _FORBIDDEN):
            return f"an inserted statement contains {type(child).__name__}"
        if isinstance(child, (ast.FunctionDef, ast.ExceptHandler)):
            if child.name and child.name not in around.fresh:
                return f"an inserted statement binds {child.name}, which is not fresh"
            continue
        if isinstance(child, ast.Name):
            problem = name_problem(child.id, not isinstance(child.ctx, ast.Load), around, dead=dead)
            if problem:
                return problem
    return None


def name_problem(name: str, is_bound: bool, around: Surroundings, *, dead: bool) -> str | None:
    """Why an inserted statement may not bind, or not read, a name in its place; else None.

    One that never runs may bind what the function binds anyway: a local variable with or without it.
    """
    scope = around.scope
    for index, old in around.renamed.get(name, ()):
        if old in scope.resolved and scope.resolved[old].scope.index == index:
            name = old
            break
    is_local = dead and scope.kind == "function" and name in scope.bindings
    if is_bound and name not in around.fresh and not is_local:
        return f"an inserted statement binds {name}, which is not fresh"
    if name in around.source.scoping.local_names and name not in around.scope.uses:
        return f"an inserted statement could capture {name}"
    if name in around.scope.declared:
        return f"an inserted statement uses {name}, which is declared global or nonlocal"
    return f"an inserted statement uses {name}" if name in _DYNAMIC else None


def _module_problem(node: ast.FunctionDef, around: Surroundings) -> str | None:
    if not node.name.startswith("_") or node.name.startswith("__"):
        return f"a module's inserted function {node.name} isn't private"
    reason = around.source.scoping.namespace_problem
    return f"the module may look at its names ({reason})" if reason else None


def _function_problem(node: ast.FunctionDef, around: Surroundings) -> str | None:
    """A function nobody calls: a fresh name, constant defaults, nothing evaluated at its definition."""
    arguments = node.args
    everything = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    everything += [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    if node.decorator_list or node.returns is not None or any(a.annotation for a in everything):
        return "an inserted function has decorators or annotations"
    if not all(is_constant(d) for d in (*arguments.defaults, *(d for d in arguments.kw_defaults if d))):
        return "an inserted function has defaults that are not constant"
    own = {argument.arg for argument in everything}
    for child in ast.walk(node):
        if isinstance(child, _FORBIDDEN):
            return f"an inserted function contains {type(child).__name__}"
        if isinstance(child, ast.Name) and child.id in _DYNAMIC:
            return f"an inserted function uses {child.id}"
        if isinstance(child, ast.Name) and child.id not in own and child.id not in around.fresh:
            if not isinstance(child.ctx, ast.Load):
                return f"an inserted function binds {child.id}, which is not fresh"
            if child.id in around.source.scoping.local_names:
                return f"an inserted function could capture {child.id}"
    return (
        None
        if node.name in around.fresh
        else f"an inserted function is called {node.name}, which is not fresh"
    )
