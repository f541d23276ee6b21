"""The rewrites' alignment over the tokens of `preprocessing`, as the encode step brings them together."""

import sysconfig
from itertools import product
from pathlib import Path
from random import Random
from typing import Any, Literal

import pytest

from preprocessing.corpus.functions import FunctionsConfig, functions
from preprocessing.errors import BadSource
from preprocessing.lexer.running import running
from preprocessing.lexer.tokens import COMMENT, SYMBOLS, TokensConfig, lex, texts
from transformers_py import Source, Unparseable, align, emit, names, rewrite

Comments = Literal["drop", "keep"]
ROOT = Path(sysconfig.get_paths()["stdlib"])
DOCUMENTED = {"world": "closed", "documentation": "follow"}
REQUESTS: list[list[Any]] = [
    *([name] for name in names()),
    [{"if_true": {"wrap": "compound"}}],
    [{"rename_function": {"world": "closed"}}, {"rename_parameter": {"world": "closed"}}],
    [{"rename_function": DOCUMENTED}, {"rename_parameter": DOCUMENTED}, "dead_branch", "add_comment"],
    [{"if_true": {"style": "if_one"}}, "dead_branch", "add_comment"],
    list(names()),
]


def aligned(before: str, after: str, edits: Any, comments: Comments) -> list[tuple[int, int]]:
    return align(list(lex(before, comments).spans()), list(lex(after, comments).spans()), edits)


COMMENTED = [
    "def f():\n    # c\n    x = 1\n",
    "def f(a):\n    if a:\n        a = 1\n    # c\n    return a\n",
    """def f(a):
  # left of it
    # c

    # d
    for b in a:
# e
        g(b)  # f
        # g
    # h

# i
""",
    """def f(a):
    # c
    if a:
        # d
        return 1
        # e
    else:
    # f
        a = 2
    return a""",
]


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("text", COMMENTED)
def test_a_statement_may_stand_above_a_comment(text: str, name: str) -> None:
    source = Source.analyse(text)
    survives(source, [name])
    if name == "if_true":
        survives(source, [{name: {"wrap": "compound"}}])


def test_an_indent_passes_the_comment_above_which_a_statement_stands() -> None:
    text = "def f():\n    # c\n    x = 1\n"
    done = rewrite(text, ["no_op"], rate=1.0, seed=1)
    assert done.text == "def f():\n    pass\n    # c\n    x = 1\n"
    assert [origin for origin, _ in aligned(text, done.text, done.edits, "keep")] == [
        *(0, 1, 2, 3, 4, 5),  # def f ( ) : newline
        *(7, -1, -1),  # indent pass newline
        *(6, 8, 9, 10, 11, 12),  # comment x = 1 newline dedent
    ]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_on_the_standard_library(part: int) -> None:
    """Every thirtieth file, whole and cut into functions, under one or two of the requests."""
    paths = [path for path in sorted(ROOT.rglob("*.py")) if "site-packages" not in path.parts]
    checked = 0
    for path in paths[part::120]:
        random = Random(path.name)
        try:
            text = path.read_bytes().decode("utf-8")
            for part_of_it in (text, *(function.text for function in functions(text, FunctionsConfig()))):
                source = Source.analyse(part_of_it)
                for rewrites in random.sample(REQUESTS, 2):
                    survives(source, rewrites, rate=random.choice((0.3, 1.0)))
                reads_back(part_of_it)
                checked += 1
        except (UnicodeDecodeError, SyntaxError, Unparseable, BadSource):
            continue
    print(checked, "texts")  # shown by pytest -rP
    assert checked > 100


def reads_back(text: str) -> None:
    """Running text has the tokens of the text that it was made of."""
    for comments, limit in product(("drop", "keep"), (None, 15)):
        config = TokensConfig.model_validate({"comments": comments, "max_string_chars": limit})
        cut = lex(text, config.comments)
        read, ends = running(text, cut, texts(text, cut, config), config)
        assert ends == sorted(ends)
        assert lex(read, "keep").kinds == cut.kinds


def survives(source: Source, rewrites: list[Any], *, rate: float = 1.0) -> None:
    """Every token is met once, also where comments are kept, which change nothing of the others."""
    text = source.text
    done = emit(source, rewrites, rate=rate, seed=1)
    assert done.status != "disproved", done.problem
    without = aligned(text, done.text, done.edits, "drop")
    assert [origin for origin, _ in without if origin >= 0] == list(range(len(lex(text))))
    before, after = lex(text, "keep"), lex(done.text, "keep")
    with_comments = aligned(text, done.text, done.edits, "keep")
    assert sorted(origin for origin, _ in with_comments if origin >= 0) == list(range(len(before)))
    others = [i for i, kind in enumerate(before.kinds) if kind != COMMENT]
    number = {-1: -1} | {i: k for k, i in enumerate(others)}
    assert [
        (number[origin], change)
        for (origin, change), kind in zip(with_comments, after.kinds, strict=True)
        if kind != COMMENT
    ] == without
    for k, (origin, change) in enumerate(with_comments):
        if origin >= 0:
            assert after.kinds[k] == before.kinds[origin]
            if after.kinds[k] not in SYMBOLS:
                old, new = (
                    t[cut.starts[i] : cut.ends[i]]
                    for t, cut, i in ((text, before, origin), (done.text, after, k))
                )
                assert (old == new) == (change == 0)
