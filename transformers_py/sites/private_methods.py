"""Methods with one leading underscore, of classes that nothing from elsewhere is above: who calls them?

class Reader:
    def read(self): return self._step(1)
    def _step(self, size): return size      <- every `._step` here is a call: `size` is nobody else's
"""

import builtins
from collections.abc import Sequence

import libcst as cst

from transformers_py.sites.callers import definition, spelt, use_problem
from transformers_py.sites.error_texts import OF_CALLS, are_looked_at
from transformers_py.source import Source, kept
from transformers_py.source.scopes import Binding

REASONS = {"overrides": "its method may stand for one of another text, which is called by keyword"}

_BY_NAME = frozenset(["methodcaller", "attrgetter", "__getattribute__", "__dict__", "vars", "getmembers"])
"""Words by which a method is reached without being spelt."""
_PLAIN_BASES = frozenset(
    name for name in dir(builtins) if isinstance(getattr(builtins, name), type) and name != "type"
)


def receives(source: Source, node: cst.FunctionDef, name: str) -> bool:
    """Whether a parameter is what a method is called on."""
    first = next(iter((*node.params.posonly_params, *node.params.params)), None)
    return first is not None and first.name.value == name and "staticmethod" not in _decorators(source, node)


def keeps_signature(source: Source, node: cst.FunctionDef) -> bool:
    """Whether a method has no decorators but `staticmethod` and `classmethod`."""
    return set(_decorators(source, node)) <= {"staticmethod", "classmethod"}


def escape(source: Source, method: Binding, named: str | None) -> str | None:
    """Why somebody else may use a method or give its parameter `named` by its name, or None."""
    name = method.name
    if not name.startswith("_") or name.startswith("__") or name.endswith("_"):
        return "public"
    if method.kinds != {"function"} or len(method.names) > 1:
        return "bound_twice"
    if not _is_own(source, method.scope.node) or method.scope.node in _mixed_in(source):
        return "overrides"
    places = _attributes(source).get(name, [])
    if source.word_counts[name] != spelt(source)[name] + len(places) or _looks_up(source):
        return "named_elsewhere"
    if are_looked_at(source, OF_CALLS):
        return "error_texts"
    found = definition(source, method)
    assert found is not None
    uses = (use_problem(source, i, found[0].params, named) for i in places)
    return next(filter(None, uses), None)


def _decorators(source: Source, node: cst.FunctionDef) -> list[str]:
    """The names of a definition's decorators, "" for what is no builtin."""
    found: list[str] = []
    for decorator in node.decorators:
        name = decorator.decorator
        plain = isinstance(name, cst.Name) and not any(name.value in s.bindings for s in source.scopes)
        found.append(name.value if plain and isinstance(name, cst.Name) else "")
    return found


def _is_own(source: Source, index: int) -> bool:
    """Whether all classes above a class are builtins or of this text, and nothing decorates it."""
    node = source.nodes[index]
    if not isinstance(node, cst.ClassDef) or node.decorators or node.keywords:
        return False
    for arg in node.bases:
        if arg.star or not isinstance(arg.value, cst.Name):
            return False
        if arg.value.value in _PLAIN_BASES and arg.value.value not in source.scoping.of[index].resolved:
            continue
        base = _class_named(source, index, arg.value.value)
        if base is None or not _is_own(source, base):
            return False
    return True


@kept
def _mixed_in(source: Source) -> frozenset[int]:
    """Classes that have a class below them in this text that isn't all of this text."""
    found: set[int] = set()
    left = [i for i, node in enumerate(source.nodes) if isinstance(node, cst.ClassDef)]
    left = [i for i in left if not _is_own(source, i)]
    while left:
        index = left.pop()
        names = [arg.value.value for arg in _bases(source, index) if isinstance(arg.value, cst.Name)]
        above = {_class_named(source, index, name) for name in names}
        new = {base for base in above if base is not None} - found
        found |= new
        left += new
    return frozenset(found)


def _bases(source: Source, index: int) -> Sequence[cst.Arg]:
    return cst.ensure_type(source.nodes[index], cst.ClassDef).bases


def _class_named(source: Source, index: int, name: str) -> int | None:
    """The one class of this text, above another one, that a name in its bases means."""
    binding = source.scoping.of[index].resolved.get(name)
    if binding is None or binding.kinds != {"class"}:
        return None
    named = [(source.parents[i], source.nodes[i]) for i in binding.names]
    found = [k for k, node in named if getattr(source.nodes[k], "name", None) is node]
    return found[0] if len(found) == 1 and found[0] < index else None


@kept
def _looks_up(source: Source) -> bool:
    """Whether a name that isn't spelt as a literal may be looked up somewhere."""
    if not _BY_NAME.isdisjoint(source.words):
        return True
    for scope in source.scopes:
        for i in scope.uses.get("getattr", ()):
            call = source.nodes[source.parents[i]]
            if not isinstance(call, cst.Call) or call.func is not source.nodes[i] or len(call.args) < 2:
                return True
            if not isinstance(call.args[1].value, cst.SimpleString):
                return True
    return "getattr" in source.scoping.attributes


@kept
def _attributes(source: Source) -> dict[str, list[int]]:
    """Where each name stands behind a dot: indices of the Attribute nodes."""
    found: dict[str, list[int]] = {}
    for i, node in enumerate(source.nodes):
        if isinstance(node, cst.Attribute):
            found.setdefault(node.attr.value, []).append(i)
    return found
