"""What the renaming rewrites share: which bindings may be renamed, their sites, and new names for them.

def f(a):            def f(a):
    b = a + 1   ->       total = a + 1
    return b             return total
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from random import Random

from transformers_py.sites.closures import closure_bounds
from transformers_py.sites.new_names import NewNames
from transformers_py.sites.quoted import quoted
from transformers_py.source import Source, kept
from transformers_py.source.edits import HOLE, Edit, Refusals, Site
from transformers_py.source.scopes import Binding

Choice = Callable[[Source, Binding], str | None]
Places = Callable[[Source, Binding], Sequence[tuple[int, int]]]
REASONS = {
    "class_body": "a class body reads it",
    "mangled_or_dunder": "names with two leading underscores have a meaning of their own",
    "never_spelt": "no place spells it",
    "self": "CPython, from 3.13 on, keeps a list of what is assigned to attributes of self",
    "shadows_import": "the module imports something of this name",
    "shared_with_comprehension": "a comprehension has a variable of this name, in the same slot",
    "underscore": "_ is a name by convention",
    "unicode_name": "CPython normalises the name",
}


def _nowhere(source: Source, binding: Binding) -> Sequence[tuple[int, int]]:
    return ()


def sites(source: Source, bindings: Sequence[Binding], style: str, also: Places = _nowhere) -> list[Site]:
    """One site per binding: each of its names is replaced by one new name; with "swap", one per pair.

    `also` says where else a binding is spelt; what two bindings lay claim to goes to the first.
    """
    if style == "swap":
        return _swaps(source, bindings, also)
    found: list[Site] = []
    claimed: set[tuple[int, int]] = set()
    for binding in bindings:
        more = [span for span in also(source, binding) if span not in claimed]
        claimed.update(more)
        own = _spans(source, binding)
        edits = tuple(Edit(start, end, HOLE) for start, end in sorted([*own, *more]))
        found.append(Site(own[0][0], own[0][0], edits, scope=binding.scope.index))
    return found


def _spans(source: Source, binding: Binding) -> list[tuple[int, int]]:
    return sorted((source.inner_starts[i], source.inner_ends[i]) for i in binding.names)


def _swaps(source: Source, bindings: Sequence[Binding], also: Places) -> list[Site]:
    """Pairs of names that no scope but their own sees exchange their names."""
    scopes: dict[int, list[Binding]] = {}
    for binding in bindings:
        alone = all(user is binding.scope for user in binding.users)
        # CPython 3.12 on merges comprehensions into their function; a module's names are proved by being new
        if alone and binding.scope.kind not in ("comprehension", "module"):
            scopes.setdefault(binding.scope.index, []).append(binding)
    found: list[Site] = []
    for index, own in scopes.items():
        half = len(own) // 2
        for first, second in zip(own[:half], own[half:], strict=False):
            pairs = ((first, second.name), (second, first.name))
            edits = sorted(
                Edit(*span, new)
                for binding, new in pairs
                for span in (*_spans(source, binding), *also(source, binding))
            )
            found.append(Site(edits[0].start, edits[0].start, tuple(edits), scope=index))
    return sorted(found, key=lambda site: site.start)


def choose(source: Source, wanted: Choice) -> tuple[list[Binding], Refusals]:
    """The bindings that may be renamed, in the order of the text; `wanted` gives the rewrite's own refusals.

    `wanted` returns None for a binding to rename, "" for one that is none of its business, else a reason.
    """
    found: list[Binding] = []
    refused = Refusals()
    module = min(source.scoping.hazards, default="")
    for scope in source.scopes:
        for binding in scope.bindings.values():
            reason = wanted(source, binding)
            if reason == "":
                continue
            reason = module or reason or common_refusal(source, binding) or _spelling_refusal(source, binding)
            if not reason and (scope.index, binding.name) in quoted(source):
                reason = "quoted"
            if reason:
                refused.note(reason, source.inner_starts[min(binding.names, default=0)])
                refused.names.append((binding.name, binding.names, reason))
            else:
                found.append(binding)
    found.sort(key=lambda binding: min(binding.names))
    return found, refused


def common_refusal(source: Source, binding: Binding) -> str | None:
    """Hazards that forbid any renaming of a binding."""
    name = binding.name
    if name.startswith("__"):
        return "mangled_or_dunder"
    if name == "_":
        return "underscore"
    if name == "self":
        return "self"
    if not name.isascii() and unicodedata.normalize("NFKC", name) != name:
        return "unicode_name"
    if binding.scope.hazards:
        return min(binding.scope.hazards)
    if binding.hazards:
        return min(binding.hazards)
    for user in binding.users:
        if user.kind == "class" and user is not binding.scope:
            return "class_body"
        if user.hazards:
            return min(user.hazards)
    if not binding.names:
        return "never_spelt"
    return "shared_with_comprehension" if _shares_slot(source, binding) else None


def _spelling_refusal(source: Source, binding: Binding) -> str | None:
    """What the rest of the text makes of a name's spelling.

    In a class A, `__x` is `_A__x`. And CPython compiles `x.f()` otherwise for an x spelt like a module's
    import, also where x is local.
    """
    name = binding.name
    if name.startswith("_") and any(name[m.start() :] in source.words for m in re.finditer("(?=__)", name)):
        return "mangled_or_dunder"
    if binding.scope is source.scopes[0]:
        return None
    top = source.scopes[0].bindings.get(name)
    return "shadows_import" if top is not None and top.kinds & {"import", "import_as"} else None


def _shares_slot(source: Source, binding: Binding) -> bool:
    """Whether a comprehension and what is around it have variables of this name.

    CPython from 3.12 on keeps them in one slot, so their compiled code can't be compared slot by slot.
    """
    name, scope = binding.name, binding.scope
    if scope.kind == "comprehension":
        outer = scope.parent
        while outer is not None:
            if name in outer.resolved or name in outer.uses:
                return True
            if outer.kind != "comprehension":
                return False
            outer = outer.parent
    below = _comprehension_names(source)
    return any(name in below[user.index] for user in binding.users)


@kept
def _comprehension_names(source: Source) -> list[frozenset[str]]:
    """By scope, the variables of the comprehensions in it that are in no other function."""
    found: list[frozenset[str]] = [frozenset()] * len(source.scopes)
    for scope in reversed(source.scopes):
        inner = [child for child in scope.children if child.kind == "comprehension"]
        names = [name for child in inner for name in (*child.bindings, *found[child.index])]
        found[scope.index] = frozenset(names)
    return found


def draw(
    source: Source, sites: Sequence[Site], style: str, generic: str, rng: Random, taken: Collection[str]
) -> list[str | None]:
    """A new name for each site, used nowhere in the text and by no other site; None where none was found."""
    if style == "swap":
        return [""] * len(sites)
    names = NewNames(rng, taken, source.count_subwords)
    bounds = closure_bounds(source)
    drawn: list[str | None] = []
    for site in sites:
        old = source.text[site.edits[0].start : site.edits[0].end]
        between = bounds.get((site.scope, old))
        drawn.append(names.draw(style, old, generic, between and between.holds) or None)
    return drawn
