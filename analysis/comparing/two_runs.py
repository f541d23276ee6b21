"""`python -m analysis.comparing.two_runs A B`: what differs in spec, code and results of two folders."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.results import BadResults, Results, describe, flat

CODE = ("versions", "git", "host")


def compare_runs(a: Results, b: Results, *, samples: str = "all", scope: str | None = None) -> pd.DataFrame:
    """The same cells side by side: one row per cell × test × metric that either folder has.

    Cells are the same when their axes agree (a missing axis counts as absent); columns: the axes, test,
    metric, a, b, difference (b − a); NaN where one side has no such cell. Without a scope that which each
    task names first. Raises `BadResults` for an unknown scope.
    """
    axes = [*dict.fromkeys([*a.axes, *b.axes])]
    sides = [_metrics(results, axes, samples, scope) for results in (a, b)]
    keys = [*axes, "baseline", "test", "metric"]
    both = sides[0].merge(sides[1], on=keys, how="outer", suffixes=("_a", "_b"))
    both = both.rename(columns={"value_a": "a", "value_b": "b"})
    return both.assign(difference=both["b"] - both["a"])[[*keys, "a", "b", "difference"]]


def facts_that_differ(a: Results, b: Results, keys: Sequence[str]) -> list[tuple[str, str, str]]:
    """Paths into run.json below these keys whose values differ, with both values as text, or "absent"."""
    sides = [
        {".".join(path): str(value) for path, value in flat({key: results.run.get(key) for key in keys})}
        for results in (a, b)
    ]
    paths = [*dict.fromkeys([*sides[0], *sides[1]])]
    lines = [(path, sides[0].get(path, "absent"), sides[1].get(path, "absent")) for path in paths]
    return [line for line in lines if line[1] != line[2]]


def report(a: Results, b: Results) -> Iterator[str]:
    """Lines for a terminal: spec, code, cells on one side only, and the metrics that differ most."""
    if (a.task.name, a.task.version) != (b.task.name, b.task.version):
        yield f"task: {a.task.name} {a.task.version} | {b.task.name} {b.task.version}"
    for title, keys in (("spec", ("spec", "corpus")), ("code and machine", CODE)):
        differing = facts_that_differ(a, b, keys)
        yield f"{title}: {len(differing) or 'no'} differences"
        yield from (f"  {path}: {left} | {right}" for path, left, right in differing[:20])
    table = compare_runs(a, b)
    axes = [*dict.fromkeys([*a.axes, *b.axes])]
    for absent, name in (("b", "first"), ("a", "second")):
        for what, columns in (("cells with results", [*axes, "baseline"]), ("metrics", ["metric"])):
            there = table.groupby(columns, sort=False, dropna=False)[absent].count()
            alone = there[there == 0].reset_index()
            if len(alone):
                yield f"{what} in the {name} folder alone: {len(alone)}"
                named = [column for column in columns if column != "baseline"]
                yield from (f"  {describe(row, named)}" for _, row in alone.head(10).iterrows())
    shared = table.dropna(subset=["difference"])
    changed = shared[shared["difference"] != 0]
    yield f"results: {len(changed)} of {len(shared)} shared values differ"
    relative = changed["difference"].abs() / changed["a"].abs().replace(0, np.nan)
    for index in relative.sort_values(ascending=False).index[:20]:
        row = changed.loc[index]
        yield f"  {describe(row, axes)}, {row['test']} {_told(row, b)}"


def _told(row: "pd.Series[Any]", results: Results) -> str:
    """Both values with their unit, and whether the second is the better one."""
    one = results.task.by_name.get(row["metric"])
    values = f"{row['metric']}: {row['a']:.4f} | {row['b']:.4f}"
    if one is None or one.higher_is_better is None:
        return values if one is None else f"{values} {one.unit}"
    return f"{values} {one.unit}, {'better' if (row['b'] > row['a']) == one.higher_is_better else 'worse'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the comparison; returns 0, or 2 with one message for bad input."""
    parser = argparse.ArgumentParser(prog="python -m analysis.comparing.two_runs", description=__doc__)
    parser.add_argument("a", metavar="RESULTS_A")
    parser.add_argument("b", metavar="RESULTS_B")
    parser.add_argument("--csv", metavar="FILE", help="also write the cells side by side")
    chosen = parser.parse_args(arguments)
    try:
        a, b = Results(chosen.a), Results(chosen.b)
        for line in report(a, b):
            print(line)
        if chosen.csv:
            compare_runs(a, b).to_csv(Path(chosen.csv), index=False)
    except BadResults as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror or error}", file=sys.stderr)
        return 2
    return 0


def _metrics(results: Results, axes: Sequence[str], samples: str, scope: str | None) -> pd.DataFrame:
    metrics, named = results.metrics, scope or results.task.scopes[0].name
    if named not in set(metrics["scope"]):
        raise BadResults(f"{results.folder / 'metrics.parquet'}: no scope {named!r}")
    rows = metrics[(metrics["samples"] == samples) & (metrics["scope"] == named)]
    cells = results.cells[["cell", "baseline", *results.axes]].copy()
    for axis in axes:
        cells[axis] = (
            (cells[axis] if axis in cells else pd.Series("", index=cells.index)).astype("string").fillna("")
        )
    return rows.merge(cells, on="cell")[[*axes, "baseline", "test", "metric", "value"]]


if __name__ == "__main__":
    sys.exit(main())
