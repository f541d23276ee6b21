"""The result in sentences: effect, interval and n in words, and what must be kept in mind."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from analysis.comparing.comparisons import Comparison
from analysis.comparing.pairing import KINDS
from analysis.figures.transfer import matrix
from analysis.report.difference_tables import (
    MODELS,
    THESE_PROJECTS,
    documented,
    in_words,
    interval,
    minus,
    p_value,
    percent,
    unclaimed,
)
from analysis.results import Results, describe
from analysis.statistics.estimates import COVERAGE_FOUND, FEWEST, ROUGH, TWO_SEEDS
from analysis.statistics.measures import INVISIBLE
from analysis.statistics.metrics import Metric

SUMMARIZED = {"robustness": "Robustness", "training": "Training", "clean": "Clean code"}

TOLD_ROWS = 6
"""So many rows that fit a primary comparison are told one by one."""
MIX, PLACEBO = "original+augmented", "original+original"


def sentences(results: Results, comparisons: dict[str, Comparison]) -> list[str]:
    """The primary comparison, where one was named before the run; then of each kind how many comparisons went
    which way, in the first metric that leads. The largest of many is never singled out.
    """
    told = list(_primary(results, comparisons)) if results.primary else []
    one = results.metric(results.task.leads[0])
    for kind, name in SUMMARIZED.items():
        if kind in comparisons and one.name in set(comparisons[kind].table["metric"]):
            counted = overview(results, comparisons[kind], one.name)
            told.append(f"{name} ({KINDS[kind]}), in {in_words(one)}: {counted}")
    if "training" in comparisons and one.name in set(comparisons["training"].table["metric"]):
        told.append(f"Transfer, in {in_words(one)}: {transferred(results, comparisons['training'])}")
    return told


def transferred(results: Results, training: Comparison) -> str:
    """Whether gains are general: how many there are on the diagonal of trained × tested sets, and off it."""
    one = results.metric(results.task.leads[0])
    rows = matrix(results, training, one.name)
    if rows.empty:
        return (
            "No set of rewrites was tested on another one than it was trained on, so no gain is called "
            "general: it may be knowledge of the generator."
        )
    gained = rows["high"] < 0 if one.higher_is_better is False else rows["low"] > 0
    own = rows["rewrites"] == rows["test_rewrites"]
    return (
        f"Tested on another set than they were trained on, {int(gained[~own].sum())} of "
        f"{int((~own).sum())} trainings gain with an interval that excludes zero; on their own set "
        f"{int(gained[own].sum())} of {int(own.sum())}. A gain is called general only where it is one off "
        "the diagonal."
    )


def _primary(results: Results, comparisons: dict[str, Comparison]) -> Iterator[str]:
    """Each row that fits what the spec names; what it leaves open (a model, a training mix) stays open."""
    named = {key: value for key, value in results.primary.items() if key not in ("comparison", "metric")}
    kind = str(results.primary.get("comparison", "robustness"))
    one = results.metric(str(results.primary.get("metric", results.task.leads[0])))
    wanted = {axis: _level(value) for axis, value in named.items()}
    described = ", ".join([kind, one.label, *(f"{axis} {level}" for axis, level in wanted.items())])
    comparison = comparisons.get(kind)
    if comparison is None or one.name not in set(comparison.table["metric"]):
        yield f"Primary comparison ({described}): it could not be made; nothing has results on both sides."
        return
    rows = comparison.table[comparison.table["metric"] == one.name]
    for axis, level in wanted.items():
        rows = rows[rows[axis].astype(str) == level] if axis in rows else rows[:0]
    if rows.empty:
        yield f"Primary comparison ({described}): it could not be made; no finished cells fit it."
    for _, row in rows.head(TOLD_ROWS).iterrows():
        yield (
            f"Primary comparison ({described}): {describe(row, results.groups)}: the {in_words(one)} "
            f"{_change(row, one)}, {_n(row, comparison, results)}.{_equivalent(row, one)}"
        )
    if len(rows) > TOLD_ROWS:
        yield f"It leaves open which of {len(rows)} rows it means; the first {TOLD_ROWS} are told."


def _level(value: Any) -> str:
    """A level as it stands in cells.parquet: 1.0 is "1", {count: 5} is "count 5"."""
    if isinstance(value, dict):
        return " ".join(f"{unit} {size:g}" for unit, size in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _equivalent(row: "pd.Series[Any]", one: Metric) -> str:
    """What can be said against the margin, where the spec names one."""
    if np.isnan(row["p_equivalence"]):
        return ""
    margin = f"the margin of {row['margin']:g} {one.unit}"
    if row["p_equivalence"] < 0.05:
        return f" The difference is shown to be smaller than {margin} (p {p_value(row['p_equivalence'])})."
    return f" That it is smaller than {margin} is not shown (p {p_value(row['p_equivalence'])})."


def overview(results: Results, comparison: Comparison, metric_name: str) -> str:
    """How many of the comparisons of one kind went which way, and how far the middle one."""
    rows = comparison.table[comparison.table["metric"] == metric_name]
    lower, higher = int((rows["high"] < 0).sum()), int((rows["low"] > 0).sum())
    one = results.metric(metric_name)
    which_way = {
        True: f"{lower} are worse and {higher} better",
        False: f"{higher} are worse and {lower} better",
        None: f"{lower} are lower and {higher} higher",
    }[one.higher_is_better]
    median = minus(f"{rows['difference'].median():+z.{one.digits}f}")
    claimed = int(rows["low"].notna().sum())
    if not claimed:
        return f"{len(rows)} comparisons, median difference {median} {one.unit}. {unclaimed(rows)}".rstrip()
    return (
        f"Of {len(rows)} comparisons, {which_way} with an interval that excludes zero; after Holm's "
        f"correction {int((rows['p_holm'] < 0.05).sum())} have p < 0.05. The median difference is {median} "
        f"{one.unit}. {unclaimed(rows)}"
    ).rstrip()


def caveats(results: Results, comparisons: dict[str, Comparison]) -> list[str]:
    """What limits the numbers: few projects, one seed, missing cells, thrown-out samples."""
    told: list[str] = []
    tables = [comparison.table for comparison in comparisons.values() if len(comparison.table)]
    if not tables:
        return ["No comparison could be made: see the missing cells below."]
    if results.run.get("pilot"):
        told.append(
            "This is a pilot, the grid in miniature: few samples, and models that are hardly trained. It "
            "shows that everything works, and roughly how much differences vary, but no effect."
        )
    table = pd.concat(tables, ignore_index=True)
    if results.shared_projects:
        told.append(
            f"The corpus isn't split by project. {THESE_PROJECTS}To speak of others takes a split by project."
        )
    told += _of_projects(table)
    if int(table["n_seeds"].max()) < 2:
        told.append(
            "There is one seed: how much of a difference is due to it can't be said, and nothing is claimed "
            f"beyond these models. Intervals and p of {MODELS} hold them fixed."
        )
    elif int(table["n_seeds"].min()) < 3:
        told.append(
            "There are rows of one or two seeds. From two, 95 % intervals held the truth in "
            f"{percent(TWO_SEEDS)} of simulated studies whose seeds differ as much as their projects."
        )
    if len(results.missing):
        told.append(
            f"{len(results.missing)} of {len(results.cells)} cells have no results; they are left out, not "
            "counted as zero."
        )
    told += _without_placebo(results)
    told += _invisible(results)
    told += filter(None, [documented(results).rstrip()])
    told += _not_compared(results, table)
    lost = _without_baseline(results)
    if lost:
        told.append(
            f"{lost} finished cells have a baseline without results and are in no comparison with it."
        )
    return told


def _of_projects(table: pd.DataFrame) -> Iterator[str]:
    """Few projects, or a few that hold most units."""
    projects, effective = int(table["n_projects"].min()), float(table["n_effective"].min())
    if projects < FEWEST:
        yield (
            f"The test split holds as few as {projects} project{'s' * (projects > 1)}. With fewer than "
            f"{FEWEST} no interval is claimed and nothing is bold: it would exclude zero too often."
        )
    elif effective < ROUGH:
        found = ", ".join(f"{percent(share)} with {what}" for what, share in COVERAGE_FOUND.items())
        yield (
            f"The projects weigh as little as {effective:.1f} of equal size would, and with "
            f"fewer than {ROUGH} intervals are rough. In simulated studies 95 % intervals held the truth in "
            f"{found}."
        )


def _invisible(results: Results) -> Iterator[str]:
    """Cells whose model can't know that anything was rewritten."""
    unseen = results.done[results.done["invisible"].eq(True)]  # null where a test set isn't made of tokens
    if len(unseen):
        sets = ", ".join(dict.fromkeys(unseen["test_rewrites"].astype(str)))
        yield (
            f"In {len(unseen)} cells ({sets}) no token of the rewritten test text differs from the original: "
            "the rewrite is invisible to these models; that they score the same says nothing of robustness."
        )


def _without_placebo(results: Results) -> Iterator[str]:
    mixes = set(results.cells["train_on"])
    if MIX in mixes and PLACEBO not in mixes:
        yield (
            f"No model was trained on {PLACEBO}, the same texts twice: what training on {MIX} does can't be "
            "told from what repeating the originals does."
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


def _change(row: "pd.Series[Any]", one: Metric) -> str:
    number = [minus(f"{row[name]:+z.{one.digits}f}") for name in ("difference", "low", "high")]
    if row["why"] == INVISIBLE:
        return "says nothing: the rewrite is invisible to the model, for which both texts are the same"
    if np.isnan(row["low"]):
        alone = (
            f"; {MODELS}: {interval(row, one.digits, '_models')}" if np.isfinite(row["low_models"]) else ""
        )
        return f"differs by {number[0]} {one.unit} (no interval: {row['why']}{alone})"
    bounds = f"95 % interval of the difference {number[1]} to {number[2]}"
    if not (row["low"] > 0 or row["high"] < 0):
        return f"shows no clear difference: {number[0]} {one.unit} ({bounds})"
    verb = "rises" if row["difference"] > 0 else "falls"
    size = f"{abs(row['difference']):.{one.digits}f} {one.unit}"
    if one.higher_is_better is None:
        return f"{verb} by {size} ({bounds})"
    judged = "better" if (row["difference"] > 0) == one.higher_is_better else "worse"
    share = f" by {percent(abs(row['relative']))}" if np.isfinite(row["relative"]) else ""  # of nothing
    return f"{verb} by {size}, {judged}{share} ({bounds})"


def _n(row: "pd.Series[Any]", comparison: Comparison, results: Results) -> str:
    """n in words, and what each seed says."""
    seeds = comparison.seeds[comparison.seeds["metric"] == row["metric"]]
    for axis in seeds.columns:
        if axis in row.index and axis not in ("metric", "value", "reference", "difference"):
            seeds = seeds[seeds[axis].isna() if pd.isna(row[axis]) else seeds[axis] == row[axis]]
    each = ", ".join(minus(f"{difference:+z.2g}") for difference in seeds["difference"])
    scope, count = results.task.label_of(comparison.scope), results.task.unit.count
    seeds_told = f"mean of {row['n_seeds']} seeds ({each})" if len(seeds) > 1 else "one seed"
    return (
        f"on the same {row[count]:,} {scope} of {row['n_samples']:,} samples from {row['n_projects']} "
        f"projects (effective number {row['n_effective']:.1f}), {seeds_told}"
    )
