"""A few test samples before and after rewriting, with the bits of every token: for people to look at.

Chosen by a rule, not by taste. Of each rewrite set × model (and further axes) one cell: trained on original
text if there is such a cell, at the highest intensity, with the first seed. Of its rewritten samples the one
whose bits per aligned token rose most, the median, and the one that fell most; only samples under a
permissive licence, unless there is none, and of at least MIN_TOKENS tokens, unless there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grid.results.cell_status import CellStatus
from grid.results.excerpts import ScoredText, cut
from grid.store.finished import Store
from preprocessing.corpus.cleaning import KeepConfig, check_license
from preprocessing.errors import BadSource
from preprocessing.lexer.tokens import lex

MAX_CELLS = 48
MIN_TOKENS = 40
CHOICES = ("largest rise", "median", "largest fall")
_PLACE = {"start": pa.int32(), "end": pa.int32()}
_TOKEN = pa.struct(
    {**_PLACE, "kind": pa.uint8(), "change": pa.uint8(), "bits": pa.float32(), "bits_other": pa.float32()}
)
_SIDE = pa.struct({"text": pa.string(), "line": pa.int32(), "tokens": pa.list_(_TOKEN)})
_TEXTS = ("cell", "choice", "sample", "project", "path", "license")
EXAMPLES = pa.schema(
    {
        **dict.fromkeys(_TEXTS, pa.string()),
        "n_tokens": pa.int64(),
        "n_candidates": pa.int64(),
        "change_bits": pa.float64(),
        "original": _SIDE,
        "rewritten": _SIDE,
    }
)


def table(
    store: Store, axes: Sequence[str], done: Sequence[CellStatus], manifests: Mapping[str, Mapping[str, Any]]
) -> pa.Table:
    """The examples of a grid, read from the artifacts of the cells that are chosen and no others.

    `change_bits`: rewritten − original, per aligned token of the whole sample; `n_candidates`: of so many.
    A token's place is in characters of its side's text; `bits_other` is null for inserted tokens.
    """
    rows = []
    for status in cells(axes, done)[:MAX_CELLS]:
        variant = status.steps.tested
        assert variant is not None
        comments = manifests[variant.keys[0]]["document"]["parameters"]["tokens"]["comments"]
        for chosen in _chosen(store, status):
            original, rewritten = _sides(store, status, chosen, comments)
            sides = cut(original, rewritten)
            if sides is not None:
                rows.append({**chosen, "cell": status.cell.id, "original": sides[0], "rewritten": sides[1]})
    return pa.Table.from_pylist(rows, EXAMPLES)


def cells(axes: Sequence[str], done: Sequence[CellStatus]) -> list[CellStatus]:
    """One cell per rewrite set and further axes, without intensity, mix and seeds, in order of the grid."""
    best: dict[tuple[Any, ...], tuple[Any, CellStatus]] = {}
    for place, status in enumerate(done):
        if status.cell.baseline or not {"original", "augmented"} <= set(status.steps.tests):
            continue
        values = dict(zip(axes, status.cell.values, strict=True))
        amount = next(iter(values.pop("intensity").plain.values()))
        mix = values.pop("train_on").plain
        for drawn in ("seed", "rewriting_seed"):
            values.pop(drawn, None)
        rank = (mix != "original", -float(amount), place)
        key = tuple(value.text for value in values.values())
        if key not in best or rank < best[key][0]:
            best[key] = (rank, status)
    return [status for _, status in best.values()]


def _chosen(store: Store, status: CellStatus) -> Iterator[dict[str, Any]]:
    """Largest rise, median, largest fall: one sample each, fewer where there are fewer samples."""
    samples = _candidates(store, status)
    if samples.empty:
        return
    order = samples.sort_values(["change_bits", "sample"], ascending=[False, True])
    places = dict(zip(CHOICES, (0, (len(order) - 1) // 2, len(order) - 1), strict=True))
    taken: set[int] = set()
    for choice, place in places.items():
        if place not in taken:
            taken.add(place)
            about = {str(name): value for name, value in order.iloc[place].items()}
            yield {**about, "choice": choice, "n_candidates": len(order)}


def _candidates(store: Store, status: CellStatus) -> pd.DataFrame:
    """Rewritten test samples: what they are, in which shard, aligned tokens, change of bits per token."""
    sums = {
        test: pq.read_table(
            store.path("evaluate", status.steps.tests[test].name) / "samples.parquet",
            columns=["sample", "n_tokens", "nll_bits"],
            filters=[("scope", "=", scope)],
        ).to_pandas()
        for test, scope in (("original", "all"), ("augmented", "aligned"))
    }
    both = sums["original"].merge(sums["augmented"], on=["sample", "n_tokens"], suffixes=("_b", "_a"))
    both["change_bits"] = (both["nll_bits_a"] - both["nll_bits_b"]) / both["n_tokens"]
    both = both.drop(columns=["nll_bits_a", "nll_bits_b"])
    rewritten: pd.DataFrame = both.merge(_rewritten(store, status), on="sample")
    for good in (rewritten["license"].map(_is_permissive).astype(bool), rewritten["n_tokens"] >= MIN_TOKENS):
        some = rewritten[good.loc[rewritten.index]]
        rewritten = rewritten if some.empty else some
    return rewritten


def _rewritten(store: Store, status: CellStatus) -> pd.DataFrame:
    variant = status.steps.tested
    assert variant is not None
    columns = ["sample", "project", "path", "license", "split", "outcome"]
    tables = []
    for shard, key in enumerate(variant.keys):
        rows = pq.read_table(store.path("variant", key) / "shard.parquet", columns=columns).to_pandas()
        tables.append(rows.assign(shard=shard))
    rows = pd.concat(tables, ignore_index=True)
    kept: pd.DataFrame = rows[(rows["outcome"] == "rewritten") & (rows["split"] == "test")]
    return kept[["sample", "project", "path", "license", "shard"]]


def _is_permissive(expression: str | None) -> bool:
    try:
        check_license(expression or "", KeepConfig(licenses="permissive"))
    except BadSource:
        return False
    return True


def _sides(
    store: Store, status: CellStatus, chosen: Mapping[str, Any], comments: Any
) -> tuple[ScoredText, ScoredText]:
    steps, shard = status.steps, chosen["shard"]
    assert steps.tested is not None
    files = {
        "original": store.path("corpus", steps.corpus.keys[0]) / f"shard-{shard:05}.parquet",
        "augmented": store.path("variant", steps.tested.keys[shard]) / "shard.parquet",
    }
    original, rewritten = (
        _scored(
            _rows_of(file, chosen["sample"], ["text"])["text"][0].as_py(),
            _rows_of(store.path("evaluate", steps.tests[test].name) / "tokens.parquet", chosen["sample"]),
            comments,
        )
        for test, file in files.items()
    )
    return original, rewritten


def _scored(text: str, tokens: pa.Table, comments: Any) -> ScoredText:
    cut_up = lex(text, comments)
    assert len(cut_up) == len(tokens), (len(cut_up), len(tokens))
    return ScoredText(
        text=text,
        starts=np.array(cut_up.starts, dtype=np.int64),
        ends=np.array(cut_up.ends, dtype=np.int64),
        kinds=tokens["kind"].to_numpy(),
        changes=tokens["change"].to_numpy(),
        origins=tokens["origin"].to_numpy().astype(np.int64),
        bits=tokens["nll_bits"].to_numpy(),
    )


def _rows_of(
    file: Path, sample: str, columns: Sequence[str] = ("kind", "change", "origin", "nll_bits")
) -> Any:
    """The rows of one sample: `sample` is looked through first, then only its row group is read."""
    with pq.ParquetFile(file) as opened:
        found = []
        for group in range(opened.num_row_groups):
            names = opened.read_row_group(group, columns=["sample"], use_threads=False)["sample"]
            mask = pc.equal(names, sample)
            if pc.any(mask).as_py():
                found.append(
                    opened.read_row_group(group, columns=list(columns), use_threads=False).filter(mask)
                )
    return pa.concat_tables(found)
