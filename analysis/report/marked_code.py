"""Real code, original beside rewritten, each token marked by how its bits changed.

bits before → after     mark                            not by colour alone
1.0 → 3.5               warm, the darker the more       a bar above
3.5 → 1.0               cool                            a bar below
inserted                none                            dashed underline
renamed                 as its bits                     dotted underline
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from analysis.comparing.token_by_token import codes_of
from analysis.report.difference_tables import minus
from analysis.results import BadResults, Results, describe
from analysis.statistics.descriptions import TokenCodes

STEPS_BITS = (0.5, 1.5, 4.0)
"""From so many bits of change a token is marked weakly, clearly, strongly."""
MOST_CHANGED = 5
_SIGNS = {"newline": "↵", "indent": "⇥", "dedent": "⇤"}


@dataclass(frozen=True, kw_only=True)
class MarkedText:
    """Part of the text: `marks` are CSS classes, `title` says the bits, `sign` stands for what has no ink."""

    text: str
    marks: str = ""
    title: str = ""
    sign: str = ""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One text of an example: the number of its first line, and its pieces."""

    name: str
    line: int
    pieces: list[MarkedText]


@dataclass(frozen=True, kw_only=True)
class Example:
    """One sample before and after; `most` are the tokens that changed most: token, before, after, change."""

    title: str
    choice: str
    about: str
    origin: str
    sides: list[Side]
    most: list[tuple[str, str, str, str]] = field(default_factory=list)


def examples(results: Results) -> Iterator[Example]:
    """The examples that the grid wrote, in the order of the cells; none for a folder without them.

    Raises `BadResults` where a token isn't in its text.
    """
    cells = results.cells.set_index("cell")
    for row in results.examples:
        if row["cell"] not in cells.index:
            raise BadResults(f"{results.folder / 'examples.parquet'}: no cell {row['cell']!r} in this grid")
        change, unit = row["change_bits"], results.task.unit
        tokens = {name: _tokens(results, row, name) for name in ("original", "rewritten")}
        yield Example(
            title=describe(cells.loc[row["cell"]], results.groups),
            choice=_named(row["choice"], change),
            about=(
                f"{minus(f'{change:+z.2f}')} bits per {unit.singular} over its {row['n_tokens']:,} "
                f"{unit.plural}, one of {row['n_candidates']:,} rewritten samples"
            ),
            origin=(
                f"{row['project'] or 'unknown project'}: {row['path'] or 'unknown path'}, "
                f"licence {row['license'] or 'unknown'}"
            ),
            sides=[
                Side(name=name, line=row[name]["line"], pieces=list(_pieces(row[name]["text"], own, name)))
                for name, own in tokens.items()
            ],
            most=list(_most_changed(row["rewritten"]["text"], tokens["rewritten"])),
        )


def _named(choice: str, change_bits: float) -> str:
    """The rule's word, unless all samples rose, or all fell."""
    if choice == "largest fall" and change_bits > 0:
        return "smallest rise"
    return "smallest fall" if choice == "largest rise" and change_bits < 0 else choice


def _tokens(results: Results, row: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The tokens of one side, kinds and changes by name."""
    codes, side, place, tokens = codes_of(results), row[name], 0, []
    for token in side["tokens"]:
        wrong = _wrong(token, place, len(side["text"]), codes)
        if wrong:
            raise BadResults(
                f"{results.folder / 'examples.parquet'}: sample {row['sample']} of cell {row['cell']}: "
                f"a token of the {name} text {wrong}"
            )
        place = token["end"]
        tokens.append(token | {"kind": codes.kinds[token["kind"]], "change": codes.changes[token["change"]]})
    return tokens


def _wrong(token: Mapping[str, Any], place: int, end: int, codes: TokenCodes) -> str:
    """What is wrong with a token that follows at `place` in a text that is over at `end`; "" for nothing."""
    if not place <= token["start"] <= token["end"] <= end:
        return "is not in its place"
    for name, known in (("kind", codes.kinds), ("change", codes.changes)):
        if not 0 <= token[name] < len(known):
            return f"is of {name} {token[name]}; there are {len(known)}"
    for name in ("bits", "bits_other"):
        if token[name] is not None and not math.isfinite(token[name]):
            return f"has no score: {name} is not a number"
    return ""


def _pieces(text: str, tokens: Sequence[Mapping[str, Any]], name: str) -> Iterator[MarkedText]:
    """The text in pieces; neighbours without marks are one."""
    plain = 0
    for token in tokens:
        marks = _marks(token, name)
        if not marks:
            continue
        if token["start"] > plain:
            yield MarkedText(text=text[plain : token["start"]])
        plain = token["end"]
        sign = _SIGNS.get(token["kind"], "")
        yield MarkedText(
            text=text[token["start"] : token["end"]], marks=marks, title=_title(token, name), sign=sign
        )
    if plain < len(text):
        yield MarkedText(text=text[plain:])


def _marks(token: Mapping[str, Any], name: str) -> str:
    how = {"renamed": "ren", "inserted": "ins"}.get(token["change"], "")
    change = _change(token, name)
    strength = sum(abs(change) >= step for step in STEPS_BITS) if change is not None else 0
    if strength:
        how += f" {'up' if change is not None and change > 0 else 'down'}{strength}"
    return how.strip()


def _title(token: Mapping[str, Any], name: str) -> str:
    what = "" if token["change"] == "unchanged" else f"{token['change']}, "
    change = _change(token, name)
    if change is None:
        return f"{what}{token['bits']:.1f} bits"
    before, after = _before_and_after(token, name)
    return f"{what}{before:.1f} → {after:.1f} bits ({minus(f'{change:+z.1f}')})"


def _before_and_after(token: Mapping[str, Any], name: str) -> tuple[float, float]:
    own, other = float(token["bits"]), float(token["bits_other"])
    return (own, other) if name == "original" else (other, own)


def _change(token: Mapping[str, Any], name: str) -> float | None:
    if token["bits_other"] is None:
        return None
    before, after = _before_and_after(token, name)
    return after - before


def _most_changed(text: str, tokens: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, str, str]]:
    aligned = [token for token in tokens if token["bits_other"] is not None]
    aligned.sort(key=lambda token: -abs(token["bits"] - token["bits_other"]))
    for token in aligned[:MOST_CHANGED]:
        spelled = text[token["start"] : token["end"]].strip()
        shown = spelled if len(spelled) <= 40 else spelled[:39] + "…"
        before, after = _before_and_after(token, "rewritten")
        yield shown or token["kind"], f"{before:.1f}", f"{after:.1f}", minus(f"{after - before:+z.1f}")
