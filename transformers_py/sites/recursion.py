"""Which functions may run deep inside of a recursion, where one frame more can be one too many.

def f(x): return g(x)    def g(x): return f(h(x))    ->  f and g, which call each other, and h below them
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping

import libcst as cst

from transformers_py.source import Source
from transformers_py.source.scopes import NameScope

_BINARY = {
    "Add": "add", "Subtract": "sub", "Multiply": "mul", "MatrixMultiply": "matmul", "Divide": "truediv",
    "FloorDivide": "floordiv", "Modulo": "mod", "Power": "pow", "LeftShift": "lshift",
    "RightShift": "rshift", "BitAnd": "and", "BitOr": "or", "BitXor": "xor",
}  # fmt: skip
_MADE = ("__new__", "__init__", "__post_init__")
_TRUTH = ("__bool__", "__len__")
_STEPS = ("__iter__", "__next__", "__getitem__", "__aiter__", "__anext__")
_TEXTS = ("__str__", "__repr__", "__format__")
_OPERATORS: dict[str, tuple[str, ...]] = {
    **{name: (f"__{word}__", f"__r{word}__") for name, word in _BINARY.items()},
    **{f"{name}Assign": (f"__i{word}__", f"__{word}__", f"__r{word}__") for name, word in _BINARY.items()},
    "Minus": ("__neg__",),
    "Plus": ("__pos__",),
    "BitInvert": ("__invert__",),
    **dict.fromkeys(("Not", "If", "IfExp", "While", "Assert", "And", "Or", "CompIf"), _TRUTH),
    **dict.fromkeys(("Equal", "NotEqual"), ("__eq__", "__ne__")),
    **dict.fromkeys(("In", "NotIn"), ("__contains__", "__eq__", *_STEPS)),
    **dict.fromkeys(
        ("LessThan", "LessThanEqual", "GreaterThan", "GreaterThanEqual"),
        ("__lt__", "__le__", "__gt__", "__ge__"),
    ),
    "Subscript": ("__getitem__", "__setitem__", "__delitem__", "__missing__"),
    **dict.fromkeys(("For", "CompFor", "StarredElement", "From"), _STEPS),
    "With": ("__enter__", "__exit__", "__aenter__", "__aexit__"),
    "Await": ("__await__",),
    "FormattedStringExpression": _TEXTS,
    "Attribute": ("__getattr__", "__getattribute__", "__setattr__", "__delattr__"),
    "Call": ("__call__",),
}
"""Nodes of libcst -> methods that they may call."""
_BUILTINS: dict[str, tuple[str, ...]] = {
    "len": ("__len__",),
    "bool": _TRUTH,
    "hash": ("__hash__",),
    "abs": ("__abs__",),
    "int": ("__int__", "__index__"),
    "float": ("__float__",),
    "round": ("__round__",),
    "dir": ("__dir__",),
    "next": ("__next__",),
    "reversed": ("__reversed__",),
    "isinstance": ("__instancecheck__",),
    "bytes": ("__bytes__",),
    "repr": ("__repr__",),
    **dict.fromkeys(("str", "print", "format"), _TEXTS),
    **dict.fromkeys(("getattr", "hasattr"), ("__getattr__", "__getattribute__")),
    **dict.fromkeys(("iter", "list", "tuple", "set", "frozenset", "dict", "enumerate", "zip"), _STEPS),
    **dict.fromkeys(("map", "filter", "any", "all"), _STEPS),
    **dict.fromkeys(("sum", "min", "max", "sorted"), (*_STEPS, "__add__", "__radd__", "__lt__", "__gt__")),
}
_LITERALS = (cst.BaseString, cst.BaseNumber, cst.List, cst.Tuple, cst.Dict, cst.Set, cst.BaseComp)
_BY_NAME = ("getattr", "methodcaller", "attrgetter")
_COMPARING = ("isinstance", "issubclass", "super")


def recursive(source: Source) -> frozenset[int]:
    """Indices of the scopes of functions on a cycle of calls, or called from one.

    Names mean what they mean by scope. Behind a dot, `self.f` and `cls.f` are methods of the class, of its
    bases and of what is derived from it; `super().f` and `Base.f` those of the bases; nothing of an imported
    module is of this text; and of all other objects, methods are known by spelling alone. Operators, `len()`
    and the like call the methods that they stand for. Recursion through other modules, tables of functions or
    attributes that hold functions isn't seen.
    """
    return _left_in_order(_Calls(source).run())


class _Calls:
    """Who calls whom, by indices of scopes."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.defined: defaultdict[int, list[NameScope]] = defaultdict(list)
        """id of a binding -> the functions, lambdas and classes that it is bound to."""
        self.methods: defaultdict[str, list[NameScope]] = defaultdict(list)
        self.groups: dict[int, set[int]] = {}
        """Number of a group, below zero -> the methods in it."""
        self.numbers: dict[Hashable, int] = {}
        self.classes = {scope.index: scope for scope in source.scopes if scope.kind == "class"}
        for scope in source.scopes:
            self._define(scope)
        self.by_class: defaultdict[tuple[int, str], list[NameScope]] = defaultdict(list)
        """(index of a class, or -1, and name) -> the methods."""
        for name, methods in self.methods.items():
            for method in methods:
                self.by_class[self._class_index(method), name].append(method)
        direct = {index: set(self._named_bases(scope)) for index, scope in self.classes.items()}
        derived: dict[int, set[int]] = {index: set() for index in direct}
        for index, bases in direct.items():
            for base in bases:
                derived[base].add(index)
        self.bases = {index: _reached(index, direct) for index in direct}
        self.related = {index: self.bases[index] | _reached(index, derived) for index in direct}

    def run(self) -> dict[int, set[int]]:
        """Index of each function's scope -> the functions, and groups, that it, or what is in it, may call.

        What many places may call alike is a group: a member of the result with a number below zero, that
        "calls" the methods in it. So there are never as many pairs as places times methods.
        """
        scopes = self.source.scopes
        found: list[set[int]] = [set() for _ in scopes]
        for scope in scopes:
            for name, uses in scope.uses.items():
                found[scope.index].update(self._named(scope, name, uses))
        operators = {
            kind: [self._named_alike(name) for name in names if name in self.methods]
            for kind, names in _OPERATORS.items()
        }
        for node, scope in zip(self.source.nodes, self.source.scoping.of, strict=True):
            for part in (node, getattr(node, "operator", None)):
                found[scope.index].update(operators.get(type(part).__name__, ()))
            if isinstance(node, cst.Attribute):
                found[scope.index].update(self._behind_dot(scope, node))
        functions = [scope for scope in scopes if scope.kind in ("function", "lambda")]
        calls = {s.index: set().union(*(found[inner.index] for inner in s.subtree())) for s in functions}
        return calls | self.groups

    def _group(self, key: Hashable, methods: Iterable[int]) -> int:
        """The number of a group of methods, made when its key is first seen."""
        number = self.numbers.setdefault(key, -1 - len(self.numbers))
        if number not in self.groups:
            self.groups[number] = set(methods)
        return number

    def _named_alike(self, name: str) -> int:
        return self._group(name, (method.index for method in self.methods[name]))

    def _define(self, scope: NameScope) -> None:
        node, around = self.source.nodes[scope.node], scope.parent
        target: cst.CSTNode | None = None
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            target = node.name
        elif isinstance(node, cst.Lambda):
            parent = self.source.nodes[self.source.parents[scope.node]]
            target = parent.targets[0].target if isinstance(parent, cst.Assign) else None
        if isinstance(target, cst.Attribute):
            self.methods[target.attr.value].append(scope)
        elif isinstance(target, cst.Name) and around is not None:
            binding = around.resolved.get(target.value)
            if binding is not None:
                self.defined[id(binding)].append(scope)
            if around.kind == "class" and scope.kind != "class":
                self.methods[target.value].append(scope)

    def _named_bases(self, scope: NameScope) -> Iterator[int]:
        node = self.source.nodes[scope.node]
        assert isinstance(node, cst.ClassDef)
        assert scope.parent is not None
        for argument in node.bases:
            if isinstance(argument.value, cst.Name):
                yield from (
                    c.index for c in self._classes(scope.parent, argument.value.value) if c is not scope
                )

    def _classes(self, scope: NameScope, name: str) -> list[NameScope]:
        """The classes of this text that a name may mean."""
        binding = scope.resolved.get(name)
        return [found for found in self.defined.get(id(binding), ()) if found.kind == "class"]

    def _named(self, scope: NameScope, name: str, uses: list[int]) -> Iterator[int]:
        """What the uses of a name in a scope may call: functions, what makes objects of a class, builtins."""
        binding = scope.resolved.get(name)
        if binding is None:
            yield from (
                self._named_alike(special) for special in _BUILTINS.get(name, ()) if special in self.methods
            )
            if name in _BY_NAME:
                yield from (called for i in uses for called in self._by_text(scope, i))
        for found in self.defined.get(id(binding), ()):
            if found.kind != "class":
                yield found.index
            elif any(self._may_make(i) for i in uses):
                classes = {found.index, *self.bases[found.index]}
                made = (called for special in _MADE for called in self._methods_of(classes, special))
                yield self._group(("made", found.index), made)

    def _may_make(self, i: int) -> bool:
        """Whether a use of a class may make an object: not before a dot, or where classes are compared."""
        k = self.source.parents[i]
        parent = self.source.nodes[k]
        if isinstance(parent, cst.Arg):
            call = self.source.nodes[self.source.parents[k]]
            if isinstance(call, cst.ClassDef):
                return False
            assert isinstance(call, cst.Call)
            return not (isinstance(call.func, cst.Name) and call.func.value in _COMPARING)
        return not isinstance(parent, (cst.Attribute, cst.Annotation, cst.ExceptHandler, cst.ClassDef))

    def _by_text(self, scope: NameScope, i: int) -> Iterable[int]:
        """What `getattr(self, text)` may call: the method that a literal names, else any of the class."""
        call = self.source.nodes[self.source.parents[i]]
        if not isinstance(call, cst.Call) or not call.args:
            return ()
        text = call.args[min(1, len(call.args) - 1)].value
        if isinstance(text, cst.SimpleString):
            return (self._named_alike(text.raw_value),) if text.raw_value in self.methods else ()
        own = self._class_index(scope)
        return (self._group(("any", own), self._any_of(own)),)

    def _any_of(self, own: int) -> Iterator[int]:
        """All methods of a class and of no class, or all of the text where there is no class."""
        for (index, _), methods in self.by_class.items():
            if own < 0 or index in (-1, own):
                yield from (method.index for method in methods)

    def _behind_dot(self, scope: NameScope, node: cst.Attribute) -> Iterable[int]:
        """The methods that `node` may be."""
        name, value = node.attr.value, node.value
        if name not in self.methods or isinstance(value, _LITERALS):
            return ()
        own = self._class_of(scope)
        if isinstance(value, cst.Call) and isinstance(value.func, cst.Name) and value.func.value == "super":
            bases = self.bases[own.index] if own else ()
            return (self._group(("super", own and own.index, name), self._methods_of(bases, name)),)
        if isinstance(value, cst.Name):
            if value.value in ("self", "cls") and own is not None:
                related = {own.index, *self.related[own.index]}
                return (self._group(("self", own.index, name), self._methods_of(related, name)),)
            classes = [found.index for found in self._classes(scope, value.value)]
            if classes:
                around = {index for c in classes for index in (c, *self.bases[c])}
                return (self._group(("of", *classes, name), self._methods_of(around, name)),)
        while isinstance(value, cst.Attribute):
            value = value.value
        binding = scope.resolved.get(value.value) if isinstance(value, cst.Name) else None
        if binding is not None and binding.kinds <= {"import", "import_as"}:
            return ()
        return (self._named_alike(name),)

    def _methods_of(self, classes: Collection[int], name: str) -> Iterator[int]:
        """The methods of a name that some classes have, and those that belong to no class."""
        if len(classes) < len(self.methods.get(name, ())):
            found = (method for index in (*classes, -1) for method in self.by_class.get((index, name), ()))
        else:
            found = (m for m in self.methods.get(name, ()) if self._class_index(m) in (-1, *classes))
        yield from (method.index for method in found)

    def _class_index(self, scope: NameScope) -> int:
        own = self._class_of(scope)
        return -1 if own is None else own.index

    def _class_of(self, scope: NameScope) -> NameScope | None:
        """The class in whose body a function, or the function around it, is defined."""
        return next((outer for outer in scope.enclosing() if outer.kind == "class"), None)


def _reached(start: int, steps: Mapping[int, set[int]]) -> set[int]:
    """All that steps from `start` lead to, itself left out."""
    found: set[int] = set()
    ahead = [*steps[start]]
    while ahead:
        index = ahead.pop()
        if index not in found:
            found.add(index)
            ahead += steps[index]
    return found - {start}


def _left_in_order(calls: dict[int, set[int]]) -> frozenset[int]:
    """The functions that can't be put behind all their callers: cycles, and what they lead to."""
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
    left = frozenset(callers) - frozenset(free)
    return frozenset(index for index in left if index >= 0)
