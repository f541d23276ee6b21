"""Says what every rewrite could do on one line of a text, and why names on it are left alone.

explain("def f(limit):\\n    return limit\\n", 1, ["rename_parameter"])
-> ["rename_parameter: limit is left alone (public: callers that can't be seen may name it)"]
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from transformers_py.edits import Site
from transformers_py.options import check, lookup, make_options
from transformers_py.scopes import Binding
from transformers_py.source import Source

REASONS = {
    "annotated": "its name is a key of __annotations__",
    "annotation_text": "an annotation that is kept as text names it",
    "bound_twice": "it is defined or assigned more than once",
    "class_body": "a class body reads it",
    "debug_f_string": "an f-string with = prints its name",
    "decorated": "a decorator may call the function by keyword or look at it",
    "definition": "it names a function or a class, which carries the name",
    "dynamic_alias": "the module may call locals(), eval() and the like under another name",
    "dynamic_names": "locals(), vars(), dir(), eval() or exec() can see it",
    "escapes": "the function is used for more than calling it, so a caller may name it",
    "frames": "the module looks at the names in frames or code objects",
    "import": "it is the name of what is imported",
    "keyword_call": "a call names it",
    "keyword_only": "callers can give it by name alone",
    "mangled_or_dunder": "names with two leading underscores have a meaning of their own",
    "named_elsewhere": "a string, a comment or an attribute spells it",
    "never_spelt": "no place spells it",
    "public": "callers that can't be seen may name it",
    "shadows_import": "the module imports something of this name",
    "shared_with_comprehension": "a comprehension has a variable of this name, in the same slot",
    "shows_its_name": "calling the function makes something that carries its name",
    "star_import": "import * may bind any name",
    "tracebacks": "the module looks at tracebacks, which show the name",
    "type_parameters": "the module has type parameters or type aliases",
    "underscore": "_ is a name by convention",
    "unicode_name": "CPython normalises the name",
}
"""What the reasons for leaving a name alone mean."""


def explain(
    source: str | Source, line: int, rewrites: Sequence[str | Mapping[str, Mapping[str, Any]]]
) -> list[str]:
    """What each rewrite could do on a line (counted from 1), one sentence per fact, in the order of the
    rewrites.

    Names that a renaming leaves alone come with the reason. Raises Unparseable for a text that can't be
    parsed and ValueError for a line that doesn't exist and for unknown rewrites, options and values.
    """
    analysed = source if isinstance(source, Source) else Source.analyse(source)
    starts = analysed.line_starts
    last = max(1, bisect_left(starts, len(analysed.text)))
    if not 1 <= line <= last:
        raise ValueError(f"line must be from 1 to {last}, got {line}")
    start = starts[line - 1]
    end = starts[line] if line < len(starts) else len(analysed.text) + 1
    found: list[str] = []
    for name, values in check(rewrites):
        module = lookup(name)
        analysed.left_alone.clear()
        sites, refused = module.sites(analysed, make_options(name, values))
        facts = [_site_fact(analysed, site) for site in sites if _is_on(site, start, end)]
        facts += [
            _name_fact(binding, reason)
            for binding, reason in analysed.left_alone
            if any(start <= analysed.inner_starts[i] < end for i in binding.names)
        ]
        if not facts:
            counts = ", ".join(f"{reason} {count}" for reason, count in sorted(refused.items()) if count)
            facts = [
                f"no site on this line; in all the text {len(sites)}" + f", refused: {counts}" * bool(counts)
            ]
        found += [f"{name}: {fact}" for fact in dict.fromkeys(facts)]
    return found


def _is_on(site: Site, start: int, end: int) -> bool:
    return any(start <= edit.start < end for edit in site.edits)


def _site_fact(source: Source, site: Site) -> str:
    text = source.text
    names = sorted({text[edit.start : edit.end] for edit in site.edits if edit.end > edit.start})
    if names:
        return f"{' and '.join(names)} can be renamed, in {len(site.edits)} places"
    line, column = _position(source, site.start)
    if site.end == site.start:
        return f"a site at {line}:{column}"
    wrapped = text[site.start : site.end].split("\n")[0].rstrip("\r")
    return f"a site at {line}:{column}, around {wrapped if len(wrapped) <= 40 else wrapped[:37] + '...'}"


def _position(source: Source, offset: int) -> tuple[int, int]:
    """Line and column, both from 1."""
    line = bisect_right(source.line_starts, offset)
    return line, offset - source.line_starts[line - 1] + 1


def _name_fact(binding: Binding, reason: str) -> str:
    meaning = REASONS.get(reason)
    return f"{binding.name} is left alone ({reason}{': ' + meaning if meaning else ''})"
