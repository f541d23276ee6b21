r"""Adds trailing commas in brackets: `f(\n    a, b\n)` -> `f(\n    a, b,\n)`."""

from dataclasses import dataclass
from typing import Literal

import libcst as cst

from transformers_py.rewrites import CounterExample, Example
from transformers_py.sites.expressions import item_end, outside_strings
from transformers_py.source import Source
from transformers_py.source.edits import Edit, Refusals, Site

VERSION = 9
PRESERVES = "ast"
REASONS = {"has_comma": "a comma stands there already"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """`brackets`: those that close on a later line than their last item, or all."""

    brackets: Literal["multiline", "all"] = "multiline"


def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
    """Calls, displays, tuples in parentheses, parameters of functions, names of imports in parentheses."""
    found: list[Site] = []
    refused = Refusals()
    for i in outside_strings(source):
        last = _last(source.nodes[i])
        if last is None:
            continue
        if isinstance(getattr(last, "comma", None), cst.Comma):
            refused.note("has_comma", source.starts[i])
            continue
        end = item_end(source, last)
        if options.brackets == "multiline" and not _ends_later(source.text, end):
            continue
        found.append(Site(end, end, (Edit(end, end, ","),)))
    found.sort(key=lambda site: site.start)
    return found, refused


def _last(node: cst.CSTNode) -> cst.CSTNode | None:
    """The last item between a node's brackets, if a comma may follow it."""
    if isinstance(node, (cst.Call, cst.ClassDef)):
        arguments = (*node.bases, *node.keywords) if isinstance(node, cst.ClassDef) else node.args
        if not arguments:
            return None
        only = arguments[0].value
        alone = isinstance(only, cst.GeneratorExp) and not only.lpar
        return None if alone else arguments[-1]
    if isinstance(node, (cst.List, cst.Set, cst.Dict)):
        return node.elements[-1] if node.elements else None
    if isinstance(node, cst.Tuple):
        return node.elements[-1] if node.lpar and len(node.elements) > 1 else None
    if isinstance(node, cst.ImportFrom):
        return node.names[-1] if node.lpar and not isinstance(node.names, cst.ImportStar) else None
    return _last_parameter(node.params) if isinstance(node, cst.FunctionDef) else None


def _last_parameter(params: cst.Parameters) -> cst.CSTNode | None:
    """The last parameter of a function; None where a lone `/` is the last."""
    star = params.star_arg if isinstance(params.star_arg, cst.Param) else None
    named = (*params.params, *([star] if star else []), *params.kwonly_params)
    return params.star_kwarg or (named[-1] if named else None)


def _ends_later(text: str, end: int) -> bool:
    """Whether the next character behind the last item, but for blanks and a comment, is on a later line."""
    rest = text[end : end + 200].lstrip(" \t")
    return rest[:1] in ("\r", "\n", "#")


EXAMPLES: list[Example] = [
    ("f(a, *b, c=d)\n", {"brackets": "all"}, "f(a, *b, c=d,)\n"),
    ("x = [a], {b: c}, {d}\n", {"brackets": "all"}, "x = [a,], {b: c,}, {d,}\n"),
    ("def f(a, *, b=(1, 2)): pass\n", {"brackets": "all"}, "def f(a, *, b=(1, 2,),): pass\n"),
    (
        "from a import (b, c)\nclass A(b, metaclass=c): x = 1\n",
        {"brackets": "all"},
        "from a import (b, c,)\nclass A(b, metaclass=c,): x = 1\n",
    ),
    (
        "f(\n    a,\n    b  # last\n)\ng(a)\n",
        {},
        "f(\n    a,\n    b,  # last\n)\ng(a)\n",
    ),
]
COUNTER_EXAMPLES: list[CounterExample] = [
    ("f(a,)\n", {"brackets": "all"}, "has_comma"),
    ("f(a, b)\n", {}, ""),
    ("f(a for a in b)\n", {"brackets": "all"}, ""),
    ("x = f(), [], {}, ()\n", {"brackets": "all"}, ""),
    ("x = (a)\n", {"brackets": "all"}, ""),
    ("x[a] = lambda b: f'{g(b)}'\n", {"brackets": "all"}, ""),
    ("def f(a, /): pass\n", {"brackets": "all"}, ""),
]
