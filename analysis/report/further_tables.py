"""The report's further tables: certainty, trends, flips, worst cases, cost."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from analysis.comparing.comparisons import Comparison, trends
from analysis.comparing.renamed_tokens import by_renaming
from analysis.comparing.token_by_token import Scan, flips
from analysis.comparing.worst import over_draws
from analysis.figures.cost import cost_table
from analysis.report.difference_tables import HEADS, TableCell, in_words, minus, p_value
from analysis.results import Results

Section = dict[str, Any]
SHARE, NUMBER = "{:.1%}", "{:z.3f}"


def all_sections(results: Results, comparisons: dict[str, Comparison], found: Scan) -> Iterator[Section]:
    """Every table that has rows, in the order of the report."""
    robustness = comparisons.get("robustness")
    if robustness is not None:
        yield _certainty(results, robustness)
        yield from _if_rows(_trends(results, robustness))
    if len(found.kinds):
        yield _renaming(results, found)
        yield _flips(results, found)
        yield from _if_rows(_worst(found.worst, "tokens that are right"))
    for metric in results.task.by_name.values():
        if metric.of_draws:
            yield from _if_rows(_worst(over_draws(results, metric), metric.label))
    cost = cost_table(results)
    if len(cost):
        forms = {"median_s": "{:,.1f}", "longest_s": "{:,.1f}", "total_s": "{:,.0f}"}
        yield section(
            "Cost of training", "Seconds as the training reported them, by model and mix.", cost, forms
        )


def section(title: str, note: str, table: pd.DataFrame, forms: dict[str, str]) -> Section:
    """A table as the template shows it: heads, and cells with their text and sort value."""
    rows = [
        [_cell(name, value, forms) for name, value in zip(table.columns, row, strict=True)]
        for row in table.itertuples(index=False, name=None)
    ]
    return {
        "title": title,
        "note": note,
        "heads": [HEADS.get(name, str(name).replace("_", " ")) for name in table.columns],
        "rows": rows,
    }


def _cell(name: str, value: Any, forms: dict[str, str]) -> TableCell:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return TableCell(text="", sort="")
    if str(name).startswith("p_") or name == "p":
        return TableCell(text=p_value(float(value)), sort=float(value), significant=bool(float(value) < 0.05))
    if name in forms:
        return TableCell(text=minus(forms[name].format(value)).replace("%", " %"), sort=float(value))
    if isinstance(value, int | np.integer) and name != "seed":
        return TableCell(text=f"{int(value):,}", sort=int(value))
    return TableCell(text=str(value), sort=value)


def naturalness(measured: pd.DataFrame) -> Section:
    """How natural variants are: means over seeds; of the AUC's intervals the lowest and the highest end."""
    note = (
        "Means over the variants of all seeds, on a sample of the corpus. AUC: how well a classifier "
        "(logistic regression on n-grams of tokens) that saw neither a text nor its project tells rewritten "
        "texts from "
        "originals; 0.5: not at all, 1: always; low, high: the lowest and the highest end of the seeds' 95 % "
        "intervals over projects. Bits: of a token, under an n-gram model of the other half of the projects. "
        "replaced: of the tokens that were renamed, before; original: of all tokens of the originals."
    )
    how = dict.fromkeys(("inserted_bits", "renamed_bits", "replaced_bits", "original_bits", "auc"), "mean")
    how = {"n_texts": "min", **how, "auc_low": "min", "auc_high": "max"}
    table = measured.groupby(["rewrites", "intensity"], sort=False).agg(how).reset_index()
    forms = {name: "{:.2f}" if name.startswith("auc") else "{:.1f}" for name in how if name != "n_texts"}
    return section("Naturalness", note, table, forms)


def _if_rows(one: Section) -> Iterator[Section]:
    if one["rows"]:
        yield one


def _certainty(results: Results, comparison: Comparison) -> Section:
    one = results.metric(results.task.leads[0])
    table = comparison.table[comparison.table["metric"] == one.name]
    columns = ["difference", "standard_error", "detectable", "margin", "p_equivalence"]
    columns += ["variance_seed", "variance_project", "variance_residual"]
    forms = dict.fromkeys(columns[:4], NUMBER) | dict.fromkeys(columns[5:], "{:.0%}")
    note = (
        f"{one.label}, rewritten − original text. detectable: the smallest true difference that this many "
        "projects find with a power of 0.8. p equivalence: small where the difference is shown to lie within "
        "± margin (5 % of the reference): only then may a model be called robust. variance: shares of seed, "
        "project and rest in the differences per seed and project. †: p < 0.05."
    )
    return section("How certain, and how robust", note, table[[*results.groups, *columns]], forms)


def _trends(results: Results, comparison: Comparison) -> Section:
    one = results.metric(results.task.leads[0])
    table = trends(results, comparison, one.name)
    turns = "fall" if one.higher_is_better else "rise"
    note = (
        f"Page's L over projects: does {in_words(one)} {turns} with the intensity? One-sided, Holm-adjusted. "
        "†: p < 0.05."
    )
    return section("Trend over intensity", note, table, {"statistic": "{:.0f}"})


def _renaming(results: Results, found: Scan) -> Section:
    table = by_renaming(results, found).drop(columns="interval")
    note = (
        f"Change of bits per {results.task.unit.singular}, rewritten − original text under the same model, "
        "with 95 % intervals over projects. unchanged: the same token in a rewritten context, which is "
        "robustness alone. renamed: another token is the right one now, whose first occurrence can't be "
        "known."
    )
    forms = dict.fromkeys(("change", "low", "high"), "{:+z.2f}")
    return section("Unchanged and renamed tokens", note, table, forms)


def _flips(results: Results, found: Scan) -> Section:
    table = flips(results, found).drop(columns=["cell", "p_tokens", "p"])
    shares = (
        "accuracy_before",
        "accuracy_after",
        "lost",
        "gained",
        "robust_drop",
        "robust_relative",
        "consistency",
    )
    note = (
        "Tokens of the original text that stand in the rewritten one; right: most probable (accuracy@1). "
        "lost: right before, wrong after; gained: the reverse. robust drop: (before − after)/before (ReCode "
        "RD₁@1); robust relative: lost + gained (ReCode RR₁@1); consistency: 1 − this. p: McNemar's test on "
        "the projects' sums, Holm-adjusted. †: p < 0.05."
    )
    return section("Flips, by cell", note, table, dict.fromkeys(shares, SHARE))


def _worst(table: pd.DataFrame, what: str) -> Section:
    note = (
        f"{what[:1].upper()}{what[1:]}, over the units that all s draws have. original: on the original "
        "text; worst: each unit at its worst (ReCode's RP), with the 95 % interval of worst − original "
        "(jackknife over projects); robust drop, robust relative: its RD and RR with s variants."
    )
    shares = dict.fromkeys(("original", "worst", "robust_drop", "robust_relative"), SHARE)
    forms = shares | dict.fromkeys(("low", "high"), "{:+z.1%}")
    return section(
        f"Worst case over the rewrites: {what}", note, table.drop(columns=["cell", "rewrites"]), forms
    )
