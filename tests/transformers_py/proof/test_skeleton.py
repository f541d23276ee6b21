"""The statements of a text, and where edits move them, are those of the edited text."""

import pytest

from transformers_py import Edit
from transformers_py.proof.roles import Role
from transformers_py.proof.skeleton import moved, skeleton
from transformers_py.source.edits import CLOSING, OPENING, POINT, REPLACING, splice

TEXT = "def f(a):\n    if a: b = a\n    return b\nf(é)\n"
AT = TEXT.index("b = a"), TEXT.index("return")
MOVES = [
    ([(AT[0], AT[0] + 1, "total", REPLACING)], []),
    ([(AT[0] + 4, AT[0] + 4, "(", OPENING), (AT[0] + 5, AT[0] + 5, ")", CLOSING)], []),
    ([(AT[1], AT[1], "pass\n    ", POINT)], [3]),
    ([(0, 0, "def g(): pass\n", POINT), (AT[1], AT[1], "x = 'é'\n    ", POINT)], [0, 1, 5]),
]


def test_statements() -> None:
    assert skeleton(TEXT) == [
        ("FunctionDef", 0, 0, 0),
        ("If", 1, 14, 0),
        ("Assign", 2, 20, 25),
        ("Return", 1, 30, 38),
        ("Expr", 0, 39, 43),
    ]


@pytest.mark.parametrize(("edits", "inserted"), MOVES)
def test_edits_move_statements(edits: list[tuple[int, int, str, int]], inserted: list[int]) -> None:
    plain = [Edit(start, end, text) for start, end, text, _ in edits]
    roles = [Role("ast", "", group, 0) for *_, group in edits]
    after = skeleton(splice(TEXT, plain))
    assert moved(skeleton(TEXT), plain, roles) == [s for k, s in enumerate(after) if k not in inserted]
