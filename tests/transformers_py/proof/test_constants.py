"""What CPython computes once has to stay computed once; the proof says so without asking a rewrite."""

import pytest

from transformers_py import Source
from transformers_py.proof.compilation_units import units_of
from transformers_py.proof.constants import is_part_of_constant
from transformers_py.proof.prover import prove
from transformers_py.proof.roles import Role
from transformers_py.source.edits import CLOSING, OPENING, Edit

PARTS = [
    ("x = (1, (2, 3))", "2", True),
    ("x = (1, (2, 3))", "(2, 3)", True),
    ("x = (1, (2, 3))", "(1, (2, 3))", False),
    ("x = (1, (2, a))", "2", False),
    ("x = (a, (2, 3))", "(2, 3)", False),
    ("x = -1000", "1000", True),
    ("x = 500 + 600 + 700", "500", True),
    ("x = 'ab'[0]", "0", True),
    ("x = a[1, 2]", "2", True),
    ("x = a[1]", "1", False),
    ("x = [1, 2]", "1", False),
    ("x = not ('é', 2)", "2", True),
    ("\ufeffx = (7, 8)", "8", True),
]


@pytest.mark.parametrize("text, part, expected", PARTS)
def test_parts(text: str, part: str, expected: bool) -> None:
    start = text.index(part)
    assert is_part_of_constant(Source.analyse(text), start, start + len(part)) is expected


def proved(text: str, wrapped: list[tuple[str, str, str]]) -> str | None:
    """What the proof says of a text with wrappers around some of its parts, given from the outermost on."""
    source = Source.analyse(text)
    opened: list[tuple[Edit, Role]] = []
    closed: list[tuple[Edit, Role]] = []
    for before, part, after in wrapped:
        start = text.index(part)
        opened.append((Edit(start, start, before), Role("value", "", OPENING, 0)))
        closed.insert(0, (Edit(start + len(part), start + len(part), after), Role("value", "", CLOSING, 0)))
    edits = [*opened, *closed]
    roles = [role for _, role in edits]
    made = [edit for edit, _ in edits]
    return prove(source, units_of(source), made, roles, [0] * len(edits), frozenset(roles))[1]


CHOICE, CALL, SUM = ("(", " if True else None)"), ("(lambda a: a)(", ")"), ("(", " + 0)")


@pytest.mark.parametrize("before, after", [CHOICE, CALL])
def test_a_constant_falls_apart(before: str, after: str) -> None:
    assert "each time" in (proved("x = (1, 2)\n", [(before, "1", after)]) or "")
    assert proved("x = (1, 2)\n", [(before, "(1, 2)", after)]) is None


def test_sums_are_computed_ahead_beside_their_literal_alone() -> None:
    assert proved("x = (1000, 2)\n", [(SUM[0], "1000", SUM[1])]) is None
    assert proved("x = 1000\n", [(CHOICE[0], "1000", CHOICE[1]), (SUM[0], "1000", SUM[1])]) is None
    assert proved("x = 1000\n", [(SUM[0], "1000", SUM[1]), (CHOICE[0], "1000", CHOICE[1])])


def test_products_of_long_numbers_are_not_computed_ahead() -> None:
    assert proved(f"x = {2**90}\n", [("(", str(2**90), " * 1)")]) is None
    assert proved(f"x = {2**120}\n", [("(", str(2**120), " * 1)")])
