"""The report's further tables: certainty, trends, flips, worst cases, cost."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from analysis.comparing.comparisons import Comparison
from analysis.comparing.dose_response import dose_response
from analysis.comparing.flips import flips, flips_by
from analysis.comparing.pairing import KINDS
from analysis.comparing.renamed_tokens import by_renaming
from analysis.comparing.token_by_token import Scan
from analysis.comparing.worst import over_draws
from analysis.figures.cost import cost_table
from analysis.report.difference_tables import HEADS, TableCell, in_words, minus, p_value
from analysis.results import Results

Section = dict[str, Any]
SHARE, NUMBER = "{:.1%}", "{:z.3f}"


def all_sections(
    results: Results, comparisons: dict[str, Comparison], found: Scan, with_renaming: bool
) -> Iterator[Section]:
    """Every table that has rows, in the order of the report; `with_renaming`: no other one tells of it."""
    robustness = comparisons.get("robustness")
    for kind, comparison in comparisons.items():
        yield _certainty(results, kind, comparison)
    if robustness is not None:
        yield _effects(results, robustness)
        yield from _if_rows(_trends(results))
    if len(found.kinds):
        yield from [_renaming(results, found)] * with_renaming
        yield _flips(results, found)
        yield from _if_rows(_flips_by_kind(results, found))
        yield from _if_rows(_worst(found.worst, "tokens that are right"))
    for metric in results.task.by_name.values():
        if metric.of_draws:
            yield from _if_rows(_worst(over_draws(results, metric), metric.label))
    yield from _if_rows(budgets(results))
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


def _certainty(results: Results, kind: str, comparison: Comparison) -> Section:
    one = results.metric(results.task.leads[0])
    table = comparison.table[comparison.table["metric"] == one.name]
    sources = ["variance_seed", "variance_draw", "variance_project", "variance_residual"]
    numbers = ["difference", "standard_error", "detectable", "detectable_holm", "low_joint", "high_joint"]
    columns = ["n_effective", *numbers[:2], "df", *numbers[2:], "margin", "p_equivalence", *sources]
    columns = [
        name for name in columns if name in ("difference", "standard_error") or table[name].notna().any()
    ]
    forms = dict.fromkeys((*numbers, "margin"), NUMBER) | dict.fromkeys(sources, "{:z.0%}")
    forms |= {"n_effective": "{:.1f}", "df": "{:.1f}"}
    margin = (
        "p equivalence: small where the difference is shown to lie within ± margin, the smallest effect that "
        "matters, as named before the run: only then may a model be called robust. "
        if "margin" in columns
        else "No smallest effect that matters was named before the run (claims.margin in the spec), so no "
        "equivalence is claimed. "
    )
    note = (
        f"{one.label}, {KINDS[kind]}. detectable: the smallest true difference that a study like this finds "
        "with a power of 0.8; detectable holm: after the correction for all rows. low and high joint: bounds "
        f"that hold together for all rows. {margin}variance: shares of what was drawn in the variance of the "
        "difference; rest: what they share. An estimate can be negative: then it is small. †: p < 0.05."
    )
    return section(f"How certain: {kind}", note, table[[*results.groups, *columns]], forms)


def _effects(results: Results, comparison: Comparison) -> Section:
    one = results.metric(results.task.leads[0])
    table = comparison.table[comparison.table["metric"] == one.name]
    means = ["difference", "by_samples", "by_projects"]
    effects = ["delta", "delta_within", "delta_between", "share_worse"]
    effects = [name for name in effects if table[name].notna().any()]
    forms = dict.fromkeys(means, NUMBER) | dict.fromkeys(effects, "{:+z.2f}") | {"share_worse": "{:.0%}"}
    note = (
        f"{one.label}, rewritten − original text. difference: every {results.task.unit.singular} weighs "
        "alike; by samples, by projects: means of the differences of samples, and of projects. delta: "
        "Cliff's δ over all pairs of samples; delta within: of each sample with itself, the share that rises "
        "less the share that falls; delta between: of different samples."
    )
    return section("How large, in other terms", note, table[[*results.groups, *means, *effects]], forms)


def _trends(results: Results) -> Section:
    one = results.metric(results.task.leads[0])
    table = dose_response(results, "robustness", one.name).lines
    turns = "fall" if one.higher_is_better else "rise"
    note = (
        "On the samples that all intensities of a rewrite kept. slope: of the difference in "
        f"{in_words(one)}, rewritten − original text, per unit of intensity, with its 95 % interval; p of "
        f"its t, Holm-adjusted. p page: Page's L over projects, does {in_words(one)} {turns} with the "
        "intensity? One-sided. †: p < 0.05."
    )
    forms = dict.fromkeys(("slope", "low", "high"), "{:+z.3f}") | {"statistic": "{:.0f}"}
    return section("Over the intensity", note, table.drop(columns=["p", "p_page"]), forms)


def _renaming(results: Results, found: Scan) -> Section:
    table = by_renaming(results, found)
    note = (
        f"Change of bits per {results.task.unit.singular}, rewritten − original text under the same model, "
        "with 95 % intervals of what they cover. unchanged: the same token in a rewritten "
        "context. renamed: another token is the right one now, whose first occurrence can't be known."
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
        "the projects' sums, of this one model, Holm-adjusted; how: exact, or by saddlepoint. †: p < 0.05."
    )
    return section("Flips, by cell", note, table, dict.fromkeys(shares, SHARE))


def _flips_by_kind(results: Results, found: Scan) -> Section:
    table = flips_by(results, found, "kind", highest=True)
    note = (
        "At the highest intensity. lost, gained: shares of the tokens of a kind, means over cells. net: lost "
        "− gained, by how much accuracy@1 falls there, with its 95 % interval of what it covers."
    )
    forms = dict.fromkeys(("lost", "gained"), SHARE) | dict.fromkeys(("net", "low", "high"), "{:+z.1%}")
    return section("Flips, by kind of token", note, table, forms)


def budgets(results: Results) -> Section:
    """What each trained model took, where that was counted."""
    columns = ["train_steps", "train_original_tokens", "train_original_passes", "train_flops"]
    # a model that is trained on the original is the same for all rewrites
    axes = [axis for axis in results.groups if axis not in ("test_on", "rewriting_seed")]
    cells = results.done.drop_duplicates("train_key").dropna(subset=columns, how="all")
    plain = cells["train_on"].eq("original")
    for axis in ("rewrites", "intensity"):
        cells[axis] = cells[axis].astype(object).where(~plain, "")
    table = cells.groupby(axes, sort=False, dropna=False)[columns].mean().reset_index()
    shown = {name: name.removeprefix("train_").replace("tokens", "subwords") for name in columns}
    table = table.rename(columns=shown)
    note = (
        "Means over the trained models of all seeds. original subwords: those that were read of texts in "
        "which nothing was rewritten; original passes: how often the original of a text was read; flops: "
        "floating-point operations of the training. Mixes that are equal in one of them differ in the "
        "others, and so may models because of that."
    )
    forms = {
        "steps": "{:,.0f}",
        "original_subwords": "{:,.0f}",
        "original_passes": "{:.2f}",
        "flops": "{:.2e}",
    }
    return section("What each training took", note, table, forms)


def _worst(table: pd.DataFrame, what: str) -> Section:
    note = (
        f"{what[:1].upper()}{what[1:]}, over the units that all s variants have. over draws: s random draws "
        "of one set of rewrites, which is what ReCode's s are (RP, RD and RR with s); over sets: one draw "
        "each of s sets, which ReCode doesn't have. original: on the original text; worst: each unit at its "
        "worst, with the 95 % interval of worst − original under this one model; robust drop: (original − "
        "worst)/original; robust relative: the share that changes under any."
    )
    shares = dict.fromkeys(("original", "worst", "robust_drop", "robust_relative"), SHARE)
    forms = shares | dict.fromkeys(("low", "high"), "{:+z.1%}")
    return section(f"Worst case: {what}", note, table.drop(columns=["cell"]), forms)
