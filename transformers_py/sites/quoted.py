"""Local variables whose names stand in strings: a library that gets the string may read the caller's frame.

def f(frame, cut):
    return frame.query("x > @cut")      <- pandas looks for a variable `cut` of whoever calls it
"""

import ast
import re

import libcst as cst

from transformers_py.source import Source, kept
from transformers_py.source.cpython import words

READERS = frozenset(
    """
    query eval evaluate sql sqldf pandasql duckdb numexpr patsy dmatrix dmatrices formula aes
    """.split()  # noqa: SIM905
)
"""Words of libraries that look for names in their caller's frame: where one stands, all strings count."""
REASONS = {"quoted": "a string has its name as a word, and what gets the string may look for the variable"}

_ESCAPE = re.compile(r"\\(?:[abfnrtv\\'\"\n]|\{|\})")


@kept
def quoted(source: Source) -> frozenset[tuple[int, str]]:
    """(scope, name) of the local variables that a string of their function, or one in it, has as a word.

    Docstrings, and other strings that are statements of their own, are no values.
    """
    everywhere = not READERS.isdisjoint(source.words)
    found: set[tuple[int, str]] = set()
    seen: set[str] = set()
    for i, node in enumerate(source.nodes):
        if node.__class__ is not cst.SimpleString and node.__class__ is not cst.FormattedStringText:
            continue
        if isinstance(source.nodes[source.parents[i]], cst.Expr):
            continue
        scope = source.scoping.of[i]
        if not everywhere and not scope.is_function:
            continue
        spelt = words(_value(source, i))
        if everywhere:
            seen.update(spelt)
            continue
        for around in (scope, *scope.enclosing()):
            if around.is_function:
                found.update((around.index, word) for word in spelt if word in around.bindings)
    for scope in source.scopes if seen else ():
        if scope.is_function:
            found.update((scope.index, name) for name in scope.bindings if name in seen)
    return frozenset(found)


def _value(source: Source, i: int) -> str:
    """What a literal stands for, its escapes undone, and its own text: names may stand in either."""
    text = source.text[source.starts[i] : source.ends[i]]
    if "\\" not in text:
        return text
    if isinstance(source.nodes[i], cst.SimpleString):
        value = ast.literal_eval(text)
        return f"{text} {value.decode('latin-1') if isinstance(value, bytes) else value}"
    return f"{text} {_ESCAPE.sub(' ', text)}"
