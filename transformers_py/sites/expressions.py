"""Sub-expressions that stand where parentheses are allowed and change nothing.

x = f(a.b)[i]      ->  f(a.b)[i] · f(a.b) · f · a.b · a · i, but neither x nor b
"""

from collections.abc import Iterator

import libcst as cst

from transformers_py.source import Source, kept

_INTERPOLATED = (
    cst.FormattedString,
    *((cst.TemplatedString,) if hasattr(cst, "TemplatedString") else ()),
)
_CLOSED = (
    *_INTERPOLATED,
    cst.ConcatenatedString,
    cst.Import,
    cst.ImportFrom,
    cst.Global,
    cst.Nonlocal,
    cst.Decorator,
    cst.MatchPattern,
    cst.TypeAlias,
    cst.TypeParameters,
)
"""Nothing inside of these is looked at (of strings, the whole is)."""
_LOOSE = (cst.BooleanOperation, cst.IfExp, cst.Lambda, cst.NamedExpr, cst.Yield, cst.Tuple, cst.GeneratorExp)
_TYPES: dict[type[cst.CSTNode], str] = {
    cst.Integer: "int",
    cst.Float: "float",
    cst.Imaginary: "complex",
    cst.FormattedString: "str",
    cst.List: "list",
    cst.ListComp: "list",
    cst.Tuple: "tuple",
    cst.Dict: "dict",
    cst.DictComp: "dict",
    cst.Set: "set",
    cst.SetComp: "set",
}
REASONS = {
    "message": "tools that collect messages for translation read it in the text",
    "part_of_constant": "it is a part of what CPython computes once, and keeps",
    "tested_in_parts": "its parts would be tested for their truth once more",
}

_TRANSLATED = frozenset(
    """
    _ N_ _n gettext ngettext pgettext npgettext dgettext dngettext dpgettext dnpgettext ugettext ungettext
    gettext_lazy ngettext_lazy pgettext_lazy npgettext_lazy gettext_noop lazy_gettext lazy_ngettext
    lazy_pgettext ugettext_lazy ugettext_noop ungettext_lazy tr translate
    """.split()  # noqa: SIM905
)
"""Functions whose literal arguments xgettext, Babel and lupdate look for in the text."""


def _classes(*kinds: type) -> frozenset[type]:
    """All of libcst's classes of these kinds: a set is asked faster than an abstract base class."""
    nodes = (value for value in vars(cst).values() if isinstance(value, type))
    return frozenset(node for node in nodes if issubclass(node, kinds))


_EXPRESSIONS = _classes(cst.BaseExpression) - {cst.StarredElement}
_CLOSED_CLASSES = _classes(*_CLOSED)


def loads(source: Source) -> Iterator[int]:
    """Table indices of all expressions that are read, not bound, and not inside of strings or patterns."""
    nodes, lasts, roles, parents = source.nodes, source.lasts, source.scoping.roles, source.parents
    starts = source.starts
    i = 1
    edge = -1
    while i < len(nodes):
        node = nodes[i]
        kind = node.__class__
        if kind is cst.AnnAssign:
            edge = starts[i + 1]  # CPython refuses `(a).b: int`
        elif (
            kind in _EXPRESSIONS
            and starts[i] != edge
            and id(node) not in roles
            and _is_free(nodes[parents[i]], node)
        ):
            yield i
        i = lasts[i] if kind in _CLOSED_CLASSES else i + 1


def _is_free(parent: cst.CSTNode, node: cst.CSTNode) -> bool:
    """Whether the tree stays when it is taken by itself: not so for the left part of `a and b and c`."""
    kind = node.__class__
    if kind is cst.BooleanOperation and isinstance(parent, cst.BooleanOperation):
        assert isinstance(node, cst.BooleanOperation)
        return type(parent.operator) is not type(node.operator) or parent.left is not node or bool(node.lpar)
    return kind is not cst.GeneratorExp or parent.__class__ is not cst.Arg or is_parenthesised(node)


def is_parenthesised(node: cst.CSTNode) -> bool:
    """Whether an expression has parentheses of its own (those of tuples and generators count)."""
    return bool(getattr(node, "lpar", ()))


def is_loose(node: cst.CSTNode) -> bool:
    """Whether an expression without parentheses falls apart when an operator stands beside it."""
    return isinstance(node, _LOOSE) and not is_parenthesised(node)


def outside_strings(source: Source) -> Iterator[int]:
    """Table indices of all nodes but those inside of f-strings."""
    nodes, lasts = source.nodes, source.lasts
    i = 0
    while i < len(nodes):
        yield i
        i = lasts[i] if isinstance(nodes[i], _INTERPOLATED) else i + 1


def literal_type(node: cst.CSTNode) -> str:
    """The name of the type that an expression is sure to have: literals, displays, f-strings; else ""."""
    if isinstance(node, cst.SimpleString):
        return "bytes" if "b" in node.prefix.lower() else "str"
    if isinstance(node, cst.ConcatenatedString):
        return literal_type(node.left)
    return _TYPES.get(type(node), "")


def item_end(source: Source, node: cst.CSTNode) -> int:
    """Where the last part of an argument, element or parameter ends; the node may end after a comment."""
    item = source.index[id(node)]
    end, k = source.ends[item], item + 1
    while k < source.lasts[item]:
        end = source.ends[k]
        k = source.lasts[k]
    return end


def values(source: Source) -> Iterator[int]:
    """Table indices of the expressions whose value could as well be computed in another way.

    Of what `loads` yields not: annotations (kept as text under `from __future__ import annotations`), what
    is assigned to dunder names (`__all__`, `__version__` are read by other tools), whole statements, what is
    called, and what stands before a dot or an index.
    """
    nodes, lasts, parents = source.nodes, source.lasts, source.parents
    closed = 0
    for i in loads(source):
        if i < closed:
            continue
        parent = nodes[parents[i]]
        if isinstance(parent, cst.Annotation) or _is_dunder_assignment(parent):
            closed = lasts[parents[i]]
            continue
        node = nodes[i]
        if isinstance(parent, cst.Expr) or node is _head(parent):
            continue
        yield i


def value_refusal(source: Source, i: int) -> str | None:
    """Why a value must stay as it is written: its class, the compiled code or the text is looked at."""
    if source.scoping.of[i].kind == "class":
        return "class_body"
    return "frames" if "frames" in source.scoping.hazards else message_refusal(source, i)


def message_refusal(source: Source, i: int) -> str | None:
    """Why a literal must stay right behind the name of a translating function and its bracket."""
    node, parent = source.nodes[i], source.nodes[source.parents[i]]
    if isinstance(node, cst.BaseString) and isinstance(parent, cst.Arg):
        parent = source.nodes[source.parents[source.parents[i]]]
    elif not isinstance(parent, cst.Call) or parent.func is not node:
        return None
    function = parent.func if isinstance(parent, cst.Call) else None
    name = function.attr if isinstance(function, cst.Attribute) else function
    return "message" if isinstance(name, cst.Name) and name.value in _TRANSLATED else None


def own_values(source: Source) -> Iterator[int]:
    """Of what `values` yields what is assigned, returned, yielded, passed to a call or stands under a key.

    Not so operands, elements, keys, indices, defaults, bases of classes, what is unpacked or `_stands_out`.
    """
    for i in values(source):
        if _stands_out(source, i):
            continue
        node, parent = source.nodes[i], source.nodes[source.parents[i]]
        if isinstance(parent, cst.Arg):
            around = source.nodes[source.parents[source.parents[i]]]
            if isinstance(around, cst.Call) and not parent.star:
                yield i
        elif isinstance(parent, cst.DictElement):
            if node is parent.value:
                yield i
        elif isinstance(parent, (cst.Assign, cst.AnnAssign, cst.AugAssign, cst.Return, cst.Yield)):
            yield i


def shown_values(source: Source) -> Iterator[int]:
    """Of what `values` yields all but keys, indices, defaults, bases of classes, and what `_stands_out`."""
    for i in values(source):
        if _stands_out(source, i):
            continue
        node, parent = source.nodes[i], source.nodes[source.parents[i]]
        if isinstance(parent, (cst.Param, cst.Index, cst.Slice)):
            continue
        if isinstance(parent, cst.DictElement) and node is parent.key:
            continue
        around = source.nodes[source.parents[source.parents[i]]]
        if not (isinstance(parent, cst.Arg) and isinstance(around, cst.ClassDef)):
            yield i


def _stands_out(source: Source, i: int) -> bool:
    """Whether nobody puts a form around it: `self`, and what spans lines."""
    node = source.nodes[i]
    if isinstance(node, cst.Name):
        return node.value in ("self", "cls")
    start, end = source.starts[i], source.ends[i]
    return source.text.find("\n", start, end) >= 0 or source.text.find("\r", start, end) >= 0


PLACES = {"own": own_values, "shown": shown_values, "any": values}
"""Where a value may be computed in another way, by the name of the option."""


def _is_dunder_assignment(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Assign) and any(
        isinstance(target.target, cst.Name) and target.target.value.startswith("__")
        for target in node.targets
    )


def _head(parent: cst.CSTNode) -> cst.CSTNode | None:
    """What is called, or stands before a dot or an index."""
    if isinstance(parent, cst.Call):
        return parent.func
    return parent.value if isinstance(parent, (cst.Attribute, cst.Subscript)) else None


def is_tested_in_parts(node: cst.CSTNode) -> bool:
    """Whether a test of the expression is a test of its parts: as a value first, one part is tested twice.

    `if a or b:` asks a for its truth once; `if g(a or b):` asks the a that it got from g again.
    """
    if isinstance(node, cst.IfExp):
        return is_tested_in_parts(node.body) or is_tested_in_parts(node.orelse)
    if isinstance(node, cst.UnaryOperation):
        return isinstance(node.operator, cst.Not) and is_tested_in_parts(node.expression)
    chain = isinstance(node, cst.Comparison) and len(node.comparisons) > 1
    return chain or isinstance(node, cst.BooleanOperation)


def is_part_of_constant(source: Source, i: int) -> bool:
    """Whether an expression is a part of one that CPython folds into a constant, which is one object.

    `(1, f())` is made each time, `(1, 2)` once: wrapped in what isn't folded, its 1 would change that.
    """
    above = source.parents[i]
    while source.nodes[above].__class__ in _BETWEEN:
        above = source.parents[above]
    parent = source.nodes[above]
    if isinstance(parent, cst.Subscript) and parent.value is not source.nodes[i] and len(parent.slice) > 1:
        return all(_is_constant(key, _folded(source)) for key in _keys(parent))
    return id(parent) in _folded(source)


_BETWEEN = frozenset([cst.Element, cst.Index, cst.SubscriptElement])
_FOLDED: frozenset[type] = frozenset([cst.Tuple, cst.BinaryOperation, cst.UnaryOperation, cst.Subscript])
_LITERALS = (cst.BaseNumber, cst.SimpleString, cst.Ellipsis)


@kept
def _folded(source: Source) -> set[int]:
    """ids of the expressions made of constants alone, literals left out."""
    found: set[int] = set()
    for node in reversed(source.nodes):  # parts come before what they are parts of
        if node.__class__ in _FOLDED and all(_is_constant(part, found) for part in _parts(node)):
            found.add(id(node))
    return found


def _parts(node: cst.CSTNode) -> list[cst.CSTNode]:
    if isinstance(node, cst.Tuple):
        return [item.value if isinstance(item, cst.Element) else item for item in node.elements]
    if isinstance(node, cst.BinaryOperation):
        return [node.left, node.right]
    if isinstance(node, cst.UnaryOperation):
        return [node.expression]
    assert isinstance(node, cst.Subscript)
    return [node.value, *_keys(node)]


def _keys(node: cst.Subscript) -> list[cst.CSTNode]:
    slices = [item.slice for item in node.slice]
    return [part.value if isinstance(part, cst.Index) and part.star is None else part for part in slices]


def _is_constant(node: cst.CSTNode, folded: set[int]) -> bool:
    if isinstance(node, cst.ConcatenatedString):
        return _is_constant(node.left, folded) and _is_constant(node.right, folded)
    if isinstance(node, cst.Name):
        return node.value in ("None", "True", "False", "__debug__")
    return isinstance(node, _LITERALS) or id(node) in folded
