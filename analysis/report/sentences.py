"""The result in sentences: effect, interval and n in words, and what must be kept in mind."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from analysis.comparing.comparisons import Comparison
from analysis.report.difference_tables import in_words, minus, percent
from analysis.results import Results, describe
from analysis.statistics import significance
from analysis.statistics.metrics import Metric

FEW_PROJECTS = 8


def sentences(
    results: Results, comparisons: dict[str, Comparison], metric_name: str | None = None
) -> list[str]:
    """Up to three: how far the models fall, whether training on rewritten text helps, what it costs on clean
    code; in one metric, without a name the first that leads.
    """
    one = results.metric(metric_name or results.task.leads[0])
    told = []
    trained = comparisons.get("training")
    retrained = set() if trained is None else set(_places(trained.table))
    fall = _worst(comparisons.get("robustness"), one, retrained)
    if fall is not None:
        told.append(
            f"Robustness: on rewritten text ({_rewriting(fall)}) the {in_words(one)} of "
            f"{_model(fall, results)}, trained "
            f"on original text, {_change(fall, one)} against the original text, "
            f"{_n(fall, comparisons['robustness'], results)}."
        )
    gain = _same(comparisons.get("training"), one, fall)
    if gain is not None:
        told.append(
            f"Training: trained on {gain['train_on']} text instead, on the same rewritten text, the "
            f"{in_words(one)} of "
            f"{_model(gain, results)} {_change(gain, one)}, {_n(gain, comparisons['training'], results)}."
        )
    cost = _same(comparisons.get("clean"), one, gain)
    if cost is not None:
        told.append(
            f"Clean code: on original text the same model's {in_words(one)} {_change(cost, one)} against the "
            "unaugmented "
            f"baseline, {_n(cost, comparisons['clean'], results)}."
        )
    return told


def overview(results: Results, comparison: Comparison, metric_name: str) -> str:
    """How many of the comparisons of one kind went which way."""
    rows = comparison.table[comparison.table["metric"] == metric_name]
    lower, higher = int((rows["high"] < 0).sum()), int((rows["low"] > 0).sum())
    which_way = {
        True: f"{lower} are worse and {higher} better",
        False: f"{higher} are worse and {lower} better",
        None: f"{lower} are lower and {higher} higher",
    }[results.metric(metric_name).higher_is_better]
    return (
        f"Of {len(rows)} comparisons, {which_way} with an interval that excludes zero; after Holm's "
        f"correction {int((rows['p_holm'] < 0.05).sum())} have p < 0.05."
    )


def caveats(results: Results, comparisons: dict[str, Comparison]) -> list[str]:
    """What limits the numbers: few projects, one seed, missing cells, intervals that are not BCa, thrown-out
    samples.
    """
    told = []
    tables = [comparison.table for comparison in comparisons.values() if len(comparison.table)]
    if not tables:
        return ["No comparison could be made: see the missing cells below."]
    table = pd.concat(tables, ignore_index=True)
    projects = int(table["n_projects"].min())
    if projects < FEW_PROJECTS:
        told.append(
            f"The test split holds as few as {projects} projects. Intervals resample projects: with fewer "
            f"than {FEW_PROJECTS} they are rough, and a signed-rank p below "
            f"{significance.smallest_p(projects):.3g} can't occur."
        )
    told += _out_of_reach(comparisons)
    if int(table["n_seeds"].max()) < 2:
        told.append("There is one seed: how much of a difference is due to it can't be said.")
    resampled = table.loc[table["interval"] != "jackknife", "interval"]
    other = resampled[resampled != "BCa"]
    if len(other):
        told.append(
            f"{len(other)} of {len(resampled)} intervals are not BCa but {' or '.join(sorted(set(other)))} "
            "(no spread between projects, or all resamples on one side)."
        )
    if len(results.missing):
        told.append(
            f"{len(results.missing)} of {len(results.cells)} cells have no results; they are left out, not "
            "counted as zero."
        )
    told += _not_compared(results, table)
    lost = _without_baseline(results)
    if lost:
        told.append(
            f"{lost} finished cells have a baseline without results and are in no comparison with it."
        )
    return told


def _out_of_reach(comparisons: dict[str, Comparison]) -> Iterator[str]:
    """Whether there are tables with so many rows that, with these projects, Holm leaves no p below 0.05."""
    whole = [comparison.table for comparison in comparisons.values() if len(comparison.table)]
    tables = [table[table["metric"] == table["metric"].iloc[0]] for table in whole]
    least = [significance.smallest_p(int(table["n_projects"].max())) for table in tables]
    rows = [len(table) for table, p in zip(tables, least, strict=True) if p * len(table) >= 0.05]
    if rows:
        yield (
            f"The signed-rank p can't be below {max(least):.2g} with so few projects: Holm-adjusted over the "
            f"{min(rows)} rows of a table, or more, none can reach 0.05. Of {len(tables)} comparisons this "
            f"concerns {len(rows)}. Their intervals are not adjusted for the number of rows."
        )


def _not_compared(results: Results, table: pd.DataFrame) -> Iterator[str]:
    """Metrics that cells have, but no comparison: tables of an older version lack what they need."""
    lacking = [results.metric(name) for name in results.reported if name not in set(table["metric"])]
    labels = [one.label for one in lacking if one.by is not None]
    if labels:
        yield (
            f"{', '.join(labels)}: cells have values, but nothing is compared, since these tables were "
            "written without strata; the next run of the grid writes them anew."
        )


def _without_baseline(results: Results) -> int:
    rewritten = results.done[~results.done["baseline"].astype(bool)]
    return int((~rewritten["baseline_cell"].isin(results.done["cell"])).sum())


def _worst(comparison: Comparison | None, one: Metric, retrained: set[Any]) -> "pd.Series[Any] | None":
    """The largest fall of a model trained on original text, among those also trained otherwise, if any."""
    if comparison is None:
        return None
    rows = comparison.table[comparison.table["metric"] == one.name]
    rows = rows[rows["train_on"].eq("original")]
    rows = rows[[place in retrained or not retrained for place in _places(rows)]]
    if rows.empty:
        return None
    worst = rows["difference"] * (-1 if one.higher_is_better else 1)
    return rows.iloc[int(worst.to_numpy().argmax())]


def _places(rows: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Rewrites, intensity and model of each row."""
    return zip(rows["rewrites"], rows["intensity"], rows["model"], strict=True)


def _same(
    comparison: Comparison | None, one: Metric, like: "pd.Series[Any] | None"
) -> "pd.Series[Any] | None":
    """The row of the same rewrites, intensity and model; with several training mixes the one that changes
    most.
    """
    if comparison is None or like is None:
        return None
    rows = comparison.table[comparison.table["metric"] == one.name]
    mixes = (like["train_on"],) if like["train_on"] != "original" else tuple(rows["train_on"].unique())
    rows = rows[rows["train_on"].isin(mixes)]
    for column in ("rewrites", "intensity", "model"):
        rows = rows[rows[column] == like[column]]
    return None if rows.empty else rows.iloc[int(rows["difference"].abs().to_numpy().argmax())]


def _rewriting(row: "pd.Series[Any]") -> str:
    return f"{row['rewrites']}, {intensity(row['intensity'])}"


def intensity(value: Any) -> str:
    """An intensity in words: "rate 0.5", "5 sites per sample"."""
    text = str(value)
    return f"{text.removeprefix('count ')} sites per sample" if text.startswith("count ") else f"rate {text}"


def _model(row: "pd.Series[Any]", results: Results) -> str:
    others = [axis for axis in results.groups if axis not in ("rewrites", "intensity", "train_on", "model")]
    extra = describe(row, others)
    return f"{row['model']}" + (f" ({extra})" if extra else "")


def _change(row: "pd.Series[Any]", one: Metric) -> str:
    number = [minus(f"{row[name]:+z.{one.digits}f}") for name in ("difference", "low", "high")]
    if np.isnan(row["low"]):
        return f"differs by {number[0]} {one.unit} (one project: no interval)"
    interval = f"95 % interval of the difference {number[1]} to {number[2]}"
    if not (row["low"] > 0 or row["high"] < 0):
        return f"shows no clear difference: {number[0]} {one.unit} ({interval})"
    verb = "rises" if row["difference"] > 0 else "falls"
    size = f"{abs(row['difference']):.{one.digits}f} {one.unit}"
    if one.higher_is_better is None:
        return f"{verb} by {size} ({interval})"
    judged = "better" if (row["difference"] > 0) == one.higher_is_better else "worse"
    share = f" by {percent(abs(row['relative']))}" if np.isfinite(row["relative"]) else ""  # of nothing
    return f"{verb} by {size}, {judged}{share} ({interval})"


def _n(row: "pd.Series[Any]", comparison: Comparison, results: Results) -> str:
    """n in words, and what each seed says."""
    seeds = comparison.seeds[comparison.seeds["metric"] == row["metric"]]
    for axis in seeds.columns:
        if axis in row.index and axis not in ("metric", "value", "reference", "difference"):
            seeds = seeds[seeds[axis].isna() if pd.isna(row[axis]) else seeds[axis] == row[axis]]
    each = ", ".join(minus(f"{difference:+z.2g}") for difference in seeds["difference"])
    scope, count = results.task.label_of(comparison.scope), results.task.unit.count
    seeds_told = f"mean of {row['n_seeds']} seeds ({each})" if row["n_seeds"] > 1 else "one seed"
    return (
        f"on the same {row[count]:,} {scope} of {row['n_samples']:,} samples from {row['n_projects']} "
        f"projects, {seeds_told}"
    )
