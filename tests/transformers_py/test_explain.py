"""A line of a text is told what could be done on it, and why not."""

import pytest

from transformers_py import Source, emit, explain, lookup, names
from transformers_py.explain import reasons

TEXT = """import os

def scan(path, limit=10):
    found = [path]
    size = 1
    def shout(text): return text
    print(f"{size=}", shout(path))
    return found
"""


def test_names_and_reasons() -> None:
    assert explain(TEXT, 3, ["rename_parameter"]) == [
        "rename_parameter: path is left alone (public: callers that can't be seen may name it)",
        "rename_parameter: limit is left alone (public: callers that can't be seen may name it)",
    ]
    assert explain(TEXT, 4, ["rename_variable"]) == ["rename_variable: found can be renamed, in 2 places"]
    assert explain(TEXT, 5, ["rename_variable"]) == [
        "rename_variable: size is left alone (debug_f_string: an f-string with = prints its name)"
    ]
    assert explain(TEXT, 7, ["rename_function"]) == ["rename_function: shout can be renamed, in 2 places"]


def test_a_closed_world() -> None:
    closed = [{name: {"world": "closed"}} for name in ("rename_parameter", "rename_function")]
    assert explain(TEXT, 3, closed) == [
        "rename_parameter: path can be renamed, in 3 places",
        "rename_parameter: limit can be renamed, in 1 places",
        "rename_function: scan can be renamed, in 1 places",
    ]
    [fact] = explain("def f(self): pass\n", 1, closed[:1])
    assert fact.startswith("rename_parameter: self is left alone (receiver: it is self or cls by convention")


def test_places_and_wrapped_expressions() -> None:
    facts = explain(TEXT, 8, ["dead_branch", "parentheses"])
    assert facts == ["dead_branch: a site at 8:5", "parentheses: a site at 8:12, around found"]
    assert explain(TEXT, 1, ["dead_branch"]) == ["dead_branch: no site on this line; in all the text 5"]


def test_what_is_refused_on_a_line() -> None:
    text = "def f(log, a):\n    log(a, stacklevel=2)\n\ndef g(a):\n    b = (a)\n    # why\n    c = b\n"
    reason = "line_numbers: the module looks at lines, frames or tracebacks"
    assert explain(text, 2, ["dead_branch"]) == [f"dead_branch: refused at 2:5 ({reason})"]
    assert explain(text, 5, ["parentheses"]) == [
        "parentheses: refused at 5:9 (has_parentheses: it has parentheses already)"
    ]
    assert explain(text, 7, ["no_op"]) == ["no_op: a site at 6:5"]


def test_what_is_applied_and_what_is_in_the_way() -> None:
    text = "def f(a):\n    if a:\n        b = 1\n    return a\n"
    assert explain(text, 4, ["no_op"], rate=1.0) == ["no_op: a site at 4:5, applied"]
    assert explain(text, 4, ["no_op"], rate=0.0) == ["no_op: a site at 4:5, not chosen"]
    facts = explain(text, 3, [{"if_true": {"wrap": "compound"}}, "no_op"], count=9)
    assert facts[-1] == "no_op: a site at 3:9, but another site of the set stands in its way"
    for line in range(1, 5):
        told = explain(text, line, list(names()), rate=0.5)
        assert {fact.split(":")[0] for fact in told} == set(names())
    with pytest.raises(ValueError, match="rate"):
        explain(text, 1, ["no_op"], rate=2.0)


def test_every_rewrite_says_something_about_every_line() -> None:
    source = Source.analyse(TEXT)
    for line in range(1, 9):
        facts = explain(source, line, list(names()))
        assert {fact.split(":")[0] for fact in facts} == set(names())


def test_every_reason_has_a_meaning() -> None:
    texts = [text for name in names() for text, _, _ in lookup(name).COUNTER_EXAMPLES]
    counted: set[tuple[str, str]] = set()
    for text in texts:
        for refusal in emit(Source.analyse(text), list(names()), rate=1.0, seed=1).refusals:
            name, _, reason = refusal.partition(":")
            counted.add((name, reason))
    for name in names():
        counted |= {(name, reason) for _, _, reason in lookup(name).COUNTER_EXAMPLES if reason}
    assert len(counted) > 50
    assert all(reasons(lookup(name))[reason] for name, reason in counted)


@pytest.mark.parametrize("line", [0, 9, -1])
def test_no_such_line(line: int) -> None:
    with pytest.raises(ValueError, match="line must be from 1 to 8"):
        explain(TEXT, line, ["parentheses"])
