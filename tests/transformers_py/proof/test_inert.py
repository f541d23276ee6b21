"""Statements that do nothing may be inserted, and no others, whether their form was seen before or not."""

import ast

import pytest

from transformers_py import Source
from transformers_py.proof.inert import Surroundings, why_not
from transformers_py.proof.inert_shapes import line_of
from transformers_py.proof.whole_lines import is_inert

TEXT = """def f(a):
    global g
    b = a
    def h():
        c = b
    return b
"""
DEAD = "if False:\n        {bound} = {read}\n    "
NAMES = [
    ("spare", "a", ""),
    ("spare", "print", ""),
    ("b", "a", ""),
    ("a", "b", ""),
    ("c", "a", "binds c, which is not fresh"),
    ("g", "a", "binds g, which is not fresh"),
    ("print", "a", "binds print, which is not fresh"),
    ("h", "b", ""),
    ("spare", "c", "could capture c"),
    ("spare", "g", "uses g, which is declared"),
    ("spare", "vars", "uses vars"),
    ("eval", "a", "uses eval"),
]
STATEMENTS = [
    ("pass", ""),
    ("spare = [1, -2, 'a', {'b': (None,)}]", ""),
    ("spare = a", "Assign is not known to be inert"),
    ("spare.b = 1", "isn't to a name"),
    ("b = 1", "binds b, which is not fresh"),
    ("if False: b = 1", ""),
    ("if False: return 1", ""),
    ("if False: raise b", ""),
    ("if False: (spare := 1)", "contains NamedExpr"),
    ("if False: del b", "contains Delete"),
    ("if False: return", ""),
    ("if True: pass", "If is not known to be inert"),
    ("while 0: spare = yield", "contains Yield"),
    ("if 0: spare = lambda: a", "contains Lambda"),
    ("'text'", "Expr is not known to be inert"),
    ("def spare(eins=1): return eins", ""),
    ("def spare(eins=a): return eins", "defaults that are not constant"),
    ("def spare(eins: a): pass", "decorators or annotations"),
    ("def other(): pass", "is called other, which is not fresh"),
    ("def spare(): return b", "could capture b"),
    ("def spare(): return super", "uses super"),
]


def _around(*fresh: str) -> Surroundings:
    source = Source.analyse(TEXT)
    function = next(scope for scope in source.scopes if scope.kind == "function")
    return Surroundings(source, frozenset(fresh), function)


@pytest.mark.parametrize(("bound", "read", "reason"), NAMES)
def test_a_form_seen_before_is_held_to_the_same_rule(bound: str, read: str, reason: str) -> None:
    around = _around("spare", "eval")
    assert is_inert(DEAD.format(bound="spare", read="a"), ("    ", ""), around)
    text = DEAD.format(bound=bound, read=read)
    problem = why_not(ast.parse(text).body[0], None, "function", around)
    assert (reason in problem) if problem else not reason
    assert is_inert(text, ("    ", ""), around) is (not reason)


@pytest.mark.parametrize(("statement", "reason"), STATEMENTS)
def test_statements(statement: str, reason: str) -> None:
    around = _around("spare", "eins")
    problem = why_not(ast.parse(statement).body[0], None, "function", around)
    assert (reason and reason in problem) if problem else not reason
    in_class = why_not(ast.parse(statement).body[0], None, "class", around)
    assert (in_class is None) is (statement == "pass")


def test_what_a_form_may_assign_depends_on_whether_it_runs() -> None:
    around = _around("spare")
    assert is_inert("spare = 1\n    ", ("    ", ""), around)
    assert not is_inert("b = 1\n    ", ("    ", ""), around)
    assert why_not(ast.parse("b = 1").body[0], ast.parse("return").body[0], "function", around) is None


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("if 0: total = a", ""),
        ("if 0: spare = total", ""),
        ("if 0: spare = other", "could capture other"),
        ("if 0: other = a", "binds other, which is not fresh"),
    ],
)
def test_a_renamed_name_is_what_it_was(statement: str, reason: str) -> None:
    around = _around("spare")
    inner = next(scope for scope in around.source.scopes if "c" in scope.bindings)
    renamed = {"total": [(around.scope.index, "b")], "other": [(inner.index, "c")]}
    source = Source.analyse(TEXT.replace("h()", "h(other)"))
    scope = source.scopes[around.scope.index]
    problem = why_not(
        ast.parse(statement).body[0], None, "function", Surroundings(source, around.fresh, scope, renamed)
    )
    assert (reason and reason in problem) if problem else not reason


def test_the_prefix_of_a_string_is_a_part_of_its_form() -> None:
    around = _around("spare")
    assert is_inert("spare = b'{a}'\n    ", ("    ", ""), around)
    assert not is_inert("spare = f'{a}'\n    ", ("    ", ""), around)


@pytest.mark.parametrize(
    ("lines", "line", "dead"),
    [
        ("    spare = 1\n", "spare = 1", False),
        ("    if False:\n        b = a\n", "b = a", True),
        ("    while 0:\r\n    \tb = a\r\n", "b = a", True),
        ("    if False:\n    b = a\n", None, True),
        ("    if False: # no\n        b = a\n", None, True),
        ("    if False: b\n        b = a\n", None, True),
        ("    if True:\n        b = a\n", None, True),
        ("    if False:\n  b = a\n", None, True),
        ("  spare = 1\n", None, False),
        ("    if 0:\n        b = a\n        a = b\n", None, True),
        ("    spare = 1", None, False),
    ],
)
def test_a_line_is_all_that_lines_say(lines: str, line: str | None, dead: bool) -> None:
    found = line_of(lines, "    ")
    assert (found and found.text) == line
    assert found is None or found.dead is dead


def test_a_known_line_in_a_branch_may_not_run_outside_of_it() -> None:
    around = _around("spare")
    assert is_inert("if False:\n        b = a\n    ", ("    ", ""), around)
    assert is_inert("    while 0:\n      b = a\n", ("", "    "), around)
    assert not is_inert("b = a\n    ", ("    ", ""), around)
    assert not is_inert("if True:\n        b = a\n    ", ("    ", ""), around)
