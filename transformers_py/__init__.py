"""Semantics-preserving rewrites of Python source text, each proved by CPython itself.

    from transformers_py import Source, emit, names, rewrite

    result = rewrite(text, ["rename_variable", {"dead_branch": {"style": "if_false"}}], rate=1.0, seed=1)
    result.status       "rewritten", "unchanged" (no site), or "disproved" (a bug: the text is the original)
    result.text         the new text; result.edits are the insertions and renamings that made it
    result.sites        {"rename_variable": 3, ...}: applied; result.available: could have been
    result.refusals     {"rename_variable:dynamic_names": 1, ...}: what was left alone, and why
    result.alignment()  for each token of the new text its token in the original, or -1, and its change

`names()` are all rewrites; docs/rewrites.md, or a module's `Options`, tells what can be set. `rate` is the
share of a rewrite's sites; `count=5` takes five sites in all; with `growth_limit=1.5` the text has at most
1.5 times its tokens. A higher rate, count or limit of one seed adds sites and keeps the others. A text that
can't be parsed raises `Unparseable`, which has a `reason`. While `VERSION` and the `versions()` of a list of
rewrites stay, it gives the same texts.

For many variants of one text, analyse it once (it costs as much as eight variants):

    source = Source.analyse(text)
    variants = [emit(source, ["parentheses"], rate=rate, seed=1) for rate in (0.25, 0.5, 1.0)]

Texts that use a text, as a problem's tests use its solution, are renamed together with it (together.py):

    done = rewrite_together(solution, [tests], [{"rename_function": {"world": "closed"}}], rate=1.0, seed=1)
    done.program.text, done.users[0], done.names     ..., {"add": "merge"}
"""

from transformers_py.engine import VERSION, Rewritten, check_growth_limit, emit, rewrite
from transformers_py.explain import explain
from transformers_py.options import (
    check,
    counts_subwords,
    follows_documentation,
    lookup,
    names,
    touches,
    versions,
)
from transformers_py.source import Source
from transformers_py.source.cpython import Unparseable
from transformers_py.source.edits import Edit, Site, align
from transformers_py.together import Together, analyse_together, emit_together, rewrite_together

__all__ = [
    "VERSION",
    "Edit",
    "Rewritten",
    "Site",
    "Source",
    "Together",
    "Unparseable",
    "align",
    "analyse_together",
    "check",
    "check_growth_limit",
    "counts_subwords",
    "emit",
    "emit_together",
    "explain",
    "follows_documentation",
    "lookup",
    "names",
    "rewrite",
    "rewrite_together",
    "touches",
    "versions",
]
