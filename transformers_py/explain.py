"""Says what every rewrite could do on one line of a text, and why it refuses.

explain("def f(limit):\\n    return limit\\n", 1, ["rename_parameter"])
-> ["rename_parameter: limit is left alone (public: callers that can't be seen may name it)"]
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from types import ModuleType

from transformers_py import engine
from transformers_py.engine import Request, check_intensity, plan_of, select, sites_of
from transformers_py.sites import (
    callers,
    closed_world,
    error_texts,
    expressions,
    insertion_points,
    quoted,
    renamable,
)
from transformers_py.source import Source, scopes
from transformers_py.source.edits import Refusals, Site

_SHARED = (
    scopes.REASONS
    | insertion_points.REASONS
    | expressions.REASONS
    | callers.REASONS
    | closed_world.REASONS
    | error_texts.REASONS
    | renamable.REASONS
    | quoted.REASONS
    | engine.REASONS
)
"""What reasons mean that not one rewrite alone has."""
_COMMENTS = re.compile(r"(?:[ \t]*#[^\r\n]*[\r\n]+)+[ \t]*")


def explain(
    source: str | Source,
    line: int,
    rewrites: Sequence[Request],
    *,
    rate: float | None = None,
    count: int | None = None,
    seed: int = 1,
    key: str = "",
) -> list[str]:
    """What each rewrite of a set could do on a line (counted from 1), and what it refuses, with the reason.

    One sentence per fact, in the order of the rewrites. With a rate or a count, sites are told to be applied
    or not chosen, as `emit` does with the same arguments. Raises Unparseable for a text that can't be parsed
    and ValueError for a line that doesn't exist and for unknown rewrites, options and values.
    """
    analysed = source if isinstance(source, Source) else Source.analyse(source)
    starts = analysed.line_starts
    last = max(1, bisect_left(starts, len(analysed.text)))
    if not 1 <= line <= last:
        raise ValueError(f"line must be from 1 to {last}, got {line}")
    start = starts[line - 1]
    end = starts[line] if line < len(starts) else len(analysed.text) + 1
    plan = plan_of(analysed, rewrites)
    chosen: set[int] | None = None
    if rate is not None or count is not None:
        check_intensity(rate, count)
        chosen = set(select(analysed, rewrites, rate, count, seed, key)[2])
    found: list[str] = []
    for part in plan.parts:
        numbers = {id(site): part.first + i for i, site in enumerate(part.sites)}
        listed, refused = sites_of(analysed, part.module, part.options)
        facts = [
            _site_fact(analysed, site) + _fate(numbers.get(id(site)), chosen)
            for site in listed
            if _is_on(analysed.text, site, start, end)
        ]
        facts += _refusal_facts(analysed, refused, reasons(part.module), start, end)
        if not facts:
            counts = ", ".join(f"{reason} {count}" for reason, count in sorted(refused.items()) if count)
            facts = [
                f"no site on this line; in all the text {len(listed)}" + f", refused: {counts}" * bool(counts)
            ]
        found += [f"{part.name}: {fact}" for fact in dict.fromkeys(facts)]
    return found


def reasons(rewrite: ModuleType) -> dict[str, str]:
    """What the reasons mean for which a rewrite leaves something alone."""
    own: dict[str, str] = getattr(rewrite, "REASONS", {})
    return _SHARED | own


def _is_on(text: str, site: Site, start: int, end: int) -> bool:
    """Whether a site changes a line, or comes before it and the comments above it."""
    if any(start <= edit.start < end for edit in site.edits):
        return True
    return site.start == site.end < start and bool(_COMMENTS.fullmatch(text, site.start, start))


def _fate(number: int | None, chosen: set[int] | None) -> str:
    if number is None:
        return f", but {engine.REASONS['conflict']}"
    return "" if chosen is None else ", applied" if number in chosen else ", not chosen"


def _refusal_facts(
    source: Source, refused: Refusals, meanings: Mapping[str, str], start: int, end: int
) -> list[str]:
    """What a rewrite refused on a line: names by all their places, all else by where it starts."""
    if refused.names:
        return [
            f"{name} is left alone ({reason}: {meanings[reason]})"
            for name, nodes, reason in refused.names
            if any(start <= source.inner_starts[i] < end for i in nodes)
        ]
    return [
        "refused at {}:{} ({}: {})".format(*_position(source, offset), reason, meanings[reason])
        for offset, reason in refused.places
        if start <= offset < end
    ]


def _site_fact(source: Source, site: Site) -> str:
    text = source.text
    replaced = {text[edit.start : edit.end] for edit in site.edits if edit.end > edit.start}
    names = sorted(name for name in replaced if name.strip())
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
