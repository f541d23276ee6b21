"""Whether two compiled texts are the same program: code objects equal but for positions and variables' names.

def f(a): b = a      and      def f(a): total = a       are, if the pair (b, total) is allowed
"""

import dis
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from types import CodeType
from typing import cast

from transformers_py.source.cpython import WORD

_EXACT = ("co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_flags")
_LOCAL = frozenset(dis.haslocal)
_FREE = frozenset(dis.hasfree)
_NAME = frozenset(dis.hasname)
_CONSTANT = frozenset(dis.hasconst)
_GLOBAL = frozenset(
    dis.opmap[name]
    for name in ("LOAD_NAME", "STORE_NAME", "DELETE_NAME", "LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL")
    if name in dis.opmap
)
_JUMPS = frozenset([*dis.hasjrel, *dis.hasjabs])
_FAST = re.compile(r"(?:LOAD|STORE)_FAST(?=_|\Z)")
"""What an instruction does to each of its variables; one may do two things, to two variables."""
_CHECKED = frozenset(["LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW"])
"""CPython's own choice among ways to load a local, by what it can show of slots with low numbers."""
_Item = tuple[str, object]


@dataclass(frozen=True, slots=True)
class Renamed:
    """What may differ: pairs (old, new), and whether parameters, functions or global names may be among them.

    `fresh` maps each new name that is nowhere in the original back to its old name; `merged` holds the old
    names of comprehension variables, which CPython from 3.12 on may keep in the slot of a namesake.
    """

    pairs: frozenset[tuple[str, str]] = frozenset()
    fresh: Mapping[str, str] = field(default_factory=dict)
    merged: frozenset[str] = frozenset()
    parameters: bool = False
    functions: bool = False
    closed: bool = False
    """Names of the module, and constants that spell names (keywords, annotations, docstrings), may be renamed
    as well: which of them are right is another proof's part (closed_names.py)."""


NOTHING = Renamed()


def difference(old: CodeType, new: CodeType, renamed: Renamed = NOTHING) -> str | None:
    """None when both codes do the same, else where and in what they differ."""
    if old.co_code != new.co_code or old.co_names != new.co_names or _variables(old) != _variables(new):
        problem = _renamed_difference(old, new, renamed)
        if problem:
            return f"{problem} in {old.co_qualname}"
    elif old.co_exceptiontable != new.co_exceptiontable:
        return f"exception handlers in {old.co_qualname}"
    for name in _EXACT:
        if getattr(old, name) != getattr(new, name):
            return f"{name} in {old.co_qualname}"
    if old.co_name != new.co_name and not (renamed.functions and (old.co_name, new.co_name) in renamed.pairs):
        return f"the name of {old.co_qualname}"
    if not renamed.functions and old.co_qualname != new.co_qualname:
        return f"the qualified name of {old.co_qualname}"
    return _constants_difference(old, new, renamed)


def _constants_difference(old: CodeType, new: CodeType, renamed: Renamed) -> str | None:
    same_places = old.co_code == new.co_code
    before, after = (old.co_consts, new.co_consts) if same_places else (_constants(old), _constants(new))
    if len(before) != len(after):
        return f"constants in {old.co_qualname}"
    for a, b in zip(before, after, strict=True):
        if isinstance(a, CodeType) and isinstance(b, CodeType):
            problem = difference(a, b, renamed)
            if problem:
                return problem
        elif not (a is b or same_constant(a, b) or _may_spell(a, b, renamed)):
            return f"constants in {old.co_qualname}"
    return None


def _constants(code: CodeType) -> tuple[object, ...]:
    """The docstring's place, and the constants in the order in which instructions use them.

    CPython keeps equal constants once. Names of keywords, and code that is all on one line, can be equal
    before a renaming and not after it.
    """
    used = (code.co_consts[i.arg or 0] for i in dis.get_instructions(code) if i.opcode in _CONSTANT)
    return (*code.co_consts[:1], *used)


def same_constant(a: object, b: object) -> bool:
    """Equality that tells 1 from True and 1.0, and 0.0 from -0.0, also inside of tuples and frozen sets."""
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(same_constant, a, b))
    if isinstance(a, frozenset) and isinstance(b, frozenset):
        return sorted(map(_typed, a)) == sorted(map(_typed, b))
    if isinstance(a, (float, complex)):
        return repr(a) == repr(b)
    return a == b


def _typed(value: object) -> str:
    if isinstance(value, frozenset):
        return "frozenset(" + ",".join(sorted(map(_typed, value))) + ")"
    if isinstance(value, tuple):
        return "(" + ",".join(map(_typed, value)) + ")"
    return f"{type(value).__name__}:{value!r}"


def _may_spell(old: object, new: object, renamed: Renamed) -> bool:
    """Whether two constants differ in renamed names alone, where constants may spell names."""
    if renamed.functions and _is_same_path(old, new, renamed):
        return True
    if not renamed.closed:
        return False
    if isinstance(old, tuple) and isinstance(new, tuple) and len(old) == len(new):
        return all(same_constant(a, b) or _may_spell(a, b, renamed) for a, b in zip(old, new, strict=True))
    if not (isinstance(old, str) and isinstance(new, str)):
        return False
    return (old, new) in renamed.pairs or old == in_old_words(new, renamed.fresh)


def _is_same_path(old: object, new: object, renamed: Renamed) -> bool:
    """Whether two constants are qualified names (of classes) that differ in renamed functions alone."""
    if not (isinstance(old, str) and isinstance(new, str)):
        return False
    return _are_same_names(old.split("."), new.split("."), renamed)


def _are_same_names(old: Sequence[str], new: Sequence[str], renamed: Renamed) -> bool:
    """Whether one by one the names are equal or an allowed pair."""
    return len(old) == len(new) and all(
        a == b or (a, b) in renamed.pairs for a, b in zip(old, new, strict=True)
    )


def _variables(code: CodeType) -> tuple[tuple[str, ...], ...]:
    return code.co_varnames, code.co_cellvars, code.co_freevars


def _renamed_difference(old: CodeType, new: CodeType, renamed: Renamed) -> str | None:
    parameters = old.co_argcount + old.co_kwonlyargcount + bool(old.co_flags & 4) + bool(old.co_flags & 8)
    if not renamed.parameters and old.co_varnames[:parameters] != new.co_varnames[:parameters]:
        return "parameters"
    slots = zip(_variables(old), _variables(new), strict=True)
    same_order = all(a == b or _are_same_names(a, b, renamed) for a, b in slots)
    same_code = old.co_code == new.co_code and old.co_exceptiontable == new.co_exceptiontable
    if same_order and same_code and old.co_names == new.co_names:
        return None
    return _stream_difference(old, new, renamed)


def _stream_difference(old: CodeType, new: CodeType, renamed: Renamed) -> str | None:
    """Compare instruction by instruction with names in place of slots, whose numbers may be others."""
    before, after = _stream(old), _stream(new)
    if len(before) != len(after):
        return "instructions"
    counterparts = _Counterparts(renamed)
    for (op, a), (other, b) in zip(before, after, strict=True):
        if op != other:
            return "instructions"
        if isinstance(a, _Variable) and isinstance(b, _Variable):
            if not counterparts.allow(a, b):
                return "variables"
        elif isinstance(a, _Global) and isinstance(b, _Global):
            if a != b and not ((renamed.functions or renamed.closed) and renamed.fresh.get(b) == a):
                return "global names"
        elif a != b:
            return "instructions"
    return None


def in_old_words(text: str, fresh: Mapping[str, str]) -> str:
    """A text with each new name in it that is fresh renamed back."""
    return WORD.sub(lambda word: fresh.get(word[0], word[0]), text)


def globals_among(names: Set[str], code: CodeType) -> set[str]:
    """Which of the names a code object, or one inside of it, looks up in the module or in a class."""
    found: set[str] = set()
    if not names.isdisjoint(code.co_names):
        found.update(i.argval for i in dis.get_instructions(code) if i.opcode in _GLOBAL)
        found &= names
    inner = (globals_among(names, value) for value in code.co_consts if isinstance(value, CodeType))
    return found.union(*inner)


class _Counterparts:
    """Which variables of two codes stand for each other, in the instructions seen so far."""

    def __init__(self, renamed: Renamed) -> None:
        self.renamed = renamed
        self.new_of: dict[str, str] = {}
        self.old_of: dict[str, str] = {}

    def allow(self, old: str, new: str) -> bool:
        """Whether a variable may stand for an old one, and stands for no other."""
        renamed = self.renamed
        if old != new and ((old, new) not in renamed.pairs or renamed.fresh.get(new, old) != old):
            return False
        if self.old_of.setdefault(new, old) != old:
            return False
        return self.new_of.setdefault(old, new) == new or old in renamed.merged


class _Variable(str):
    __slots__ = ()


class _Global(str):
    __slots__ = ()


def _stream(code: CodeType) -> list[_Item]:
    """(operation, argument) of all instructions, then the exception table; places are numbers of items."""
    items: list[_Item] = []
    place: dict[int, int] = {}
    jumps: list[int] = []
    for instruction in dis.get_instructions(code):
        name, value = instruction.opname, instruction.argval
        place[instruction.offset] = len(items)
        if name == "EXTENDED_ARG":  # depends on the numbers of slots
            continue
        if instruction.opcode in _JUMPS:
            jumps.append(len(items))
            items.append((name, value))
        elif isinstance(value, tuple) and instruction.opcode in _LOCAL:
            parts = zip(_FAST.findall(name), value, strict=True)
            items.extend((part, _Variable(variable)) for part, variable in parts)
        elif instruction.opcode in _LOCAL or instruction.opcode in _FREE:
            name = "LOAD_FAST" if name in _CHECKED else name
            items.append((name, _Variable(value) if isinstance(value, str) else value))
        elif instruction.opcode in _GLOBAL:
            items.append((name, _flag(instruction)))
            items.append(("GLOBAL", _Global(value)))
        elif instruction.opcode in _CONSTANT:
            items.append((name, None))  # constants are compared by themselves
        elif instruction.opcode in _NAME:
            items.append((name, (value, _flag(instruction))))
        else:
            items.append((name, instruction.arg if not isinstance(value, int) else value))
    for k in jumps:
        name, target = items[k]
        items[k] = (name, place[cast(int, target)])
    end = len(items)
    items.extend(
        ("except", (*(place.get(2 * offset, end) for offset in (start, start + length, target)), depth))
        for start, length, target, depth in _exception_table(code.co_exceptiontable)
    )
    return items


def _exception_table(table: bytes) -> Iterator[tuple[int, ...]]:
    """(start, length, target, depth and whether the last instruction is kept), in units of code.

    The format is that of CPython's Objects/exception_handling_notes.txt: numbers of 6 bits a byte, the most
    significant first, bit 6 for "goes on"; bit 7 marks where an entry starts.
    """
    numbers: list[int] = []
    value = 0
    for byte in table:
        value = value << 6 | byte & 63
        if not byte & 64:
            numbers.append(value)
            value = 0
            if len(numbers) == 4:
                yield tuple(numbers)
                numbers = []


def _flag(instruction: dis.Instruction) -> str:
    """The part of the argument beside the name: "NULL + " and the like."""
    return instruction.argrepr.replace(str(instruction.argval), "")


def collect(
    pairs: Iterable[tuple[str, str]], words: frozenset[str]
) -> tuple[frozenset[tuple[str, str]], dict[str, str]]:
    """The set of pairs, and the map back from those new names that are words of no kind in the original."""
    found = frozenset(pairs)
    return found, {new: old for old, new in found if new not in words}
