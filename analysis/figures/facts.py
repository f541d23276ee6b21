"""`python -m analysis.figures.facts FOLDER`: figures of results/<name>/data, which `augrid corpus` and
`augrid sizes` write before anybody trains.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

from analysis.figures.panels import lay_out
from analysis.figures.style import Look, Plot, looks, seaborn_looks, style, width_in

HEIGHT_IN = 1.9
_UNITS = {"tokens": "tokens of a sample", "lines": "lines of a sample", "bytes": "bytes of a sample"}


def lengths(table: pd.DataFrame, *, template: str = "acm", columns: str = "two") -> Plot:
    """Share of samples below a length, by split: one panel per unit, a line per split.

    `table` is lengths.csv: corpus, unit, split, from, to (excluded), samples.
    """
    marks = looks(list(dict.fromkeys(_label(table))))
    drawn = []
    with style():
        width = width_in(template, columns)
        figure, panels = lay_out(
            list(_UNITS), width=width, across=len(_UNITS), height=HEIGHT_IN, more=0.0, sharey=True
        )
        for ax, unit in panels:
            here = table[table["unit"] == unit]
            by_label = here.groupby(_label(here), sort=False)["samples"]
            here = here.assign(share_below=by_label.cumsum() / by_label.transform("sum").clip(lower=1))
            drawn.append(here)
            shown = here.assign(x=here["to"] - 1, y=100 * here["share_below"], label=_label(here))
            sns.lineplot(
                shown, x="x", y="y", hue="label", style="label", lw=1.2, legend=False, ax=ax, errorbar=None,
                **seaborn_looks(marks),
            )  # fmt: skip
            filled = here[here["samples"] > 0]
            ax.set(xscale="log", xlabel=_UNITS[unit], ylabel="", ylim=(0, 100))
            ax.set_xlim(max(1, filled["from"].min() / 1.2), filled["to"].max() * 1.1)
            wide = filled["to"].max() / filled["from"].min() > 1000
            ax.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 3)))
            ax.xaxis.set_major_formatter(EngFormatter(sep=""))
            ax.xaxis.set_minor_locator(NullLocator())
        panels[0][0].set_ylabel("samples not longer [%]")
        _legend(figure, marks, markers=False)
    return Plot(
        figure=figure, data=pd.concat(drawn), alt="Share of the samples that are not longer, by split."
    )


def vocabulary(table: pd.DataFrame, *, template: str = "acm", columns: str = "one") -> Plot:
    """Distinct tokens and identifiers over tokens read, both logarithmic, with the exponent of Heaps' law.

    V = K nᵝ is fitted by least squares of the logarithms (Heaps 1978, section 7.5) on the upper half of the
    curve, where it is straight. `table` is vocabulary.csv: corpus, n_tokens, tokens, identifiers.
    """
    names = [
        f"{corpus}{what}"
        for corpus in dict.fromkeys(_prefix(table))
        for what in ("distinct tokens", "distinct identifiers")
    ]
    marks = looks(names)
    with style():
        figure = Figure(figsize=(width_in(template, columns), HEIGHT_IN + 0.5))
        ax = figure.subplots()
        named = {}
        for corpus, rows in table[table["n_tokens"] > 0].groupby(_prefix(table), sort=False):
            for what in ("tokens", "identifiers"):
                look = marks[f"{corpus}distinct {what}"]
                ax.plot(rows["n_tokens"], rows[what], color=look.color, ls=look.dashes, lw=1.2)
                named[f"{corpus}distinct {what}, β = {_heaps(rows['n_tokens'], rows[what]):.2f}"] = look
        ax.set(xscale="log", yscale="log", xlabel="tokens read", ylabel="vocabulary")
        _legend(figure, named, markers=False, across=1)
    return Plot(figure=figure, data=table, alt="Vocabulary over the number of tokens read (Heaps' law).")


def growth(table: pd.DataFrame, *, template: str = "acm", columns: str = "two") -> Plot:
    """How variants grow, and what becomes of their samples: over intensity, a line per set of rewrites.

    Growth is the ratio of the tokens of all rewritten samples, kept or not; light marks: the 95th percentile
    over samples. Lines are means over seeds, dots the seeds. `table` is sizes.csv.
    """
    label = _label(table, without=("intensity", "seed"))
    marks = looks(list(dict.fromkeys(label)))
    levels = sorted(dict.fromkeys(table["intensity"].astype(str)), key=_amount)
    positions = {level: float(number) for number, level in enumerate(levels)}
    drawn = {
        "growth": "tokens after / before",
        "rewritten": "samples rewritten [%]",
        "thrown_out": "samples thrown out [%]",
    }
    with style():
        width = width_in(template, columns)
        figure, panels = lay_out(list(drawn), width=width, across=len(drawn), height=HEIGHT_IN, more=0.4)
        for ax, column in panels:
            for number, (name, rows) in enumerate(table.groupby(label, sort=False)):
                shift = 0.36 * ((number + 0.5) / len(marks) - 0.5)
                _line(ax, rows, column, positions, shift, marks[name])
            ax.set_xticks(list(positions.values()), levels)
            ax.set_xlim(-0.4, len(levels) - 0.6)
            ax.set(xlabel="intensity", ylabel=drawn[column])
            if column != "growth":
                ax.set_ylim(-3, 103)
        _legend(figure, marks, light="95th percentile of samples")
    return Plot(
        figure=figure, data=table, alt="Growth of variants and shares of their samples, over intensity."
    )


def _line(
    ax: Axes, rows: pd.DataFrame, column: str, positions: dict[str, float], shift: float, look: Look
) -> None:
    scale = 1 if column == "growth" else 100
    x = rows["intensity"].astype(str).map(positions) + shift
    mean = (scale * rows[column]).groupby(x).mean()
    style_of: dict[str, Any] = {"color": look.color, "marker": look.marker}
    ax.plot(mean.index, mean, ls=look.dashes, lw=0.9, zorder=3, **style_of)
    if len(mean) < len(rows):
        ax.plot(x + 0.03, scale * rows[column], "o", color=look.color, ms=1.5, markeredgewidth=0, zorder=4)
    if column == "growth":
        high = rows["growth_p95"].groupby(x).mean()
        ax.plot(high.index, high, ls="", alpha=0.45, markerfacecolor="none", markeredgewidth=0.7, **style_of)


def make(folder: Path) -> list[Path]:
    """Draw what the tables in `folder` allow, into its folder figures/; returns the files."""
    written: list[Path] = []
    for file, draw in (("lengths", lengths), ("vocabulary", vocabulary), ("sizes", growth)):
        path = folder / f"{file}.csv"
        if path.exists():
            table = pd.read_csv(path, dtype={"intensity": str, "corpus": str}, keep_default_na=False)
            numeric = [c for c in table.columns if c.startswith("growth")]
            table[numeric] = table[numeric].apply(pd.to_numeric, errors="coerce")
            written += draw(table).save(folder / "figures", draw.__name__)
    return written


def _heaps(n: pd.Series, found: pd.Series) -> float:
    upper = slice(len(n) // 2, None)
    if len(n[upper]) < 2:
        return float("nan")
    return float(np.polyfit(np.log(n[upper]), np.log(found[upper]), 1)[0])


def _label(table: pd.DataFrame, without: Sequence[str] = ()) -> "pd.Series[str]":
    """What names a line: the corpus and split, or the set of rewrites and whatever else differs."""
    if "split" in table:
        return _prefix(table) + table["split"]
    others = [c for c in table.columns if c not in without and ("." in c or c == "rewrites")]
    return table[others].astype(str).agg(", ".join, axis=1)


def _prefix(table: pd.DataFrame) -> "pd.Series[str]":
    return table["corpus"].map(lambda name: f"{name}: " if name else "")


def _amount(level: str) -> tuple[bool, float]:
    """Rates before counts, each by size: 0.25, 1, count 5."""
    number = level.split()[-1]
    return (" " in level, float(number) if number.replace(".", "", 1).isdigit() else 0.0)


def _legend(
    figure: Figure, marks: dict[str, Look], *, markers: bool = True, light: str = "", across: int = 4
) -> None:
    handles = [
        Line2D([], [], color=look.color, ls=look.dashes, marker=look.marker if markers else "", label=name)
        for name, look in marks.items()
    ]
    if light:
        hollow: dict[str, Any] = {"markerfacecolor": "none", "alpha": 0.6}
        handles.append(Line2D([], [], color="#444444", ls="", marker="o", label=light, **hollow))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(across, len(handles)), frameon=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints each file written; returns 0, or 2 with one message."""
    parser = argparse.ArgumentParser(prog="python -m analysis.figures.facts", description=make.__doc__)
    parser.add_argument("folder", type=Path, help="results/<name>/data")
    chosen = parser.parse_args(arguments)
    try:
        for file in make(chosen.folder):
            print(file)
    except (OSError, KeyError, ValueError) as error:
        print(f"error: {chosen.folder}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
