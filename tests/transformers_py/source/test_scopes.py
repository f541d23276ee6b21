"""Scopes and bindings are CPython's, and hazards are found where they are."""

import symtable
import sys
import sysconfig
from collections import Counter
from pathlib import Path

import pytest

from transformers_py import Source
from transformers_py.source.scopes import NameScope

STDLIB = Path(sysconfig.get_paths()["stdlib"])
MODULES = ("argparse", "ast", "contextlib", "dataclasses", "difflib", "enum", "inspect", "pdb", "typing")
KINDS = [
    ("def f(a): pass", "a", {"parameter"}),
    ("def f():\n    a = 1\n    del a", "a", {"variable", "delete"}),
    ("def f(b): return [a for a in b]", "a", {"comprehension"}),
    ("def f(b): return [a for c in b if (a := c)]", "a", {"walrus"}),
    ("def f(b):\n    for a, *c in b: pass", "c", {"for"}),
    ("def f():\n    with b as (a): pass", "a", {"with"}),
    ("def f():\n    try: pass\n    except b as a: pass", "a", {"except"}),
    ("def f():\n    import a.b", "a", {"import"}),
    ("def f():\n    from b import c as a", "a", {"import_as"}),
    ("def f(b):\n    match b:\n        case {'k': a, **c}: pass", "c", {"match"}),
    ("def f():\n    def a(): pass", "a", {"function"}),
    ("def f():\n    class a: pass", "a", {"class"}),
    ("def f():\n    a = 1\n    def g():\n        nonlocal a\n        a += 1", "a", {"variable"}),
    ("a = 1\ndef f():\n    global a\n    a = 2", "a", {"variable", "global"}),
]
HAZARDS = [
    ("def f():\n    a = 1\n    return locals()", {"dynamic_names"}),
    ("def f():\n    a = 1\n    return vars(a)", set()),
    ("def f():\n    a = 1\n    def g(): eval('a')", {"dynamic_names"}),
    ("def f():\n    a = 1\nb = exec", {"dynamic_alias"}),
    ("import builtins as b\ndef f():\n    a = 1", {"dynamic_alias"}),
    ("from b import *\ndef f():\n    a = 1", {"star_import"}),
    ("def f(g):\n    a = 1\n    return g.f_locals", {"frames"}),
    ("def f():\n    a = 1\n    return f'{a=}'", {"debug_f_string"}),
    ("def f():\n    a = 1\n    b: 'a' = 2", {"annotation_text"}),
    ("from __future__ import annotations\ndef f():\n    a = 1\n    b: a = 2", {"annotation_text"}),
]


def _names(table: symtable.SymbolTable) -> list[frozenset[str]]:
    """The local variables of each function, lambda and comprehension, says CPython."""
    own = [frozenset(table.get_locals())] if isinstance(table, symtable.Function) else []
    return own + [names for child in table.get_children() for names in _names(child)]


def _comparable(names: frozenset[str]) -> frozenset[str]:
    """Without the first iterable of a comprehension, and names that CPython mangles."""
    return frozenset(name for name in names if "__" not in name and not name.startswith("."))


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="CPython 3.12 merges comprehensions into functions")
@pytest.mark.parametrize("module", MODULES)
def test_local_variables_are_those_of_cpython(module: str) -> None:
    text = (STDLIB / f"{module}.py").read_text(encoding="utf-8")
    expected = Counter(map(_comparable, _names(symtable.symtable(text, module, "exec"))))
    scopes = [scope for scope in Source.analyse(text).scopes if scope.is_function]
    assert Counter(_comparable(frozenset(scope.bindings)) for scope in scopes) == expected
    assert len(scopes) > 20


def _of_name(source: Source, name: str) -> NameScope:
    return next(scope for scope in source.scopes if name in scope.bindings)


@pytest.mark.parametrize(("text", "name", "kinds"), KINDS)
def test_how_a_name_is_bound(text: str, name: str, kinds: set[str]) -> None:
    source = Source.analyse(text + "\n")
    binding = _of_name(source, name).bindings[name]
    assert binding.kinds == kinds
    spelt = (source.text[source.inner_starts[i] : source.inner_ends[i]] for i in binding.names)
    assert set(spelt) == {name}


@pytest.mark.parametrize(("text", "hazards"), HAZARDS)
def test_what_forbids_a_renaming(text: str, hazards: set[str]) -> None:
    source = Source.analyse(text + "\n")
    scope = _of_name(source, "a")
    assert scope.hazards | scope.bindings["a"].hazards | source.scoping.hazards == hazards
