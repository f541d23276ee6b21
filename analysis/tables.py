"""Tables of paired differences for a paper and a page: Markdown, LaTeX (booktabs, siunitx), CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.comparisons import Comparison
from analysis.pairing import KINDS, Metric, metric
from analysis.results import Results

MARKS = (
    "Bold: the 95 % interval excludes zero. †: Holm-adjusted p < 0.05 over the rows of this table. "
    "n: samples, of so many projects."
)
HEADS = {
    "rewrites": "Rewrites",
    "intensity": "Intensity",
    "train_on": "Trained on",
    "model": "Model",
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One formatted entry: its text, what it sorts by, whether its interval excludes zero, whether p_holm <
    0.05.
    """

    text: str
    sort: Any
    clear: bool = False
    significant: bool = False

    @staticmethod
    def number(value: float, form: str, *, clear: bool = False, significant: bool = False) -> "Cell":
        """A number with a true minus sign."""
        return Cell(text=minus(format(value, form)), sort=float(value), clear=clear, significant=significant)


def differences(results: Results, comparison: Comparison, metric_name: str) -> pd.DataFrame:
    """One row per group of cells, with numbers: the axes, n, reference, value, difference, interval, effect,
    p, seeds.
    """
    table = comparison.table[comparison.table["metric"] == metric_name]
    seeds = comparison.seeds[comparison.seeds["metric"] == metric_name]
    by_seed = (
        seeds.groupby(list(results.groups), dropna=False, sort=False)
        .apply(
            lambda rows: " ".join(
                f"{seed}:{d:+.4f}" for seed, d in zip(rows["seed"], rows["difference"], strict=True)
            )
        )
        .rename("by_seed")
        .reset_index()
    )
    return table.drop(columns=["metric"]).merge(by_seed, on=list(results.groups), how="left")


def caption(comparison: Comparison, metric_name: str) -> str:
    """What the table shows and what its marks mean."""
    one = metric(metric_name)
    scope = "all aligned tokens" if comparison.scope == "all" else "aligned identifiers"
    rows = comparison.table[comparison.table["metric"] == metric_name]
    methods = " or ".join(sorted(set(rows["interval"])))
    better = "higher" if one.higher_is_better else "lower"
    return (
        f"Paired differences in {one.label} ({one.unit}; {better} is better), {KINDS[comparison.kind]}, "
        f"over {scope}. "
        f"95 % intervals: cluster bootstrap over projects ({methods}). δ: Cliff's delta over samples. "
        f"p: signed-rank test for clustered pairs, Holm-adjusted. {MARKS}"
    )


def markdown(results: Results, comparison: Comparison, metric_name: str) -> str:
    """A Markdown table with its caption below."""
    head, rows = cells(results, comparison, metric_name)
    lines = [head, ["---"] * len(head), *([_markdown(cell) for cell in row] for row in rows)]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"{table}\n\n{caption(comparison, metric_name)}\n"


def latex(
    results: Results, comparison: Comparison, metric_name: str, *, label: str = "tab:differences"
) -> str:
    """A table environment for LaTeX with the packages booktabs and siunitx; every text is escaped."""
    table = differences(results, comparison, metric_name)
    digits = _digits(metric(metric_name))
    axes = _axes(results, table)
    columns = "l" * len(axes) + "S[table-format=5.0]" + f"S[table-format=2.{digits}]" * 2
    columns += f"S[table-format=+2.{digits},detect-weight,mode=text]lS[table-format=+1.2]l"
    heads = [*(_tex(HEADS.get(axis, axis)) for axis in axes), "{$n$}", "{Reference}", "{Value}"]
    heads += [r"{$\Delta$}", r"{95\,\% interval}", r"{$\delta$}", "{$p$}"]
    lines = [" & ".join(_latex_row(row, axes, digits)) + r" \\" for _, row in table.iterrows()]
    body = "\n".join(lines)
    return (
        "\\begin{table}\n\\centering\\footnotesize\\setlength{\\tabcolsep}{3pt}\n"
        f"\\caption{{{_tex(caption(comparison, metric_name))}}}\\label{{{label}}}\n"
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{' & '.join(heads)} \\\\\n\\midrule\n{body}\n"
        "\\bottomrule\n\\end{tabular}\n\\end{table}\n"
    )


def save(results: Results, comparison: Comparison, metric_name: str, folder: Path, name: str) -> list[Path]:
    """Writes name.md, name.tex and name.csv; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{name}.{kind}" for kind in ("md", "tex", "csv")]
    files[0].write_text(markdown(results, comparison, metric_name), encoding="utf-8")
    files[1].write_text(latex(results, comparison, metric_name), encoding="utf-8")
    differences(results, comparison, metric_name).to_csv(files[2], index=False)
    return files


def p_value(p: float) -> str:
    """Three digits, or "< 0.001"."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _axes(results: Results, table: pd.DataFrame) -> list[str]:
    """The axes that tell the rows apart, and always rewrites and intensity."""
    varied = [axis for axis in results.groups if table[axis].nunique(dropna=False) > 1]
    return [axis for axis in results.groups if axis in varied or axis in ("rewrites", "intensity")]


def _digits(one: Metric) -> int:
    return 2 if one.name == "entropy" else 3


def cells(results: Results, comparison: Comparison, metric_name: str) -> tuple[list[str], list[list[Cell]]]:
    """The heads and the rows of the table, formatted."""
    table = differences(results, comparison, metric_name)
    digits = _digits(metric(metric_name))
    axes = _axes(results, table)
    heads = [HEADS.get(axis, axis) for axis in axes]
    heads += ["n (projects)", "Reference", "Value", "Δ", "95 % interval", "by seed", "δ", "p (Holm)"]
    return heads, [_row(row, axes, digits) for _, row in table.iterrows()]


def _row(row: "pd.Series[Any]", axes: Sequence[str], digits: int) -> list[Cell]:
    by_seed = [float(part.split(":")[1]) for part in str(row["by_seed"]).split()]
    return [
        *(Cell(text=str(row[axis]), sort=row[axis]) for axis in axes),
        Cell(text=f"{row['n_samples']} ({row['n_projects']})", sort=row["n_samples"]),
        Cell.number(row["reference"], f".{digits}f"),
        Cell.number(row["value"], f".{digits}f"),
        Cell.number(
            row["difference"],
            f"+.{digits}f",
            clear=bool(row["low"] > 0 or row["high"] < 0),
            significant=bool(row["p_holm"] < 0.05),
        ),
        Cell(text=_interval(row["low"], row["high"], digits), sort=row["low"]),
        Cell(text=minus(" ".join(f"{d:+.{digits}f}" for d in by_seed)), sort=by_seed[0] if by_seed else 0.0),
        Cell.number(row["delta"], "+.2f"),
        Cell(text=p_value(row["p_holm"]), sort=row["p_holm"]),
    ]


def _interval(low: float, high: float, digits: int) -> str:
    return "none" if np.isnan(low) else minus(f"{low:+.{digits}f} to {high:+.{digits}f}")


def minus(number: str) -> str:
    """The number with a true minus sign."""
    return number.replace("-", "−")


def _markdown(cell: Cell) -> str:
    text = cell.text.replace("|", r"\|")
    return (f"**{text}**" if cell.clear else text) + ("†" if cell.significant else "")


def _latex_row(row: "pd.Series[Any]", axes: Sequence[str], digits: int) -> list[str]:
    sure = row["low"] > 0 or row["high"] < 0
    number = f"{row['difference']:+.{digits}f}"
    interval = (
        r"{none}"
        if np.isnan(row["low"])
        else (rf"\numrange[print-implicit-plus]{{{row['low']:.{digits}f}}}{{{row['high']:.{digits}f}}}")
    )
    return [
        *(_tex(str(row[axis])) for axis in axes),
        str(row["n_samples"]),
        f"{row['reference']:.{digits}f}",
        f"{row['value']:.{digits}f}",
        (r"\bfseries " if sure else "") + number,
        interval + (r"$^\dagger$" if row["p_holm"] < 0.05 else ""),
        f"{row['delta']:+.2f}",
        "{" + p_value(row["p_holm"]).replace("<", "$<$") + "}",
    ]


_TEX = {
    "\\": r"\textbackslash{}",
    **{char: "\\" + char for char in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "†": r"$\dagger$",
    "δ": r"$\delta$",
    "Δ": r"$\Delta$",
    "−": r"$-$",
    "<": r"$<$",
    ">": r"$>$",
}


def _tex(text: str) -> str:
    return "".join(_TEX.get(char, char) for char in text)
