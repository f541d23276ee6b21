"""Whether names that others than their own scope see were renamed in all the right places, and in no others.

def f(a): ...            def g(n): ...
f(a=1); h(a=2)    ->     g(n=1); h(a=2)        right: h is another function

Both trees are walked side by side. They may differ in names alone: variables by the pairs that the edits make
(which of them stand for each other is shown by the compiled code, scope by scope), keywords of a call as the
parameters of the function that is called, where only one thing in the text has its name, and words of
docstrings where these may follow. Any other call must keep its keywords, and none of these may be a renamed
parameter's name, or come by **, where it could reach that parameter's function (but for lambdas).
"""

import ast
import builtins
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from transformers_py.proof.bytecode import Renamed, in_old_words
from transformers_py.source.cpython import is_docstring

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_SPELLS = {
    ast.Name: "id",
    ast.arg: "arg",
    ast.FunctionDef: "name",
    ast.AsyncFunctionDef: "name",
    ast.ExceptHandler: "name",
    ast.alias: "asname",
    ast.MatchAs: "name",
    ast.MatchStar: "name",
    ast.MatchMapping: "rest",
}
"""Where a tree spells a variable's name."""
_BUILTINS = frozenset(dir(builtins)) - {"dict", "type"}
"""Builtins but those that give their keywords to others."""
_PASSED_ON = frozenset(["kwargs", "kwds", "keywords", "kw"])


@dataclass(slots=True)
class _Function:
    """A definition with its keyword parameters, by their old names, and their new names."""

    parameters: dict[str, str]
    in_class: bool
    name: str = ""


@dataclass(slots=True)
class _Pairs:
    """All nodes of both trees that matter, side by side."""

    functions: list[_Function] = field(default_factory=list)
    calls: list[tuple[ast.Call | ast.ClassDef, ast.Call | ast.ClassDef]] = field(default_factory=list)
    bound: Counter[str] = field(default_factory=Counter)
    loads: Counter[str] = field(default_factory=Counter)


def problem(
    old: ast.Module, new: ast.Module, renamed: Renamed, known: frozenset[str], *, documented: bool
) -> str | None:
    """What is wrong with the new tree, or None.

    `known` are the new names of what is used here alone. Other parameters may be renamed besides: their
    rewrite knows that their functions are called by position.
    """
    pairs = _Pairs()
    left: list[tuple[ast.AST, ast.AST, bool]] = [(old, new, False)]
    while left:
        a, b, in_class = left.pop()
        if type(a) is not type(b):
            return f"the tree: {type(a).__name__} became {type(b).__name__}"
        _collect(a, b, pairs, in_class)
        free = _docstring_of(a) if documented else None
        for name in a._fields:
            below = isinstance(a, ast.ClassDef) and name == "body"
            for x, y in _side_by_side(getattr(a, name, None), getattr(b, name, None)):
                if isinstance(x, ast.AST) and isinstance(y, ast.AST):
                    if x is not free or not _follows(x, y, renamed):
                        left.append((x, y, below))
                elif not _is_same(a, name, x, y, renamed):
                    return f"the tree: {name} of {type(a).__name__} {x!r} became {y!r}"
    return _keyword_problem(pairs, known)


def _is_same(node: ast.AST, name: str, old: object, new: object, renamed: Renamed) -> bool:
    """Whether the values of a node's field are equal, or names that may differ."""
    if type(old) is type(new) and (old == new or repr(old) == repr(new)):
        return True
    if isinstance(node, ast.keyword) and name == "arg":
        return True  # _keyword_problem says whether it is right
    spells = name == _SPELLS.get(type(node)) or isinstance(node, (ast.Global, ast.Nonlocal))
    return spells and (old, new) in renamed.pairs


def _side_by_side(a: object, b: object) -> Iterator[tuple[object, object]]:
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        yield from zip(a, b, strict=True)
    else:
        yield a, b


def _docstring_of(node: ast.AST) -> ast.AST | None:
    """The statement that is a node's docstring."""
    if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    return node.body[0] if node.body and is_docstring(node.body[0]) else None


def _follows(old: ast.AST, new: ast.AST, renamed: Renamed) -> bool:
    """Whether two docstrings are the same up to the new names in them."""
    if not (is_docstring(old) and is_docstring(new)):
        return False
    before, after = old.value.value, new.value.value  # type: ignore[attr-defined]
    return bool(before == in_old_words(after, renamed.fresh))


def _collect(old: ast.AST, new: ast.AST, pairs: _Pairs, in_class: bool) -> None:
    if isinstance(old, ast.Name):
        counter = pairs.loads if isinstance(old.ctx, ast.Load) else pairs.bound
        counter[old.id] += 1
    elif isinstance(old, ast.alias):
        pairs.bound[old.asname or old.name.partition(".")[0]] += 1
    elif isinstance(old, ast.ClassDef):
        pairs.bound[old.name] += 1
    elif type(old) in _SPELLS:
        pairs.bound[getattr(old, _SPELLS[type(old)]) or ""] += 1
    if isinstance(old, (ast.Call, ast.ClassDef)) and isinstance(new, (ast.Call, ast.ClassDef)):
        pairs.calls.append((old, new))
    if isinstance(old, _Definition) and isinstance(new, _Definition):
        named = zip(
            (*old.args.args, *old.args.kwonlyargs), (*new.args.args, *new.args.kwonlyargs), strict=False
        )
        parameters = {a.arg: b.arg for a, b in named}
        pairs.functions.append(_Function(parameters, in_class, getattr(old, "name", "")))


def _keyword_problem(pairs: _Pairs, known: frozenset[str]) -> str | None:
    only = {f.name: f for f in pairs.functions if f.name and not f.in_class and pairs.bound[f.name] == 1}
    called = Counter(
        old.func.id for old, _ in pairs.calls if isinstance(old, ast.Call) and isinstance(old.func, ast.Name)
    )
    outside: set[str] = set()
    """Keywords of calls that could mean any function that escapes; "**" for keywords that aren't spelt."""
    for old, new in pairs.calls:
        name = old.func.id if isinstance(old, ast.Call) and isinstance(old.func, ast.Name) else ""
        function = only.get(name)
        for a, b in zip(old.keywords, new.keywords, strict=True):
            expected = function.parameters.get(a.arg, a.arg) if function and a.arg else a.arg
            if b.arg != expected:
                return f"the keyword {a.arg} of a call became {b.arg}"
            if function and a.arg is None and _renames(function):
                return "a renamed parameter may be given by **"
            if function is None and (name not in _BUILTINS or pairs.bound[name]):
                outside.add("**" if a.arg is None or a.arg in _PASSED_ON else a.arg)
    for function in pairs.functions:
        alone = function.name in only and pairs.loads[function.name] == called[function.name]
        renamed = [old for old, new in function.parameters.items() if old != new and new in known]
        reached = outside.intersection(("**", *renamed))
        if not alone and reached and renamed and function.name:
            return f"a call may give {', '.join(sorted(reached))} to {function.name}"
    return None


def _renames(function: _Function) -> list[str]:
    return [old for old, new in function.parameters.items() if old != new]
