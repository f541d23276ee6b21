"""A program and the texts that use it are renamed by one map, and still work together."""

from typing import Any

import pytest

from transformers_py import Unparseable, analyse_together, emit_together, names, rewrite_together

RENAMES = ("rename_variable", "rename_parameter", "rename_function")
CLOSED: list[Any] = [{name: {"world": "closed"}} for name in RENAMES]

PROGRAM = '''\
from typing import List

LIMIT = 100


def sort_third(l: List[int], *, by: int = 3) -> List[int]:
    """Sorts each third of l.

    >>> sort_third([5, 6, 3, 4])
    [4, 6, 3, 5]
    """
    l = list(l)
    l[::by] = sorted(l[::by])
    return l if len(l) < LIMIT else sort_third(l[:LIMIT], by=by)
'''
CHECK = """\
METADATA = {"author": "sort_it"}


def check(candidate):
    by = [5, 6, 3, 4]
    assert candidate(by) == [4, 6, 3, 5]
    assert sort_third([3, 2, 1], by=1) == [1, 2, 3], f"{sort_third([])} by"
    assert candidate is sort_third
    assert LIMIT == 100
"""
USERS = (CHECK, "check(sort_third)")


def run(*texts: str) -> dict[str, Any]:
    """The names of texts that run one after the other."""
    scope: dict[str, Any] = {"__name__": "problem"}
    for text in texts:
        exec(compile(text, "<problem>", "exec"), scope)
    return scope


def test_everything_that_the_program_defines_is_renamed_everywhere() -> None:
    done = rewrite_together(PROGRAM, USERS, CLOSED, rate=1.0, seed=1)
    assert done.program.status == "rewritten", done.program.problem
    assert set(done.names) == {"sort_third", "LIMIT"}
    assert done.program.original == PROGRAM
    found = run(done.program.text, *done.users)
    assert "sort_third" not in found
    assert "LIMIT" not in found
    assert callable(found[done.names["sort_third"]])
    assert {"check", "METADATA", "List"} <= set(found)
    assert done.users[1] == f"check({done.names['sort_third']})"
    assert "by = [5, 6, 3, 4]" in done.users[0]  # the test's own variable
    assert ", by=" not in done.users[0]
    assert '"sort_it"' in done.users[0]
    assert ">>> sort_third([5, 6, 3, 4])" in done.program.text  # documentation is kept
    assert all(change < 2 for _, change in done.program.alignment())


def test_documentation_follows_in_a_class_of_its_own() -> None:
    follow = [
        {name: {"world": "closed", "documentation": "follow", "style": "generic"}} for name in RENAMES[1:]
    ]
    done = rewrite_together(PROGRAM, USERS, follow, rate=1.0, seed=1)
    assert done.program.status == "rewritten", done.program.problem
    assert '"""Sorts each third of arg_1.\n\n    >>> func_1([5, 6, 3, 4])\n' in done.program.text
    run(done.program.text, *done.users)
    told = PROGRAM.replace("third of l.", "third of l. Good to check.")
    assert "Good to check." in rewrite_together(told, USERS, follow, rate=1.0, seed=1).program.text
    with pytest.raises(ValueError, match="documentation: follow needs world: closed"):
        rewrite_together(PROGRAM, USERS, [{"rename_function": {"documentation": "follow"}}], rate=1.0, seed=1)
    options = {"world": "closed", "documentation": "follow", "style": "swap"}
    with pytest.raises(ValueError, match="swap makes none"):
        rewrite_together(PROGRAM, USERS, [{"rename_function": options}], rate=1.0, seed=1)


def test_new_names_are_in_none_of_the_texts() -> None:
    numbered: list[Any] = [{name: {"world": "closed", "style": "numbered"}} for name in RENAMES]
    users = (CHECK.replace("[5, 6, 3, 4]\n", "[5, 6, 3, 4]; var_1 = func_2 = 0\n", 1), USERS[1])
    done = rewrite_together(PROGRAM, users, numbered, rate=1.0, seed=1)
    new = {edit.text for edit in done.program.edits}
    assert new == {"var_3", "arg_4", "arg_5", "func_6"}
    run(done.program.text, *done.users)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_rewrites_change_nothing_but_names_in_the_users(seed: int) -> None:
    rest: list[Any] = [name for name in names() if name not in RENAMES]
    source = analyse_together(PROGRAM, USERS)
    for rate in (0.5, 1.0):
        done = emit_together(source, [*CLOSED, *rest], rate=rate, seed=seed)
        assert done.program.status == "rewritten", done.program.problem
        assert [len(user.splitlines()) for user in done.users] == [len(user.splitlines()) for user in USERS]
        run(done.program.text, *done.users)


def test_without_a_closed_world_users_stay_as_they_are() -> None:
    done = rewrite_together(PROGRAM, USERS, list(names()), rate=1.0, seed=1)
    assert done.users == USERS
    assert not done.names
    run(done.program.text, *done.users)


@pytest.mark.parametrize(
    "users, reason",
    [
        (["print(globals()['sort_third'])"], "rename_function:namespace"),
        (["import unittest.mock\nunittest.mock.patch('sort_third')"], "rename_function:named_elsewhere"),
        (["assert sort_third.__name__"], "rename_function:shows_its_name"),
        (["import inspect\ninspect.signature(sort_third)"], "rename_parameter:signatures"),
        (["import functools\nfunctools.partial(sort_third, by=1)"], "rename_parameter:unknown_call"),
        (["def sort_third(): pass"], "rename_parameter:unknown_call"),
    ],
)
def test_what_the_users_see_is_left_alone(users: list[str], reason: str) -> None:
    if reason.endswith("unknown_call") and "partial" not in users[0]:
        users = [*users, "g = sort_third", "g(by=1)"]
    done = rewrite_together(PROGRAM, users, CLOSED, rate=1.0, seed=1)
    assert done.program.refusals[reason] > 0
    assert done.program.status == "rewritten", done.program.problem


def test_parts_have_to_be_whole() -> None:
    with pytest.raises(Unparseable):
        rewrite_together("def f():", ["    return 1"], CLOSED, rate=1.0, seed=1)
    with pytest.raises(Unparseable):
        rewrite_together("x = 1\n", ["from __future__ import annotations"], CLOSED, rate=1.0, seed=1)


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "  # the end", "\n# the end"])
def test_any_end_of_the_program(end: str) -> None:
    program = "def f(a):\n    b = a\n    return b" + end
    rest: list[Any] = [name for name in names() if name not in RENAMES]
    for seed in range(5):
        done = rewrite_together(program, ["assert f(a=3) == 3\n"], [*CLOSED, *rest], rate=1.0, seed=seed)
        assert done.program.status == "rewritten", done.program.problem
        assert run(done.program.text, *done.users)
        assert done.program.alignment()
