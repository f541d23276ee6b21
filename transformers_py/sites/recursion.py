"""Which functions may run deep inside of a recursion, where one frame more can be one too many.

def f(x): return g(x)    def g(x): return f(h(x))    ->  f and g, which call each other, and h below them
"""

from collections import defaultdict

from transformers_py.source import Source
from transformers_py.source.scopes import NameScope


def recursive(source: Source) -> frozenset[int]:
    """Indices of the scopes of functions on a cycle of calls, or called from one.

    Calls are known by spelling alone: whatever names a function of this text, also behind a dot, may call
    it, and what names a class may call its methods. Recursion through other modules isn't seen.
    """
    functions = [scope for scope in source.scopes if scope.kind == "function"]
    named: defaultdict[str, list[NameScope]] = defaultdict(list)
    for scope in functions:
        named[source.nodes[scope.node].name.value].append(scope)  # type: ignore[attr-defined]
    for scope in source.scopes:
        if scope.kind == "class":
            methods = [inner for inner in scope.children if inner.kind == "function"]
            named[source.nodes[scope.node].name.value] += methods  # type: ignore[attr-defined]
    calls = {scope.index: _called(scope, named) for scope in functions}
    return _left_in_order(calls)


def _called(scope: NameScope, named: dict[str, list[NameScope]]) -> set[int]:
    words = {word for inner in scope.subtree() for words in (inner.uses, inner.words) for word in words}
    return {function.index for word in words & named.keys() for function in named[word]}


def _left_in_order(calls: dict[int, set[int]]) -> frozenset[int]:
    """What can't be put behind all its callers: cycles, and what they lead to."""
    callers = dict.fromkeys(calls, 0)
    for called in calls.values():
        for index in called:
            callers[index] += 1
    free = [index for index, count in callers.items() if count == 0]
    for index in free:
        for other in calls[index]:
            callers[other] -= 1
            if callers[other] == 0:
                free.append(other)
    return frozenset(callers) - frozenset(free)
