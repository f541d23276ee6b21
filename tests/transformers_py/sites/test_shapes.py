"""Statements for dead code are the file's own, over names that mean something in their place."""

import ast

from transformers_py import Source
from transformers_py.sites.helpers import function
from transformers_py.sites.new_names import Dice
from transformers_py.sites.shapes import shapes, statement
from transformers_py.sites.taken import Taken
from transformers_py.source.edits import NAMED
from transformers_py.source.scopes import NameScope

TEXT = """
import os

SIZE = 3


class Pool:
    def take(self, count, *rest):
        free = os.cpu_count() - count
        self.free = free
        late = [x for x in rest]
        assert len(late) >= 4, "too few"
        print(*late, f"{free}", lambda: count)
        return free

    def give(self, number):
        global SIZE
        SIZE = number
        total = number + self.free
        total += SIZE
        self.take(total)


async def lone(value):
    await value
    text = value.strip();
    yield text
    raise ValueError(text)
"""
SOURCE = Source.analyse(TEXT)
TAKEN = Taken(SOURCE.words)


def scope_of(name: str) -> NameScope:
    return next(scope for scope in SOURCE.scopes if name in scope.bindings and scope.kind == "function")


def said(scope: NameScope, offset: int) -> set[str]:
    return {statement(SOURCE, scope, offset, Dice(str(seed)), TAKEN) for seed in range(300)}


def names_in(text: str) -> tuple[set[str], set[str]]:
    """(names that are read, names that are bound)"""
    nodes = [n for n in ast.walk(ast.parse(f"def f():\n    {text}\n")) if isinstance(n, ast.Name)]
    loads = {node.id for node in nodes if isinstance(node.ctx, ast.Load)}
    return loads, {node.id for node in nodes if not isinstance(node.ctx, ast.Load)}


def test_what_dead_code_may_not_have_is_no_shape() -> None:
    found = ["".join(p + n for p, n in zip(s.pieces, (*s.names, ""), strict=True)) for s in shapes(SOURCE)]
    assert [text.replace(NAMED, "") for text in found] == [
        "free = os.cpu_count() - count",
        "self.free = free",
        'assert len(late) >= 4, "too few"',
        "return free",
        "total = number + self.free",
        "self.take(total)",
        "raise ValueError(text)",
    ]


def test_names_mean_something_where_they_are_said() -> None:
    for name in ("free", "total", "text"):
        scope = scope_of(name)
        known = {*scope.uses, "os", "len", "ValueError"}
        for text in said(scope, len(TEXT)):
            loads, bound = names_in(text.replace(NAMED, ""))
            assert loads <= known, text
            assert all(new in scope.bindings or new not in SOURCE.words for new in bound), text
            left, _, right = text.partition(" = ")
            assert left != right


def test_only_what_is_set_above_is_read_or_set() -> None:
    scope = scope_of("total")
    start = SOURCE.inner_starts[scope.node]
    for text in said(scope, start):
        loads, bound = names_in(text.replace(NAMED, ""))
        assert "total" not in loads | bound, text
        assert "SIZE" not in loads | bound, text


def test_nothing_returns_a_value_where_its_function_does_not() -> None:
    assert any(text.startswith("return ") for text in said(scope_of("free"), len(TEXT)))
    assert not any(text.startswith("return ") for text in said(scope_of("text"), len(TEXT)))
    assert not any(text.startswith("return ") for text in said(scope_of("total"), len(TEXT)))


def test_methods_are_called_on_self_in_methods_alone() -> None:
    assert any(f"{NAMED}self{NAMED}.take" in text for text in said(scope_of("free"), len(TEXT)))
    assert not any("self" in text for text in said(scope_of("text"), len(TEXT)))


def test_helpers_read_and_bind_their_own_names_and_globals() -> None:
    local = SOURCE.scoping.local_names
    for seed in range(200):
        head, body = function(SOURCE, scope_of("total"), Dice(str(seed)), TAKEN)
        lines = [line.replace(">", "    ", line.startswith(">")) for line in body]
        tree = ast.parse("\n    ".join([f"def {head}:", *lines]).replace(NAMED, "")).body[0]
        assert isinstance(tree, ast.FunctionDef)
        given = {argument.arg for argument in tree.args.args}
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        assert bound.isdisjoint(SOURCE.words)
        assert local.isdisjoint({node.id for node in names} - given - bound), lines
        assert given <= {node.id for node in names}, "an argument that nobody reads"
        assert isinstance(tree.body[-1], ast.Return)
