"""Rewriting: check what is asked for, list its sites once, choose some, splice, prove.

rewrite("def f(a):\n    b = a\n    return b\n", ["parentheses"], rate=1.0, seed=1).text
-> "def f(a):\n    b = (a)\n    return (b)\n"
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import compress, islice, zip_longest
from random import Random
from types import ModuleType
from typing import Any

from transformers_py.options import check, lookup, make_options
from transformers_py.proof.compilation_units import CompilationUnit, units_of, whole
from transformers_py.proof.prover import missed_names, numbers_of, prove
from transformers_py.proof.roles import Role
from transformers_py.sites.brackets import too_deep
from transformers_py.sites.new_names import Dice
from transformers_py.sites.taken import Taken, hidden_words
from transformers_py.source import CountSubwords, Source, kept
from transformers_py.source import edits as editing
from transformers_py.source.cpython import undisturbed
from transformers_py.source.edits import HOLE, NAMED, Edit, Refusals, Site, Stretches
from transformers_py.source.lexing import comment_count, inserted_size, tokens
from transformers_py.source.scopes import Binding

VERSION = 8
"""Raised whenever what all rewrites share gives other texts or alignments; each has its own besides."""

Request = str | Mapping[str, Mapping[str, Any]]
REASONS = {
    "conflict": "another site of the set stands in its way",
    "brackets": "too many brackets are around it, or would be",
    "nested": "another site of the rewrite lies inside or around it",
    "no_name": "no new name could be found (those of variables in one closure keep their order)",
    "growth_limit": "the text would grow beyond the growth_limit of the set",
}
_NAMED = re.compile(f"{NAMED}([^{NAMED}]*){NAMED}")


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A text with some of its sites rewritten, and all that is known about it.

    `documented`: docstrings followed the new names, which is a class of its own; else each token but names is
    the original's.

    `status`: "rewritten", "unchanged" (no site was chosen) or "disproved" (a proof failed, which is a bug
    of a rewrite: `text` is the original, `problem` says what failed). `sites` and `available` count by
    rewrite what was applied and what could have been; `refusals` counts "rewrite:reason". `edits` are
    over `original`.
    """

    original: str = field(repr=False)
    text: str
    edits: tuple[Edit, ...]
    status: str
    sites: dict[str, int]
    available: dict[str, int]
    refusals: dict[str, int]
    problem: str = ""
    documented: bool = False

    def alignment(self) -> list[tuple[int, int]]:
        """For each token of `text` (index of the original's token or -1, change), as in `edits.align`."""
        return editing.align(tokens(self.original), tokens(self.text), self.edits)


@dataclass(slots=True)
class PlannedRewrite:
    """One rewrite of a plan: its module, options, and sites without conflicts."""

    name: str
    module: ModuleType
    options: Any
    sites: list[Site]
    first: int = 0
    """Number of its first site among all sites of the plan."""


@dataclass(slots=True)
class SitePlan:
    """All sites of a sequence of rewrites on one source, in the order of splicing; independent of seeds."""

    parts: list[PlannedRewrite]
    edits: list[Edit]
    owners: list[int]
    """The site (numbered through all parts) to which edit i belongs."""
    roles: list[Role]
    units: list[CompilationUnit]
    numbers: list[int]
    """The unit in which edit i lies."""
    kinds: frozenset[Role]
    """The roles that occur."""
    refusals: dict[str, int]
    drawn: dict[str, "Drawn"] = field(default_factory=dict)
    hidden: tuple[frozenset[str], frozenset[tuple[int, str]]] | None = None
    """As `Taken.hidden` and `Taken.renamed`, once it was asked for."""


@dataclass(slots=True)
class Drawn:
    """What a seed decides for a plan: order of sites and texts for holes; independent of the intensity."""

    name: str
    orders: list[list[int]]
    thresholds: list[float]
    texts: dict[int, str]
    taken: Taken
    """The words of the text and all new names that may have been drawn, and words that no text may say."""
    refusals: dict[str, int]


def rewrite(
    text: str,
    rewrites: Sequence[Request],
    *,
    rate: float | None = None,
    count: int | None = None,
    seed: int,
    count_subwords: CountSubwords | None = None,
    growth_limit: float | None = None,
) -> Rewritten:
    """Rewrite a text: analyse it and emit one variant.

    `rewrites` are names or {name: {option: value}}; give either `rate`, the share of the sites of each
    rewrite (0 to 1), or `count`, the number of sites of all rewrites together; `count_subwords` as
    `Source.analyse`, `growth_limit` as `emit`. Raises Unparseable for a text that can't be parsed and
    ValueError for unknown rewrites, options and values.
    """
    key = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    source = Source.analyse(text, count_subwords)
    return emit(source, rewrites, rate=rate, count=count, seed=seed, key=key, growth_limit=growth_limit)


def emit(
    source: Source,
    rewrites: Sequence[Request],
    *,
    rate: float | None = None,
    count: int | None = None,
    seed: int,
    key: str = "",
    growth_limit: float | None = None,
) -> Rewritten:
    """One variant of an analysed source. The same arguments give the same bytes, everywhere.

    With a `growth_limit` of 1.5, the variant has at most 1.5 times the tokens of the original, with comments
    counted and without: of the sites in the order in which greater intensities add them, those before the
    first that doesn't fit are taken, so intensities nest under a limit, too.
    """
    check_intensity(rate, count)
    check_growth_limit(growth_limit)
    with undisturbed():
        plan, drawn, chosen = select(source, rewrites, rate, count, seed, key)
        left_out: list[int] = []
        if growth_limit is not None:
            chosen, left_out = _fitting(
                source, plan, drawn, chosen if rate is None else _by_rate(drawn, chosen), growth_limit
            )
        mask = bytearray(sum(len(part.sites) for part in plan.parts))
        for number in chosen:
            mask[number] = 1
        return _prove(source, plan, drawn, mask, left_out)


def select(
    source: Source, rewrites: Sequence[Request], rate: float | None, count: int | None, seed: int, key: str
) -> tuple[SitePlan, Drawn, list[int]]:
    """The plan, what the seed draws for it, and the numbers of the sites that the intensity takes."""
    plan = plan_of(source, rewrites)
    drawn = _draw(source, plan, seed, key)
    return plan, drawn, _choose(plan, drawn, rate, count)


def plan_of(source: Source, rewrites: Sequence[Request]) -> SitePlan:
    """The plan for these rewrites, made when first asked for and kept with the source."""
    fingerprint = json.dumps(rewrites, sort_keys=True, default=str)
    plans = _plans(source)
    if fingerprint not in plans:
        plans[fingerprint] = _make_plan(source, rewrites)
    return plans[fingerprint]


@kept
def _plans(source: Source) -> dict[str, SitePlan]:
    """What `plan_of` has made."""
    return {}


def sites_of(source: Source, module: ModuleType, options: Any) -> tuple[list[Site], Refusals]:
    """All sites of one rewrite and what it refused, listed once for all sets that it is a part of."""
    listed = _sites(source)
    if (module, options) not in listed:
        sites, refused = module.sites(source, options)
        if source.own_end < len(source.text):
            sites = [site for site in sites if site.start <= source.own_end]
            refused = refused.before(source.own_end)
        listed[module, options] = sites, refused
    return listed[module, options]


@kept
def _sites(source: Source) -> dict[tuple[ModuleType, Any], tuple[list[Site], Refusals]]:
    """What `sites_of` has listed."""
    return {}


def check_intensity(rate: float | None, count: int | None) -> None:
    """Raises ValueError unless one of both is given, and possible."""
    if (rate is None) == (count is None):
        raise ValueError("give either rate (0 to 1) or count (0 or more), and not both")
    if rate is not None and not 0.0 <= rate <= 1.0:
        raise ValueError(f"rate must be from 0 to 1, got {rate}")
    if count is not None and count < 0:
        raise ValueError(f"count must be 0 or more, got {count}")


def check_growth_limit(limit: object) -> None:
    """Raises ValueError unless a limit of growth is None or a number from 1 on."""
    number = isinstance(limit, (int, float)) and not isinstance(limit, bool)
    if limit is not None and not (number and 1.0 <= limit < float("inf")):  # type: ignore[operator]
        raise ValueError(f"growth_limit must be 1 or more (tokens of the variant / tokens), got {limit!r}")


def _make_plan(source: Source, rewrites: Sequence[Request]) -> SitePlan:
    parts: list[PlannedRewrite] = []
    refusals: Counter[str] = Counter()
    for name, values in check(rewrites):
        module = lookup(name)
        options = make_options(name, values)
        sites, refused = sites_of(source, module, options)
        refusals.update({f"{name}:{reason}": n for reason, n in refused.items() if n})
        parts.append(PlannedRewrite(name, module, options, sites))
    _drop_conflicts(parts, refusals)
    keyed = _keyed(parts)
    deep = too_deep(source, [(edit, place[1], number) for place, edit, number, _ in keyed])
    if deep:
        for part in parts:
            kept = [site for number, site in enumerate(part.sites, part.first) if number not in deep]
            refusals[f"{part.name}:brackets"] += len(part.sites) - len(kept)
            part.sites = kept
        keyed = _keyed(parts)
    edits, roles = [edit for _, edit, _, _ in keyed], [role for _, _, _, role in keyed]
    units = units_of(source)
    numbers = numbers_of(units, edits, roles)
    if len(numbers) < len(edits) or any(getattr(part.module, "WHOLE", False) for part in parts if part.sites):
        units = [whole(source)]
        numbers = [0] * len(edits)
    owners = [owner for _, _, owner, _ in keyed]
    return SitePlan(parts, edits, owners, roles, units, numbers, frozenset(roles), dict(+refusals))


def _keyed(parts: Sequence[PlannedRewrite]) -> list[tuple[tuple[int, ...], Edit, int, Role]]:
    """(place, edit, its site's number, its role) of all edits in the order of splicing."""
    keyed: list[tuple[tuple[int, ...], Edit, int, Role]] = []
    number = 0
    for part in parts:
        part.first = number
        kind, renames = part.module.PRESERVES, getattr(part.module, "RENAMES", "")
        closed = getattr(part.options, "world", "open") == "closed"
        documented = getattr(part.options, "documentation", "keep") == "follow"
        for site in part.sites:
            whole_text = closed or site.closed
            for edit in site.edits:
                place = editing.place(edit, site, number)
                keyed.append(
                    (place, edit, number, Role(kind, renames, place[1], site.scope, whole_text, documented))
                )
            number += 1
    keyed.sort()
    return keyed


def _drop_conflicts(parts: list[PlannedRewrite], refusals: Counter[str]) -> None:
    """Of sites that can't stand together the first in order of the rewrites stays."""
    if len(parts) < 2:
        return
    replaced: set[int] = set()
    walls = Stretches((site.start, site.end) for part in parts for site in part.sites if site.exclusive)
    for part in parts:
        kept: list[Site] = []
        for site in part.sites:
            names = [edit.start for edit in site.edits if edit.end > edit.start]
            if not replaced.isdisjoint(names) or (walls.around(site.start) and _puts_lines(site)):
                refusals[f"{part.name}:conflict"] += 1
                continue
            replaced.update(names)
            kept.append(site)
        part.sites = kept


def _puts_lines(site: Site) -> bool:
    """Whether a site may not stand strictly inside another one's exclusive stretch."""
    return site.exclusive or any(
        HOLE in e.text or "\n" in e.text or "\r" in e.text for e in site.edits if e.start == e.end
    )


def _draw(source: Source, plan: SitePlan, seed: int, key: str) -> Drawn:
    """Shuffle each rewrite's sites and draw its texts, from a stream of its own."""
    name = f"{seed}:{key}"
    drawn = plan.drawn.get(name)
    if drawn is not None:
        return drawn
    orders: list[list[int]] = []
    thresholds: list[float] = []
    texts: dict[int, str] = {}
    refusals: Counter[str] = Counter()
    taken = Taken(source.words)
    for part in plan.parts:
        rng = Random(f"{name}:{part.name}")  # noqa: S311
        random = rng.random
        thresholds.append(random())
        keys = [random() for _ in part.sites]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        if hasattr(part.module, "draw"):
            for i, text in enumerate(part.module.draw(source, part.options, part.sites, rng, taken)):
                if text is None:
                    refusals[f"{part.name}:no_name"] += 1
                else:
                    texts[part.first + i] = text
                    taken.add(text)
            order = [i for i in order if part.first + i in texts]
        if part.sites and part.sites[0].alone:
            refusals[f"{part.name}:nested"] += len(order)
            order = _side_by_side(part.sites, order, len(source.text))
            refusals[f"{part.name}:nested"] -= len(order)
        orders.append([part.first + i for i in order])
    if any(hasattr(part.module, "fill") for part in plan.parts):
        taken.hidden, taken.renamed = _hidden(source, plan)
    while len(plan.drawn) >= 4:
        del plan.drawn[next(iter(plan.drawn))]
    drawn = plan.drawn[name] = Drawn(name, orders, thresholds, texts, taken, dict(+refusals))
    return drawn


def _hidden(source: Source, plan: SitePlan) -> tuple[frozenset[str], frozenset[tuple[int, str]]]:
    """What no inserted text may say, at any intensity, so that it is the same at all; and what follows."""
    if plan.hidden is None:
        renaming = [part for part in plan.parts if getattr(part.module, "RENAMES", "")]
        edits = [(site, edit) for part in renaming for site in part.sites for edit in site.edits]
        renamed = {(site.scope, source.text[edit.start : edit.end]) for site, edit in edits}
        plan.hidden = (hidden_words(source, [edit for _, edit in edits]), frozenset(renamed))
    return plan.hidden


def _side_by_side(sites: list[Site], order: list[int], length: int) -> list[int]:
    """The order without sites that lie inside or around an earlier one, in a text of `length` characters."""
    kept: list[int] = []
    covered = bytearray(length)
    for i in order:
        start, end = sites[i].start, sites[i].end
        if covered.find(1, start, end) < 0:
            covered[start:end] = b"\1" * (end - start)
            kept.append(i)
    return kept


def _choose(plan: SitePlan, drawn: Drawn, rate: float | None, count: int | None) -> list[int]:
    """The sites of a rate or count: always a prefix of the same order, so intensities nest."""
    if rate is not None:
        chosen: list[int] = []
        for order, threshold in zip(drawn.orders, drawn.thresholds, strict=True):
            chosen += order[: int(rate * len(order) + threshold)]
        return chosen
    assert count is not None
    turns = [order for _, order in sorted(zip(drawn.thresholds, drawn.orders, strict=True))]
    rounds = (number for turn in zip_longest(*turns, fillvalue=-1) for number in turn if number >= 0)
    return list(islice(rounds, count))


def _by_rate(drawn: Drawn, chosen: list[int]) -> list[int]:
    """Sites in the order in which greater rates add them: the kth of n comes with (k - threshold) / n."""
    entering: dict[int, tuple[float, int]] = {}
    for part, (order, threshold) in enumerate(zip(drawn.orders, drawn.thresholds, strict=True)):
        entering |= {site: ((k - threshold) / len(order), part) for k, site in enumerate(order, 1)}
    return sorted(chosen, key=entering.__getitem__)


@kept
def _sizes(source: Source) -> tuple[int, int]:
    """(tokens, comments) of a text."""
    return len(tokens(source.text)), comment_count(source.text)


def _fitting(
    source: Source, plan: SitePlan, drawn: Drawn, chosen: list[int], growth_limit: float
) -> tuple[list[int], list[int]]:
    """The sites before the first with which the text would grow beyond the limit, and the others."""
    size, commented = _sizes(source)
    room = (growth_limit - 1) * size
    room_with_comments = (growth_limit - 1) * (size + commented)
    part_of = [part for part in plan.parts for _ in part.sites]
    for k, number in enumerate(chosen):
        part = part_of[number]
        _fill_site(source, part, drawn, number)
        for edit in part.sites[number - part.first].edits:
            if edit.start == edit.end:
                drawn_text = drawn.texts.get(number, "").replace(NAMED, "")
                added, comments = inserted_size(edit.text.replace(HOLE, drawn_text))
                room -= added
                room_with_comments -= added + comments
        if room < 0 or room_with_comments < 0:
            return chosen[:k], chosen[k:]
    return chosen, []


def _prove(
    source: Source, plan: SitePlan, drawn: Drawn, mask: bytearray, left_out: Sequence[int]
) -> Rewritten:
    """Splice the masked sites, and return the text if the proofs hold, the original if not.

    `left_out` are the sites for which a limit of growth left no room.
    """
    taken = list(map(mask.__getitem__, plan.owners))
    chosen, roles = list(compress(plan.edits, taken)), list(compress(plan.roles, taken))
    _fill(source, plan, drawn, mask)
    texts = drawn.texts
    if texts:
        chosen = [
            Edit(edit[0], edit[1], edit[2].replace(HOLE, texts[owner])) if HOLE in edit[2] else edit
            for edit, owner in zip(chosen, compress(plan.owners, taken), strict=True)
        ]
        _follow(source, chosen, roles)
    parts = plan.parts
    sites = {part.name: sum(mask[part.first : part.first + len(part.sites)]) for part in parts}
    available = {part.name: len(order) for part, order in zip(parts, drawn.orders, strict=True)}
    refusals = plan.refusals | drawn.refusals
    for part in parts:
        beyond = sum(part.first <= number < part.first + len(part.sites) for number in left_out)
        if beyond:
            refusals[f"{part.name}:growth_limit"] = beyond
    original = source.text
    if not chosen:
        return Rewritten(original, original, (), "unchanged", sites, available, refusals)
    numbers = list(compress(plan.numbers, taken))
    text, problem = prove(source, plan.units, chosen, roles, numbers, plan.kinds)
    if any(getattr(part.module, "RENAMES", "") == "function" for part in parts):
        problem = problem or missed_names(source, chosen, roles)
    if problem:
        nothing = dict.fromkeys(sites, 0)
        return Rewritten(original, original, (), "disproved", nothing, available, refusals, problem)
    documented = any(role.documented for role in plan.kinds) and any(role.documented for role in roles)
    return Rewritten(original, text, tuple(chosen), "rewritten", sites, available, refusals, "", documented)


def _fill(source: Source, plan: SitePlan, drawn: Drawn, mask: bytearray) -> None:
    """Draw the texts of chosen sites whose text doesn't depend on the others', each from its own dice."""
    for part in plan.parts:
        if hasattr(part.module, "fill"):
            for number in range(part.first, part.first + len(part.sites)):
                if mask[number]:
                    _fill_site(source, part, drawn, number)


def _fill_site(source: Source, part: PlannedRewrite, drawn: Drawn, number: int) -> None:
    if number in drawn.texts or not hasattr(part.module, "fill"):
        return
    place = number - part.first
    dice = Dice(f"{drawn.name}:{part.name}:{place}")
    drawn.texts[number] = part.module.fill(source, part.options, part.sites[place], dice, drawn.taken)


def _follow(source: Source, edits: list[Edit], roles: Sequence[Role]) -> None:
    """Let names of the original in inserted text be what they are renamed to."""
    text, scopes = source.text, source.scopes
    places = [k for k, edit in enumerate(edits) if NAMED in edit[2]]
    if not places:
        return
    renamed = {
        (role.scope, text[edit.start : edit.end]): edit.text
        for edit, role in zip(edits, roles, strict=True)
        if role.renames
    }
    for k in places:
        edit = edits[k]
        resolved = scopes[roles[k].scope].resolved

        def new(found: re.Match[str], resolved: Mapping[str, Binding] = resolved) -> str:
            name = found[1]
            scope = resolved[name].scope.index if name in resolved else 0
            return renamed.get((scope, name), name)

        edits[k] = Edit(edit.start, edit.end, _NAMED.sub(new, edit.text))
