"""The order of variables in closures, which new names have to keep.

def f():
    alpha, beta = open(a), open(b)
    def g(): return alpha, beta     <- g.__closure__ is (alpha, beta): by name, not by place
    return g

The order can be looked at, and without looking: what a closure was the last to hold is finalised in it.
"""

from collections import defaultdict
from typing import NamedTuple

from transformers_py.source import Source, kept
from transformers_py.source.scopes import Binding, NameScope


class Between(NamedTuple):
    """New names must sort behind `low` and, if there is a `high`, before it."""

    low: str
    high: str | None

    def holds(self, name: str) -> bool:
        """Whether a name is between both."""
        return self.low < name and (self.high is None or name < self.high)


@kept
def closure_bounds(source: Source) -> dict[tuple[int, str], Between]:
    """(scope, name) of variables that share a closure or a function's cells with others -> where they stay.

    Each keeps to the stretch from its own name to the next one's, so no choice of sites, of any rewrites,
    changes the order. Of two with one name (in comprehensions, which CPython from 3.12 on merges into the
    function around them) none is renamed.
    """
    found: dict[tuple[int, str], Between] = {}
    for group in _groups(source):
        ordered = sorted(((_compiled_name(source, binding), binding) for binding in group), key=_first)
        names = [name for name, _ in ordered]
        if _CLASS in source.words or "super" in source.words:
            names = sorted([*names, _CLASS])
        if len(names) == 1:
            continue
        for name, binding in ordered:
            k = names.index(name)
            before = names[k - 1] if k else ""
            low = before if before == _CLASS else name if k else ""
            high = names[k + 1] if k + 1 < len(names) else None
            if high == name:
                low = name
            _narrow(found, (binding.scope.index, binding.name), Between(low, high))
    return found


_CLASS = "__class__"
"""The variable that `super()` uses: free in a method, maybe beside others."""


def _first(item: tuple[str, Binding]) -> str:
    return item[0]


def _narrow(found: dict[tuple[int, str], Between], key: tuple[int, str], other: Between) -> None:
    own = found.get(key, other)
    highs = [high for high in (own.high, other.high) if high is not None]
    found[key] = Between(max(own.low, other.low), min(highs, default=None))


def _groups(source: Source) -> list[list[Binding]]:
    """The cells, and the free variables, of each scope."""
    cells: defaultdict[int, dict[int, Binding]] = defaultdict(dict)
    free: defaultdict[int, dict[int, Binding]] = defaultdict(dict)
    for scope in source.scopes:
        if not scope.is_function:
            continue
        for binding in scope.bindings.values():
            for user in binding.users:
                around: NameScope | None = user
                while around is not None and around is not scope:
                    free[around.index][id(binding)] = binding
                    around = around.parent
                if user is not scope:
                    cells[_owner(scope).index][id(binding)] = binding
    return [list(group.values()) for group in (*cells.values(), *free.values())]


def _owner(scope: NameScope) -> NameScope:
    """The scope in whose code a comprehension is compiled, from CPython 3.12 on."""
    while scope.kind == "comprehension" and scope.parent is not None:
        scope = scope.parent
    return scope


def _compiled_name(source: Source, binding: Binding) -> str:
    """The name by which CPython sorts: private names of classes are spelt out."""
    name = binding.name
    if not name.startswith("__") or name.endswith("__"):
        return name
    for scope in binding.scope.enclosing():
        if scope.kind == "class":
            owner: str = source.nodes[scope.node].name.value.lstrip("_")  # type: ignore[attr-defined]
            return f"_{owner}{name}" if owner else name
    return name
