r"""Tables of paired differences for LaTeX: booktabs and siunitx, in parts that fit a page.

    \midrule
    \multicolumn{9}{l}{\emph{gru, trained on original}} \\
    rename & 0.5 & 58 & 3.10 & 3.52 & \bfseries +0.42 & +0.31 to +0.53 $\dagger$ & +0.21 & < 0.001 \\
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.comparing.comparisons import Comparison
from analysis.report.difference_tables import HEADS, MODELS, caption, differences, p_value, varied_axes
from analysis.results import Results, describe

MAX_ROWS = 40
ROWS = ("rewrites", "intensity")
"""The axes that stand in columns; cells that agree in the others form a group under one heading."""

Parts = list[list[tuple[str, list[str]]]]


def latex(results: Results, comparison: Comparison, metric_name: str, *, label: str = "differences") -> str:
    r"""Float environments for LaTeX (`table*`: the width of the page in one and in two columns).

    Needs \usepackage{booktabs,siunitx}. More than MAX_ROWS lines become several parts, cut between groups
    where that is possible, with the heading repeated; labels are tab:<label>, tab:<label>-2, … Every text is
    escaped.
    """
    table = differences(results, comparison, metric_name)
    digits = results.metric(metric_name).digits
    axes = varied_axes(results, table)
    groups = sorted((axis for axis in axes if axis not in ROWS), key=lambda axis: axis != "model")
    lines = [
        (_heading(row, groups), _row(row, [axis for axis in axes if axis in ROWS], digits))
        for _, row in table.sort_values(groups, kind="stable", key=_as_written).iterrows()
    ]
    parts = _parts(lines)
    told = caption(results, comparison, metric_name)
    if (table["low"].isna() & table["low_models"].notna()).any():
        told += f" §: of {MODELS} alone."
    return "\n".join(
        _environment(
            part,
            columns=_columns(table, len([axis for axis in axes if axis in ROWS]), digits),
            heads=_heads(axes),
            told=told if number == 0 else f"Continued from the part before ({number + 1} of {len(parts)}).",
            label=f"tab:{label}" if number == 0 else f"tab:{label}-{number + 1}",
        )
        for number, part in enumerate(parts)
    )


def escape(text: str) -> str:
    """Plain text as LaTeX sets it."""
    return "".join(_TEX.get(char, char) for char in text)


def _as_written(levels: "pd.Series[Any]") -> "pd.Series[Any]":
    """Levels sort in the order in which they first stand in the table."""
    return pd.Series(pd.factorize(levels)[0], index=levels.index)


def _heading(row: "pd.Series[Any]", groups: Sequence[str]) -> str:
    """The levels that all rows of a group share: "gru, trained on original"."""
    named = {"train_on": f"trained on {row.get('train_on')}"}
    return escape(", ".join(named.get(axis) or describe(row, [axis]) for axis in groups))


def _parts(lines: Sequence[tuple[str, list[str]]]) -> Parts:
    """Cut at MAX_ROWS; a group that would fit on the next page whole begins there."""
    sizes = pd.Series([heading for heading, _ in lines]).value_counts()
    parts: Parts = [[]]
    last = None
    for heading, row in lines:
        begins = heading != last
        fits = len(parts[-1]) + (int(sizes[heading]) if begins else 1) <= MAX_ROWS
        if parts[-1] and not fits and (begins or len(parts[-1]) >= MAX_ROWS):
            parts.append([])
        parts[-1].append((heading, row))
        last = heading
    return parts


def _environment(
    part: Sequence[tuple[str, list[str]]], *, columns: str, heads: Sequence[str], told: str, label: str
) -> str:
    body, last = [], ""
    for heading, row in part:
        if heading != last:
            body += [r"\midrule", rf"\multicolumn{{{len(heads)}}}{{@{{}}l}}{{\emph{{{heading}}}}} \\"]
            last = heading
        body.append(" & ".join(row) + r" \\")
    if body[0] != r"\midrule":
        body.insert(0, r"\midrule")
    lines = [
        r"\begin{table*}",
        r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{escape(told)}}}\label{{{label}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(heads) + r" \\",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def _heads(axes: Sequence[str]) -> list[str]:
    rows = [escape(HEADS.get(axis, axis)) for axis in axes if axis in ROWS]
    numbers = ["{$n$}", "{Reference}", "{Value}", r"{$\Delta$}", r"{95\,\% interval}", r"{$\delta$}", "{$p$}"]
    return rows + numbers


def _columns(table: pd.DataFrame, n_axes: int, digits: int) -> str:
    """Columns as wide as their largest numbers; differences carry their sign."""

    def whole(*names: str) -> int:
        largest = max((float(table[name].abs().max()) for name in names), default=0.0)
        return len(f"{largest:.{digits}f}".split(".")[0])

    number = f"S[table-format={whole('reference', 'value')}.{digits}]"
    plus = "print-implicit-plus"
    difference = f"S[table-format=+{whole('difference')}.{digits},detect-weight,mode=text,{plus}]"
    n = f"S[table-format={len(str(int(table['n_samples'].max())))}.0]"
    value = number.replace("]", r",table-space-text-post={\,$\ddagger$}]")
    return "@{}" + "l" * n_axes + n + number + value + difference + f"rS[table-format=+1.2,{plus}]r@{{}}"


def _row(row: "pd.Series[Any]", axes: Sequence[str], digits: int) -> list[str]:
    sure = row["low"] > 0 or row["high"] < 0
    number = f"{row['difference']:+z.{digits}f}"
    return [
        *(escape(str(row[axis])) for axis in axes),
        str(row["n_samples"]),
        f"{row['reference']:.{digits}f}",
        f"{row['value']:.{digits}f}" + (r"\,$\ddagger$" if row["best"] else ""),
        (r"\bfseries " if sure else "") + number,
        "".join(_interval(row, digits)),
        f"{row['delta']:+z.2f}" if np.isfinite(row["delta"]) else "{}",
        p_value(row["p_holm"]).replace("<", "$<$") or "{}",
    ]


def _interval(row: "pd.Series[Any]", digits: int) -> Iterator[str]:
    of = "_models" if np.isnan(row["low"]) else ""
    if np.isnan(row[f"low{of}"]):
        yield "none"
    else:
        low, high = (
            f"{row[name + of]:+z.{digits}f}".replace("-", "{-}").replace("+", "{+}")
            for name in ("low", "high")
        )
        yield f"${low}$ to ${high}$" + (r"\,\S" if of else "")
    # The mark stands in every row, visible or not, so that the numbers stay aligned.
    yield r"\,$\dagger$" if row["p_holm"] < 0.05 else r"\,\phantom{$\dagger$}"


_TEX = {
    "\\": r"\textbackslash{}",
    **{char: "\\" + char for char in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "†": r"$\dagger$",
    "§": r"\S{}",
    "≈": r"$\approx$",
    "×": r"$\times$",
    "‡": r"$\ddagger$",
    "δ": r"$\delta$",
    "Δ": r"$\Delta$",
    "−": r"$-$",
    "<": r"$<$",
    ">": r"$>$",
}
