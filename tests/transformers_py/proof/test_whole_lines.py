"""What is remembered of one inserted line may not decide about another one that isn't the same."""

import itertools

import pytest

from transformers_py import Source
from transformers_py.proof import inert_shapes
from transformers_py.proof.inert import Surroundings
from transformers_py.proof.whole_lines import is_inert

SOURCE = Source.analyse("def f(a):\n    return a\n")
INDENTS = ("", " ", "    ", "        ", "\t", "\t\t", "    \t", " \t")
FORMS = (
    "if False:{n}{i}{d}spare = a{n}{i}",
    "if False:{n}{i}{d}spare = a{n}{i}{d}{d}spare = a{n}{i}",
    "if False:{n}{i}{d}spare = a{n}{i}        spare = a{n}{i}",
    "if False:{n}    spare = a{n}{i}",
    "spare = 1{n}{i}",
    "spare = 1{n}    ",
    "spare = 1{n}",
    "spare = '''{n}{i}x'''{n}{i}",
    "spare = a{n}{i}",
    "pass  # {n}{i}",
    "pass \\{n}{i}",
)


def gaps() -> list[tuple[str, tuple[str, str]]]:
    found = []
    for form, indent, newline, deeper in itertools.product(
        FORMS, INDENTS, ("\n", "\r\n", "\r"), ("    ", "\t", "  ")
    ):
        text = form.format(i=indent, n=newline, d=deeper)
        found.append((text, (indent, "")))
        found.append((indent + text.removesuffix(indent), ("", indent)))
    return found


def test_memory_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    around = Surroundings(SOURCE, frozenset(["spare"]), SOURCE.scopes[1], {})
    alone, together = [], []
    for text, gap in gaps():
        monkeypatch.setattr(inert_shapes, "_KNOWN", {})
        alone.append(is_inert(text, gap, around))
    for order in (1, -1):
        monkeypatch.setattr(inert_shapes, "_KNOWN", {})
        together.append([is_inert(text, gap, around) for text, gap in gaps()[::order]][::order])
    assert together == [alone, alone]
    assert 0 < sum(alone) < len(alone)
