"""Which two scorings are compared, on which units: pairs of sums by sample.

    robustness   the same trained model: rewritten test text − original test text
    baseline     a cell on rewritten text − its unaugmented baseline on original text
    clean        a cell on original text − its unaugmented baseline on original text
    training     a cell on rewritten text − the model trained on original text, on the same rewritten text

Both sides hold the same units of the same samples: those that no size rule threw out of the cell's variant,
and of the rewritten text the scope that the task names as the counterpart (of tokens: the aligned ones).
Where a variant decides on the units of a scope, those of the original are by the variant of the first cell.
"""

from collections.abc import Sequence

import pandas as pd

from analysis.results import BadResults, Results

KINDS = {
    "robustness": "the same model, rewritten − original text",
    "baseline": "rewritten text − the unaugmented baseline on original text",
    "clean": "original text − the unaugmented baseline on original text",
    "training": "rewritten text − the model trained on original text, on the same rewritten text",
}


def pairs(
    results: Results, kind: str, *, scope: str | None = None, cells: Sequence[str] | None = None
) -> pd.DataFrame:
    """One row per cell × sample: group (number), cell, sample, project, and the sums of both sides, `…_a` −
    `…_b`. With `cells` of these alone.
    """
    scope = scope_of(results, scope)
    sides = sides_of(results, kind)
    scopes: tuple[str, ...] = (scope, results.task.comparable[scope])
    wanted = None
    if cells is not None:
        sides = sides[sides["a_cell"].isin(cells)]
        wanted = sorted({*sides["a_cell"], *sides["b_cell"]})
        if results.task.scope(scope).by_variant:  # whoever asks for one asks for all: the file is read once
            scopes = tuple(one.name for one in results.task.scopes if one.by_variant)
    samples = results.samples(scopes, wanted)
    sums = [results.task.unit.count, *(one.name for one in results.task.sums)]
    a_test, b_test = tests_of(kind)
    left = _side(samples, a_test, scope, results).merge(
        sides, left_on="cell", right_on="a_cell", suffixes=("", "_")
    )
    of_variant, keys = results.task.scope(scope).by_variant, ["b_cell", "sample"]
    if a_test == "original":
        left = left[left["common"] & (left["by_variant"].eq(left["a_cell"]) | (not of_variant))]
    right = _side(samples, b_test, scope, results)[["cell", "sample", "by_variant", *sums]].rename(
        columns={"cell": "b_cell", "by_variant": "a_cell"}
    )
    if of_variant and b_test == "original":
        keys = ["b_cell", "a_cell", "sample"]
    else:
        right = right.drop(columns="a_cell")
    there = right[keys[:-1]].drop_duplicates()  # the grid may test on one of the two texts alone
    left = left.merge(there, on=keys[:-1])
    both = left.merge(right, on=keys, how="left", suffixes=("_a", "_b"))
    _check(both, results, kind)
    return both[["group", "cell", "sample", "project", *(f"{s}_{side}" for side in "ab" for s in sums)]]


def baselines(
    results: Results, *, scope: str | None = None, metrics: Sequence[str] | None = None
) -> pd.DataFrame:
    """The unaugmented models on all original test samples: the axes of each baseline cell, metric, value.

    Without names the first of the metrics that lead.
    """
    cells = results.done[results.done["baseline"].astype(bool)]
    names = results.task.leads[:1] if metrics is None else [results.metric(name).name for name in metrics]
    rows = results.metrics
    rows = rows[
        (rows["test"] == "original")
        & (rows["samples"] == "all")
        & (rows["scope"] == scope_of(results, scope))
    ]
    rows = rows[rows["metric"].isin(names)]
    return cells[["cell", *results.axes]].merge(rows[["cell", "metric", "value"]], on="cell")


def scope_of(results: Results, scope: str | None) -> str:
    """The name of a scope that can be compared, without one the task's first; raises `BadResults` for
    another."""
    known = results.task.comparable
    if scope is None and known:
        return next(iter(known))
    if scope not in known:
        raise BadResults(f"no scope {scope!r} to compare on; there are {', '.join(known)}")
    return scope


def tests_of(kind: str) -> tuple[str, str]:
    """The test sets of both sides."""
    return "original" if kind == "clean" else "augmented", "augmented" if kind == "training" else "original"


def sides_of(results: Results, kind: str) -> pd.DataFrame:
    """Which cell stands on either side: columns group, a_cell, b_cell."""
    cells = results.cells.assign(
        group=results.cells.groupby(list(results.groups), dropna=False, sort=False).ngroup()
    )
    cells = cells[~cells["baseline"].astype(bool) & cells["cell"].isin(results.done["cell"])]
    if kind == "robustness":
        other = cells["cell"]
    elif kind in ("baseline", "clean"):
        other = cells["baseline_cell"]
    elif kind == "training":
        other = _untrained(cells, results.axes)
    else:
        raise BadResults(f"no comparison {kind!r}; there are {', '.join(KINDS)}")
    sides = pd.DataFrame({"group": cells["group"], "a_cell": cells["cell"], "b_cell": other})
    sides = sides[sides["b_cell"].isin(results.done["cell"])]
    if kind == "clean":  # the same trained model on the same text is no comparison
        key = results.cells.set_index("cell")["train_key"]
        sides = sides[key.loc[sides["a_cell"]].to_numpy() != key.loc[sides["b_cell"]].to_numpy()]
    return sides


def _untrained(cells: pd.DataFrame, axes: Sequence[str]) -> pd.Series:
    """The cell that is trained on the original and tested on the same, or null."""
    of_training = ("train_on", "rewrites", "intensity", "rewriting_seed", "test_on")
    tested = ["test_rewrites", "test_intensity", "test_rewriting_seed"]
    rest = [*(axis for axis in axes if axis not in of_training), *tested]
    key = pd.Series(
        ["\x1f".join(map(str, row)) for row in cells[rest].to_numpy()], index=cells.index, dtype=str
    )
    original = cells["train_on"].eq("original")
    other = dict(zip(key[original], cells.loc[original, "cell"], strict=True))
    return key.map(other).where(~original).astype(cells["cell"].dtype)


def _side(samples: pd.DataFrame, test: str, scope: str, results: Results) -> pd.DataFrame:
    wanted = scope if test == "original" else results.task.comparable[scope]
    return samples[(samples["test"] == test) & (samples["scope"] == wanted)]


def _check(both: pd.DataFrame, results: Results, kind: str) -> None:
    file, unit = results.folder / "samples.parquet", results.task.unit
    a, b = f"{unit.count}_a", f"{unit.count}_b"
    lonely = both[both[b].isna()]
    if len(lonely):
        row = lonely.iloc[0]
        raise BadResults(
            f"{file}: {len(lonely)} samples of the comparison {kind!r} have no partner, the first is sample "
            f"{row['sample']} of cell {row['cell']}, looked for in cell {row['b_cell']}"
        )
    uneven = both[both[a] != both[b]]
    if len(uneven):
        row = uneven.iloc[0]
        raise BadResults(
            f"{file}: {len(uneven)} pairs of the comparison {kind!r} don't hold the same {unit.plural}, "
            f"the first is sample {row['sample']} of cell {row['cell']}: {row[a]:.0f} and {row[b]:.0f} "
            f"{unit.plural}"
        )
