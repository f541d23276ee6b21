"""Tables of paired differences: numbers, formatted entries, Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.comparing.comparisons import Comparison
from analysis.comparing.pairing import KINDS
from analysis.results import Results
from analysis.statistics.estimates import FEWEST
from analysis.statistics.measures import INVISIBLE
from analysis.statistics.metrics import Metric

MARKS = (
    "Bold: the 95 % interval excludes zero. †: Holm-adjusted p < 0.05 over the rows of this table. "
    "‡: the best value for these rewrites at this intensity."
)
MODELS = "these models"
"""What an interval is called, and a p, that holds the trained models fixed."""
THESE_PROJECTS = "Intervals speak of these projects only, since the same projects stand in train and test. "
HEADS = {
    "rewrites": "Rewrites",
    "intensity": "Intensity",
    "train_on": "Trained on",
    "model": "Model",
}


@dataclass(frozen=True, kw_only=True)
class TableCell:
    """One formatted entry: its text, what it sorts by, and the marks it bears (see `MARKS`)."""

    text: str
    sort: Any
    clear: bool = False
    significant: bool = False
    best: bool = False

    @staticmethod
    def number(value: float, form: str, **marks: bool) -> "TableCell":
        """A number with a true minus sign."""
        return TableCell(text=minus(format(value, form)), sort=float(value), **marks)


def differences(results: Results, comparison: Comparison, metric_name: str) -> pd.DataFrame:
    """One row per group of cells, with numbers: the axes, n, reference, value, difference, interval, effect,
    p, seeds; `best`: no other row of the same rewrites and intensity has a better value.
    """
    table = comparison.table[comparison.table["metric"] == metric_name]
    seeds = comparison.seeds[comparison.seeds["metric"] == metric_name]
    repetition = seeds["seed"].astype(str)
    if "rewriting_seed" in seeds:
        repetition = repetition + "/" + seeds["rewriting_seed"].map("{:g}".format)
    told = repetition + ":" + seeds["difference"].map("{:+z.4f}".format)
    by_seed = (
        seeds.assign(by_seed=told)
        .groupby(list(results.groups), dropna=False, sort=False)["by_seed"]
        .agg(" ".join)
        .reset_index()
    )
    rivals = table.groupby(["rewrites", "intensity"], dropna=False, sort=False)["value"]
    higher = results.metric(metric_name).higher_is_better
    best = rivals.transform("max" if higher else "min")
    rivalled = (rivals.transform("size") > 1) & (higher is not None)
    table = table.assign(best=table["value"].eq(best) & rivalled)
    return table.drop(columns=["metric"]).merge(by_seed, on=list(results.groups), how="left")


def caption(results: Results, comparison: Comparison, metric_name: str) -> str:
    """What the table shows and what its marks mean."""
    one, scope = results.metric(metric_name), comparison.scope
    units = results.task.label_of(scope if comparison.kind == "clean" else results.task.comparable[scope])
    rows = comparison.table[comparison.table["metric"] == metric_name]
    better = {True: "higher is better", False: "lower is better", None: "neither direction is better"}
    return (
        f"Paired differences in {one.label} ({one.unit}; {better[one.higher_is_better]}), "
        f"{KINDS[comparison.kind]}, over {units}. {_tests(rows, one)}{cut_off(results, one)}"
        f"n: samples, of {_range(rows['n_projects'])} projects, which weigh as much as "
        f"{_range(rows['n_effective'], '.1f')} of equal size. {unclaimed(rows)}"
        f"{these_projects(results)}{documented(results)}{MARKS}"
    )


def _tests(rows: pd.DataFrame, one: Metric) -> str:
    """What the intervals and tests are; of a binned error also what it would be by chance."""
    covers = " or ".join(sorted(set(rows["covers"]) - {""}))
    told = f"95 % intervals and p (t): of {covers}, p Holm-adjusted. " if covers else ""
    told += f"{MODELS.capitalize()}: the trained models held fixed, "
    if one.by is not None:
        told += "projects alone. "
    else:
        told += "p by sign flips of signed ranks summed by project (≈: by saddlepoint, else exact). "
        told += "δ: Cliff's delta over samples. "
    chance = rows["by_chance"].dropna()
    if len(chance):
        told += (
            f"On so many units a perfectly calibrated model would show {_range(chance, f'.{one.digits}f')}, "
            "by chance. "
        )
    return told


def cut_off(results: Results, one: Metric) -> str:
    """How many searches for ranks were cut off, for a metric that rests on them."""
    counts = results.scorings[["searched", "cut_off"]].sum()
    if not one.searched or results.scorings.empty:
        return ""
    return (
        f"Searches for ranks that were cut off, and count as wrong: {int(counts['cut_off']):,} of "
        f"{int(counts['searched']):,} in all scorings. "
    )


def unclaimed(rows: pd.DataFrame) -> str:
    """How many rows have no interval, and why; empty where all have one."""
    reasons = rows.loc[rows["why"] != "", "why"].value_counts()
    if reasons.empty:
        return ""
    told = "; ".join(f"{why}: {n}" for why, n in reasons.items())
    what = f"Of {len(rows)} rows, {int(reasons.sum())} have no interval ({told}). "
    if "one seed" in reasons:
        what += "With one seed nothing is said beyond these models. "
    if INVISIBLE in reasons:
        what += "Where no token of the rewritten text is another, the same score says nothing of robustness. "
    if any("project" in str(why) for why in reasons.index):
        what += f"With fewer than {FEWEST} projects no interval is claimed. "
    return what


def these_projects(results: Results) -> str:
    """That nothing is said of other projects, where the models have seen those of the test split."""
    return THESE_PROJECTS if results.shared_projects else ""


def documented(results: Results) -> str:
    """Which sets of rewrites change more than code; empty where none does."""
    if not results.documented:
        return ""
    return (
        f"Names + documentation, a class of its own, whose docstrings follow new names: "
        f"{', '.join(results.documented)}; in all other sets docstrings stay as they are. "
    )


def _range(counts: "pd.Series[Any]", form: str = ".0f") -> str:
    low, high = format(counts.min(), form), format(counts.max(), form)
    return low if low == high else f"{low} to {high}"


def markdown(results: Results, comparison: Comparison, metric_name: str) -> str:
    """A Markdown table with its caption below."""
    head, rows = cells(results, comparison, metric_name)
    lines = [head, ["---"] * len(head), *([_markdown(cell) for cell in row] for row in rows)]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"{table}\n\n{caption(results, comparison, metric_name)}\n"


def p_value(p: float) -> str:
    """Three digits, or "< 0.001"; "" without one."""
    if np.isnan(p):
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def varied_axes(results: Results, table: pd.DataFrame) -> list[str]:
    """The axes that tell the rows apart, and always rewrites and intensity."""
    varied = [axis for axis in results.groups if table[axis].nunique(dropna=False) > 1]
    return [axis for axis in results.groups if axis in varied or axis in ("rewrites", "intensity")]


def cells(
    results: Results, comparison: Comparison, metric_name: str
) -> tuple[list[str], list[list[TableCell]]]:
    """The heads and the rows of the table, formatted."""
    table = differences(results, comparison, metric_name)
    digits = results.metric(metric_name).digits
    axes = varied_axes(results, table)
    heads = [HEADS.get(axis, axis) for axis in axes]
    heads += ["n (projects)", "effective", "Reference", "Value", "Δ", "95 % interval", MODELS, "by seed", "δ"]
    heads += ["p (Holm)", f"p ({MODELS})"]
    return heads, [_row(row, axes, digits) for _, row in table.iterrows()]


def _row(row: "pd.Series[Any]", axes: Sequence[str], digits: int) -> list[TableCell]:
    by_seed = [float(part.split(":")[1]) for part in str(row["by_seed"]).split()]
    return [
        *(TableCell(text=str(row[axis]), sort=row[axis]) for axis in axes),
        TableCell(text=f"{row['n_samples']} ({row['n_projects']})", sort=row["n_samples"]),
        TableCell.number(row["n_effective"], ".1f"),
        TableCell.number(row["reference"], f".{digits}f"),
        TableCell.number(row["value"], f".{digits}f", best=bool(row["best"])),
        TableCell.number(
            row["difference"],
            f"+z.{digits}f",
            clear=bool(row["low"] > 0 or row["high"] < 0),
            significant=bool(row["p_holm"] < 0.05),
        ),
        TableCell(text=interval(row, digits), sort=_sort(row["low"])),
        TableCell(text=interval(row, digits, "_models"), sort=_sort(row["low_models"])),
        TableCell(
            text=minus(" ".join(f"{d:+z.{digits}f}" for d in by_seed)), sort=by_seed[0] if by_seed else 0.0
        ),
        TableCell.number(row["delta"], "+z.2f")
        if np.isfinite(row["delta"])
        else TableCell(text="", sort=0.0),
        TableCell(text=p_value(row["p_holm"]), sort=_sort(row["p_holm"])),
        TableCell(text=p_models(row), sort=_sort(row["p_models"])),
    ]


def interval(row: "pd.Series[Any]", digits: int, of: str = "") -> str:
    """The bounds, or why there are none; `of`: "_models" for those of these models."""
    low, high = row[f"low{of}"], row[f"high{of}"]
    if np.isnan(low):
        return "none" if of else f"none: {row['why']}"
    return minus(f"{low:+z.{digits}f} to {high:+z.{digits}f}")


def p_models(row: "pd.Series[Any]") -> str:
    """The p of these models, with ≈ where it is a saddlepoint's."""
    about = "≈ " if row["p_models_how"] == "saddlepoint" else ""
    return about + p_value(row["p_models"]) if np.isfinite(row["p_models"]) else ""


def _sort(value: float) -> float:
    """What a number sorts by; what is missing comes last."""
    return float(value) if np.isfinite(value) else 1e300


def in_words(one: Metric) -> str:
    """A metric inside a sentence: "entropy", "MRR@10"."""
    return one.label[:1].lower() + one.label[1:] if one.label[1:2].islower() else one.label


def percent(share: float) -> str:
    """A share as whole per cent."""
    return f"{100 * share:.0f} %"


def minus(number: str) -> str:
    """The number with a true minus sign."""
    return number.replace("-", "−")


def _markdown(cell: TableCell) -> str:
    text = cell.text.replace("|", r"\|")
    return (f"**{text}**" if cell.clear else text) + "†" * cell.significant + "‡" * cell.best
