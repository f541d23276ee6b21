"""Semantics-preserving rewrites of Python source text, each proved by CPython itself.

    from transformers_py import rewrite

    result = rewrite(text, ["rename_variable", {"dead_branch": {"style": "if_false"}}], rate=1.0, seed=1)
    result.text, result.edits, result.refusals, result.alignment()

For many variants of one text, analyse it once: `source = Source.analyse(text)`, then `emit(source, ...)`.
"""

from transformers_py.edits import Edit, Site, align
from transformers_py.engine import Rewritten, emit, rewrite
from transformers_py.explain import explain
from transformers_py.options import check, lookup, names
from transformers_py.source import Source, Unparseable

VERSION = 6
"""Raised whenever the rewritten texts change."""

__all__ = [
    "VERSION",
    "Edit",
    "Rewritten",
    "Site",
    "Source",
    "Unparseable",
    "align",
    "check",
    "emit",
    "explain",
    "lookup",
    "names",
    "rewrite",
]
