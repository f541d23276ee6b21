"""Splices a variant unit by unit and proves each unit; a proof is kept for variants that edit it alike.

The package says what is proved; which proof an edit needs is in its `Role`.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence, Set
from functools import cache

from transformers_py.proof import closed_names, wrappers
from transformers_py.proof.bytecode import NOTHING, Renamed, collect, difference, globals_among
from transformers_py.proof.compilation_units import CompilationUnit
from transformers_py.proof.constants import is_part_of_constant
from transformers_py.proof.insertions import skeleton_problem
from transformers_py.proof.roles import Role
from transformers_py.proof.whole_lines import are_whole_lines
from transformers_py.source import Source
from transformers_py.source.cpython import Unparseable, compile_flat, compiled, parse_quietly, words
from transformers_py.source.edits import OPENING, POINT, Edit, splice


def numbers_of(units: Sequence[CompilationUnit], edits: Sequence[Edit], roles: Sequence[Role]) -> list[int]:
    """The unit of each edit. Statements inserted where a unit starts belong to the one before, but for
    those of the module. Empty if edits of two units would have to be mixed."""
    starts = [unit.start for unit in units]
    numbers: list[int] = []
    last = 0
    for edit, role in zip(edits, roles, strict=True):
        number = max(bisect_right(starts, edit.start) - 1, 0)
        if (
            role.kind == "fresh"
            and role.group == POINT
            and role.scope
            and starts[number] == edit.start
            and number
        ):
            number -= 1
        if number < last or edit.end > units[number].end:
            return []
        numbers.append(number)
        last = number
    return numbers


def prove(
    source: Source,
    units: Sequence[CompilationUnit],
    edits: Sequence[Edit],
    roles: Sequence[Role],
    numbers: Sequence[int],
    kinds: Set[Role],
) -> tuple[str, str | None]:
    """(the rewritten text, None), or what is wrong with it in the place of None.

    `kinds` are all roles that may occur.
    """
    text = source.text
    pieces: list[str] = []
    position = first = 0
    while first < len(edits):
        unit = units[numbers[first]]
        last = bisect_right(numbers, numbers[first], first)
        own, own_roles = edits[first:last], roles[first:last]
        key = (tuple(own), tuple(own_roles))
        if key not in unit.proved:
            piece = splice(text, own, unit.start, unit.end)
            unit.note(key, (piece, _problem(source, unit, piece, own, own_roles)))
        piece, problem = unit.proved[key]
        if problem:
            return text, problem
        pieces += (text[position : unit.start], piece)
        position = unit.end
        first = last
    pieces.append(text[position:])
    rewritten = "".join(pieces)
    if any(role.closed for role in kinds) and any(role.closed for role in roles):
        problem = _closed_problem(source, edits, roles)
        if problem:
            return text, problem
    at_module = [role for role in kinds if role.kind == "fresh" and role.scope == 0]
    if at_module and not set(at_module).isdisjoint(roles):
        try:
            compiled(rewritten.removeprefix("\ufeff"))  # units don't see what must come first in a module
        except Unparseable as error:
            return text, f"the rewritten text doesn't compile: {error}"
    return rewritten, None


def missed_names(source: Source, edits: Sequence[Edit], roles: Sequence[Role]) -> str | None:
    """What a module's name is renamed to has to be its name in every unit, also in those without edits."""
    renamed = Counter(
        source.text[edit.start : edit.end]
        for edit, role in zip(edits, roles, strict=True)
        if role.renames == "function" and role.scope == 0 and not role.closed
    )
    for name, count in renamed.items():
        if source.word_counts[name] != count:
            return f"the module's {name} isn't renamed everywhere"
    return None


def _closed_problem(source: Source, edits: Sequence[Edit], roles: Sequence[Role]) -> str | None:
    """What is wrong with names that others than their own scope see, looked at in the whole text."""
    text = source.text
    renamed = _renamed(source, edits, roles)
    named = [(edit, role) for edit, role in zip(edits, roles, strict=True) if role.kind == "names"]
    plain = splice(text, [edit for edit, _ in named]).removeprefix("\ufeff")
    names = {text[edit.start : edit.end] for edit, role in named if role.scope == 0}
    try:
        left = globals_among(names, compiled(plain))
    except Unparseable as error:
        return f"the renamed text doesn't compile: {error}"
    if left:
        return f"the module's {', '.join(sorted(left))} isn't renamed everywhere"
    documented = any(role.documented for role in roles)
    known = frozenset(edit.text for edit, role in named if role.closed)
    return closed_names.problem(source.ast, parse_quietly(plain), renamed, known, documented=documented)


def _problem(
    source: Source, unit: CompilationUnit, piece: str, edits: Sequence[Edit], roles: Sequence[Role]
) -> str | None:
    """What is wrong with a unit's spliced characters, or None."""
    kinds = {role.kind for role in roles}
    if "value" in kinds:
        problem = _wrapper_problem(source, edits, roles)
        if problem:
            return problem
    grown = not kinds.isdisjoint(("fresh", "value"))
    text = f"{unit.head}{piece}{unit.tail}"
    if kinds != {"fresh"}:
        plain = _plain(source.text, unit, edits, roles) if grown else text
        problem = _code_problem(unit, plain, _renamed(source, edits, roles))
        if problem:
            return problem
    if not grown:
        return None
    try:
        unit.compiled(text)
    except Unparseable as error:
        return f"the rewritten text doesn't compile: {error}"
    inserted = [edit.text for edit, role in zip(edits, roles, strict=True) if role.kind == "fresh"]
    renamed: dict[str, list[tuple[int, str]]] = {}
    for edit, role in zip(edits, roles, strict=True):
        if role.renames:
            renamed.setdefault(edit.text, []).append((role.scope, source.text[edit.start : edit.end]))
    known = source.words | renamed.keys()

    @cache
    def fresh() -> frozenset[str]:
        return frozenset(words(" ".join(inserted))) - known

    if are_whole_lines(source, edits, roles, fresh, renamed):
        return None
    shift = len(unit.head) - unit.start
    moved = [Edit(start + shift, end + shift, new) for start, end, new in edits]
    return skeleton_problem(source, unit, text, moved, roles, fresh(), renamed)


def _code_problem(unit: CompilationUnit, text: str, renamed: Renamed) -> str | None:
    """None when `text` compiles to the unit's code, up to positions and the renamings allowed.

    Broken lines leave other NOPs, which let a tracer stop at each line: then the code is compared that
    CPython makes of both trees without their positions.
    """
    try:
        code = unit.compiled(text)
    except Unparseable as error:
        return str(error)
    problem = difference(unit.code, code, renamed)
    if problem is None:
        return None
    return difference(unit.flat_code, compile_flat(text, unit.flags), renamed) and problem


def _plain(text: str, unit: CompilationUnit, edits: Sequence[Edit], roles: Sequence[Role]) -> str:
    """The unit with all edits but inserted statements, and with bare parentheses for wrappers."""
    reduced: list[Edit] = []
    for edit, role in zip(edits, roles, strict=True):
        kind = role.kind
        if kind == "value":
            reduced.append(Edit(edit.start, edit.end, "(" if role.group == OPENING else ")"))
        elif kind != "fresh":
            reduced.append(edit)
    return f"{unit.head}{splice(text, reduced, unit.start, unit.end)}{unit.tail}"


def _wrapper_problem(source: Source, edits: Sequence[Edit], roles: Sequence[Role]) -> str | None:
    """Why two sides of a wrapper, which nest, aren't neutral around what they wrap."""
    opened: list[tuple[int, Edit]] = []
    unfolded = (-1, -1)
    """Where the last wrapper stood that CPython doesn't compute ahead."""
    for i, (edit, role) in enumerate(zip(edits, roles, strict=True)):
        if role.kind != "value":
            continue
        if role.group == OPENING:
            opened.append((i, edit))
            continue
        if role.group == POINT or not opened:
            return f"the wrapper that ends at {edit.start} has no other side"
        first, opening = opened.pop()
        inside = [
            edits[k] for k in range(first + 1, i) if roles[k].kind == "bytecode"
        ]  # not not [a] is no list
        operand = splice(source.text, inside, opening.start, edit.start)
        problem = wrappers.problem(opening.text, operand, edit.text)
        if problem:
            return f"{problem} (at {opening.start})"
        place = (opening.start, edit.start)
        if not wrappers.is_folded(opening.text, edit.text):
            if is_part_of_constant(source, *place):
                return f"a constant would be computed each time (at {opening.start})"
            unfolded = place
        elif unfolded == place:
            return f"a literal isn't beside its neutral element (at {opening.start})"
    return "a wrapper isn't closed" if opened else None


def _renamed(source: Source, edits: Sequence[Edit], roles: Sequence[Role]) -> Renamed:
    """Which renamings the proof may allow: those that the edits make, and no others."""
    text = source.text
    named = [(edit, role.renames) for edit, role in zip(edits, roles, strict=True) if role.kind == "names"]
    if not named:
        return NOTHING
    found, fresh = collect({(text[edit.start : edit.end], edit.text) for edit, _ in named}, source.words)
    what = {renames for _, renames in named}
    merged = source.scoping.comprehension_names
    closed = any(role.closed for role in roles)
    return Renamed(found, fresh, merged, "parameter" in what, "function" in what, closed)
