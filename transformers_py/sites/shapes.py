"""Statements for code that never runs, in the shapes of the file's own, with names of their new place.

total = scale(width), somewhere in the file  ->  if False: ratio = scale(height), where height is local
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst

from transformers_py.sites.new_names import Dice
from transformers_py.sites.taken import Taken
from transformers_py.sites.vocabulary import literal, near_name
from transformers_py.source import Source, kept
from transformers_py.source.edits import NAMED
from transformers_py.source.scopes import DYNAMIC, NameScope

_LONGEST = 50
"""Characters of a statement that is taken for a shape."""
_FROM_FILE = 40
"""So many shapes, drawn evenly from the file, are tried in any scope."""
_FROM_CLASS = 80
"""So many shapes of a class are tried in each of its methods, besides the method's own."""
_OWN, _LITERAL = 0.6, 0.06
"""How often a statement's names mean something in its new place, and how often it just sets a variable."""
_GLOBAL = re.compile(f"{NAMED}[^{NAMED}]*{NAMED}")
_TRY_STAR = re.compile(r"except[\s\\]*\*")
SELF = frozenset(["self", "cls"])
_HIDDEN = DYNAMIC | {"_", "super", "__class__"}
_CLOSED = (
    cst.Lambda,
    cst.BaseComp,
    cst.FormattedString,
    cst.Yield,
    cst.Await,
    cst.NamedExpr,
    cst.StarredElement,
    cst.StarredDictElement,
    cst.ConcatenatedString,
)
"""What dead code may not have in it, or what is no short expression."""
_LEAVING = frozenset(["return", "raise"])


@dataclass(frozen=True, slots=True)
class Shape:
    """A statement cut at its local names: piece, name, piece, name ... piece.

    `bound` says of each name whether the statement assigns it. `kept` are the names that stay as they are
    spelt: globals and builtins.
    """

    kind: str
    """assign, augment, store (to an attribute or item), call, return, raise or assert"""
    pieces: tuple[str, ...]
    names: tuple[str, ...]
    bound: tuple[bool, ...]
    kept: frozenset[str]
    scope: int
    owner: int
    """The scope of the class in whose method it stands, or -1."""

    def tells(self, taken: Taken) -> bool:
        """Whether what stays as it is, all but names that are replaced or follow, says a hidden word."""
        return bool(taken.hidden) and taken.tells(_GLOBAL.sub("", "\0".join(self.pieces)))

    def with_names(self, names: Iterable[str]) -> str:
        """The statement with other names in its holes, or "" where it would assign a variable to itself."""
        holes = zip(names, self.pieces[1:], strict=True)
        text = self.pieces[0] + "".join(name + piece for name, piece in holes)
        left, _, right = text.partition(" = ")
        return "" if left == right else text


@kept
def shapes(source: Source) -> list[Shape]:
    """All short simple statements of the file's functions that may be repeated in dead code."""
    found: list[Shape] = []
    nodes, of = source.nodes, source.scoping.of
    for i, node in enumerate(nodes):
        if node.__class__ is not cst.SimpleStatementLine or of[i].kind != "function":
            continue
        assert isinstance(node, cst.SimpleStatementLine)
        if len(node.body) > 1:
            continue
        kind = _kind(node.body[0])
        shape = _shape(source, i, kind) if kind else None
        if shape is not None:
            found.append(shape)
    return found


def _kind(node: cst.CSTNode) -> str:
    if isinstance(node, cst.Assign):
        target = node.targets[0].target
        if len(node.targets) > 1 or isinstance(target, (cst.Tuple, cst.List)):
            return ""
        return "assign" if isinstance(target, cst.Name) else "store"
    if isinstance(node, cst.AugAssign):
        return "augment"
    if isinstance(node, cst.Expr):
        return "call" if isinstance(node.value, cst.Call) else ""
    if isinstance(node, cst.Return):
        return "return" if node.value is not None else ""
    if isinstance(node, cst.Raise):
        return "raise" if node.exc is not None else ""
    return "assert" if isinstance(node, cst.Assert) else ""


def _shape(source: Source, i: int, kind: str) -> Shape | None:
    """The shape of the statement on the line at an index of the table; None where it may not be repeated."""
    start, end = source.inner_starts[i], source.inner_ends[i]
    text = source.text
    said = text[start:end]
    if len(said) > _LONGEST or not said.isascii() or not said.isprintable() or said.endswith(";"):
        return None
    scope, roles = source.scoping.of[i], source.scoping.roles
    pieces = [""]
    names: list[str] = []
    bound: list[bool] = []
    spelt: set[str] = set()
    for k in range(i + 2, source.lasts[i]):
        node = source.nodes[k]
        if isinstance(node, _CLOSED) or (isinstance(node, cst.Arg) and node.star):
            return None
        if not isinstance(node, cst.Name):
            continue
        role, name = roles.get(id(node)), node.value
        if role == "none":
            continue
        if name in _HIDDEN or name in scope.declared or name.startswith("__"):
            return None
        binding = scope.resolved.get(name)
        if role is None and (binding is None or not binding.scope.is_function):
            spelt.add(name)
            if name in source.scopes[0].bindings:  # which may be renamed
                pieces[-1] += f"{text[start : source.inner_starts[k]]}{NAMED}{name}{NAMED}"
                start = source.inner_ends[k]
            continue
        pieces[-1] += text[start : source.inner_starts[k]]
        pieces.append("")
        names.append(name)
        bound.append(role is not None)
        start = source.inner_ends[k]
    pieces[-1] += text[start:end]
    owner = next((outer.index for outer in scope.enclosing() if outer.kind == "class"), -1)
    return Shape(kind, tuple(pieces), tuple(names), tuple(bound), frozenset(spelt), scope.index, owner)


@dataclass(frozen=True, slots=True)
class _Place:
    """What may be said in a scope: its shapes, and its local names with where they are first spelt."""

    same: tuple[Shape, ...]
    """Shapes whose names all mean something here, too."""
    other: tuple[Shape, ...]
    """Shapes whose names have to be replaced."""
    readable: dict[str, int]
    bindable: dict[str, int]


@kept
def _places(source: Source) -> dict[int, _Place]:
    """`_place`, by scope: those of the scopes that were asked for."""
    return {}


def _place(source: Source, scope: NameScope) -> _Place:
    known = _places(source)
    if scope.index in known:
        return known[scope.index]
    readable: dict[str, int] = {}
    bindable: dict[str, int] = {}
    for name, spelt in scope.uses.items():
        binding = scope.resolved.get(name)
        if binding is None or not binding.scope.is_function or name in scope.declared:
            continue
        if name.startswith("__") or name in _HIDDEN or binding.kinds & {"except", "delete"}:
            continue
        first = -1 if "parameter" in binding.kinds else source.inner_starts[spelt[0]]
        readable[name] = first
        if binding.scope is scope and name not in SELF and "variable" in binding.kinds:
            bindable[name] = first
    local = source.scoping.local_names
    same: list[Shape] = []
    other: list[Shape] = []
    for shape in _near(source, scope):
        if any(
            name in scope.declared or (name in local and not _is_global(scope, name)) for name in shape.kept
        ):
            continue
        if shape.kind == "return" and (shape.scope != scope.index or _may_have_try_star(source)):
            continue
        reads = [name for name, bound in zip(shape.names, shape.bound, strict=True) if not bound]
        if all(name in readable for name in reads):
            same.append(shape)
        elif all(name in readable for name in reads if name in SELF):
            other.append(shape)
    found = known[scope.index] = _Place(tuple(same), tuple(other), readable, bindable)
    return found


def _is_global(scope: NameScope, name: str) -> bool:
    """Whether a name that is a local variable elsewhere is spelt in a scope as a global one."""
    binding = scope.resolved.get(name)
    return name in scope.uses and (binding is None or not binding.scope.is_function)


def _near(source: Source, scope: NameScope) -> Iterator[Shape]:
    """The shapes of a function, of its class (of large classes some), and some of the rest of the file."""
    owner = next((outer.index for outer in scope.enclosing() if outer.kind == "class"), -1)
    by_scope, by_owner, anywhere = _by_place(source)
    yield from by_scope.get(scope.index, ())
    yield from (shape for shape in by_owner.get(owner, ()) if shape.scope != scope.index)
    for shape in anywhere:
        if shape.scope != scope.index and (owner < 0 or shape.owner != owner):
            yield shape


@kept
def _by_place(source: Source) -> tuple[dict[int, list[Shape]], dict[int, list[Shape]], list[Shape]]:
    """The shapes by scope, those of classes' methods by class, and some for every place."""
    by_scope: dict[int, list[Shape]] = {}
    by_owner: dict[int, list[Shape]] = {}
    anywhere: list[Shape] = []
    for shape in shapes(source):
        by_scope.setdefault(shape.scope, []).append(shape)
        if shape.owner >= 0:
            by_owner.setdefault(shape.owner, []).append(shape)
        if SELF.isdisjoint(shape.names):
            anywhere.append(shape)
    by_owner = {owner: _some(found, _FROM_CLASS) for owner, found in by_owner.items()}
    return by_scope, by_owner, _some(anywhere, _FROM_FILE)


def _some(found: list[Shape], most: int) -> list[Shape]:
    """At most so many of the shapes, evenly."""
    return found[:: max(1, -(-len(found) // most))]


@kept
def _may_have_try_star(source: Source) -> bool:
    """Whether the file may have an `except*`, in which nothing may return."""
    return _TRY_STAR.search(source.text) is not None


def statement(
    source: Source, scope: NameScope, offset: int, dice: Dice, taken: Taken, *, leaving: bool = True
) -> str:
    """A statement for dead code at an offset in a function; each of the file's names in it stands in NAMED.

    It binds local variables of the function or new names alone. `leaving`: it may be a return or a raise.
    """
    place = _place(source, scope)
    readable = [name for name, first in place.readable.items() if first < offset]
    bindable = [name for name, first in place.bindable.items() if first < offset]
    if taken.hidden:
        readable = [name for name in readable if taken.may_read(scope, name)]
        bindable = [name for name in bindable if taken.may_read(scope, name)]
    for _ in range(10):
        own = place.same and (not place.other or dice.random() < _OWN)
        pool = place.same if own else place.other
        if not pool or dice.random() < _LITERAL:
            break
        shape = dice.pick(pool)
        if (leaving or shape.kind not in _LEAVING) and not shape.tells(taken):
            text = _filled(source, scope, shape, readable, bindable, dice, taken, exact=pool is place.same)
            if text:
                return text
    kind, value = literal(source, dice, taken)
    usable = [name for name in readable if name not in SELF]
    if usable and dice.random() < 0.5:
        chosen = dice.pick(usable)
        return f"{near_name(source, scope, dice, taken, '', chosen)} = {NAMED}{chosen}{NAMED}"
    if bindable and dice.random() < 0.7:
        return f"{NAMED}{dice.pick(bindable)}{NAMED} = {value}"
    return f"{near_name(source, scope, dice, taken, kind)} = {value}"


def _filled(
    source: Source,
    scope: NameScope,
    shape: Shape,
    readable: list[str],
    bindable: list[str],
    dice: Dice,
    taken: Taken,
    *,
    exact: bool,
) -> str:
    """A shape with names of its new place, or "" where it has too few of them.

    Names that mean something there mostly stay; one that is assigned becomes another variable, or a new one.
    """
    free = [name for name in readable if name not in SELF]
    chosen: dict[str, str] = {}
    for name, bound in zip(shape.names, shape.bound, strict=True):
        if bound or name in chosen:
            continue
        if name in readable and (exact or name in SELF or dice.random() < 0.7):
            chosen[name] = name
            continue
        others = [other for other in free if other not in chosen.values()]
        if not others:
            return ""
        chosen[name] = dice.pick(others)
    target = ""
    if any(shape.bound):
        old = shape.names[shape.bound.index(True)]
        targets = [name for name in bindable if name not in chosen.values()]
        if shape.kind == "augment":
            if not bindable:
                return ""
            target = old if old in bindable else dice.pick(bindable)
        elif targets and dice.random() < 0.6:
            target = old if old in targets and dice.random() < 0.5 else dice.pick(targets)
        else:
            target = NAMED + near_name(source, scope, dice, taken, "", old)
    placed = (target if bound else chosen[name] for name, bound in zip(shape.names, shape.bound, strict=True))
    return shape.with_names(new[1:] if new.startswith(NAMED) else f"{NAMED}{new}{NAMED}" for new in placed)
