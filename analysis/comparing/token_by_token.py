"""Token by token: counts of what changed, by kind of token, and the worst of several rewrites, in one pass.

Each cell's rewritten tokens are laid over the original ones by their origin; nothing is diffed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.comparing import worst
from analysis.comparing.pairing import scope_of
from analysis.results import BadResults, Results
from analysis.statistics.descriptions import TokenCodes
from analysis.statistics.metrics import Metric, Worst

COUNTS = ("n_tokens", "bits_before", "bits_after", "right_before", "right_after", "lost", "gained")
_ORIGINAL = ("sample", "token", "kind", "nll_bits", "rank")
_AUGMENTED = ("sample", "origin", "change", "nll_bits", "rank")


@dataclass(frozen=True, kw_only=True)
class Original:
    """Scores of the original test text under one model: T tokens of N samples."""

    samples: list[str]
    starts: npt.NDArray[np.int64]  # (N + 1,) into tokens
    kind: npt.NDArray[np.uint8]  # (T,)
    bits: npt.NDArray[np.float32]  # (T,)
    right: npt.NDArray[np.bool_]  # (T,) rank 1
    ranked: bool


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """Scores of a rewritten text's A aligned tokens, and which original token each is."""

    position: npt.NDArray[np.int64]  # (A,) into the original's tokens
    renamed: npt.NDArray[np.bool_]  # (A,) whether it is another token now
    bits: npt.NDArray[np.float32]  # (A,)
    right: npt.NDArray[np.bool_]  # (A,)
    ranked: bool


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What one pass over all token tables finds.

    `kinds`: one row per cell × project × kind of token × renamed or not, with the columns `COUNTS`.
    `worst`: one row per trained model × intensity that has several variants: over ("draws" or "sets"), s,
    n_tokens, and the columns of `worst.measure`, of being right (accuracy@1) over the tokens that all s have.
    `ranked`: the cells whose tokens have ranks; of the others nobody knows what is right.
    """

    kinds: pd.DataFrame
    worst: pd.DataFrame
    ranked: frozenset[str]


RIGHT = Metric(name="right", label="", unit="", form=Worst(numerator="right", denominator="n_tokens"))


def scan(results: Results) -> Scan:
    """Reads every token table once, one cell at a time; cells without token tables are left out."""
    projects = _projects(results)
    kinds, worsts, ranked = [], [], []
    for _, cells in _by_model(results):
        original = read_original(results, str(cells["cell"].iloc[0]))
        project, names = pd.factorize(
            np.array([projects[sample] for sample in original.samples], dtype=object)
        )
        project = np.repeat(project, np.diff(original.starts))  # (T,)
        right: dict[str, npt.NDArray[np.int8]] = {}
        for row in cells.to_dict("records"):
            cell, overlay = str(row["cell"]), overlay_of(results, str(row["cell"]), original)
            kinds.append(_count(cell, original, overlay, project, names, results))
            if not (original.ranked and overlay.ranked):
                continue
            ranked.append(cell)
            seen = np.full(len(original.right), -1, dtype=np.int8)
            seen[overlay.position] = overlay.right
            right[cell] = seen
        for over, family in worst.families(results, cells[cells["cell"].isin(list(right))]):
            draws = [(str(cell), right[str(cell)]) for cell in family["cell"]]
            worsts.append({"over": over, **_worst(draws, original, project)})
    columns = ["cell", "project", "kind", "renamed", *COUNTS]
    of_worst = ["cell", "over", "s", "n_tokens", *worst.COLUMNS]
    return Scan(
        kinds=pd.concat(kinds, ignore_index=True) if kinds else pd.DataFrame(columns=columns),
        worst=with_axes(pd.DataFrame(worsts, columns=of_worst), results),
        ranked=frozenset(ranked),
    )


def by_kind(results: Results, found: Scan) -> pd.DataFrame:
    """Change of bits per token (after − before) by group of cells and kind of token; means over seeds."""
    sums = found.kinds.groupby(["cell", "kind"], sort=False)[list(COUNTS)].sum().reset_index()
    sums["change"] = (sums["bits_after"] - sums["bits_before"]) / sums["n_tokens"]
    rows = sums.merge(results.cells[["cell", *results.axes]], on="cell")
    means = rows.groupby([*results.groups, "kind"], dropna=False, sort=False)
    return means.agg(
        change=("change", "mean"), n_tokens=("n_tokens", "mean"), n_seeds=("cell", "size")
    ).reset_index()


def read_original(results: Results, cell: str) -> Original:
    """The original test text as this cell's model scored it."""
    table = results.tokens(cell, "original", _ORIGINAL)
    codes, samples = _samples(table)
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    token = table["token"].to_numpy()
    lengths = np.diff(np.r_[starts, len(codes)])
    if len(starts) != len(samples) or not np.array_equal(
        token, np.arange(len(codes)) - np.repeat(starts, lengths)
    ):
        raise BadResults(
            f"{results.folder}/tokens/{cell}-original.parquet: the tokens are not in the order of the texts"
        )
    return Original(
        samples=[samples[code] for code in codes[starts]],
        starts=np.r_[starts, len(codes)],
        kind=table["kind"].to_numpy(),
        bits=table["nll_bits"].to_numpy(),
        right=table["rank"].to_numpy() == 1,
        ranked=not table["rank"].null_count,
    )


def overlay_of(results: Results, cell: str, original: Original) -> Overlay:
    """The rewritten text laid over the original one; raises `BadResults` where an origin doesn't exist."""
    table = results.tokens(cell, "augmented", _AUGMENTED)
    codes, samples = _samples(table)
    number = pd.Index(original.samples).get_indexer(pd.Index(samples))
    origin = table["origin"].to_numpy()
    aligned = origin >= 0
    sample = number[codes[aligned]]
    position = original.starts[sample] + origin[aligned]
    if (sample < 0).any() or (position >= original.starts[sample + 1]).any():
        raise BadResults(
            f"{results.folder}/tokens/{cell}-augmented.parquet: a token's origin is not in the original"
        )
    return Overlay(
        position=position,
        renamed=table["change"].to_numpy()[aligned] == codes_of(results).change("renamed"),
        bits=table["nll_bits"].to_numpy()[aligned],
        right=table["rank"].to_numpy()[aligned] == 1,
        ranked=not table["rank"].null_count,
    )


def codes_of(results: Results) -> TokenCodes:
    """What the codes in the tables of tokens stand for; raises `BadResults` where the task doesn't say."""
    if results.task.tokens is None:
        raise BadResults(
            f"{results.folder / 'run.json'}: the task {results.task.name} doesn't say what the codes in "
            "tables of tokens stand for"
        )
    return results.task.tokens


def _samples(table: pa.Table) -> tuple[npt.NDArray[np.int32], list[str]]:
    column = table["sample"].combine_chunks()
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(column)
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks()
    used, codes = np.unique(column.indices.to_numpy(), return_inverse=True)
    return codes.astype(np.int32), column.dictionary.take(pa.array(used)).to_pylist()


def _projects(results: Results) -> dict[str, str]:
    scope = scope_of(results, None)
    rows = results.samples((scope, results.task.comparable[scope]))
    rows = rows[["sample", "project"]].drop_duplicates("sample")
    return dict(zip(rows["sample"], rows["project"], strict=True))


def _by_model(results: Results) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Finished rewritten cells that have both token tables, by trained model and its further axes."""
    cells = results.done[~results.done["baseline"].astype(bool)]
    there = [
        all(results.has_tokens(str(cell), test) for test in ("original", "augmented"))
        for cell in cells["cell"]
    ]
    yield from cells[np.array(there, dtype=bool)].groupby("train_key", sort=False)


def _count(
    cell: str,
    original: Original,
    overlay: Overlay,
    project: npt.NDArray[Any],
    names: npt.NDArray[Any],
    results: Results,
) -> pd.DataFrame:
    kinds = codes_of(results).kinds
    place = project * len(kinds) + original.kind
    at = 2 * place[overlay.position] + overlay.renamed
    before, after = original.right[overlay.position], overlay.right
    size = 2 * len(names) * len(kinds)
    values = {
        "n_tokens": None,
        "bits_before": original.bits[overlay.position],
        "bits_after": overlay.bits,
        "right_before": before,
        "right_after": after,
        "lost": before & ~after,
        "gained": ~before & after,
    }
    sums = {name: np.bincount(at, weights=weights, minlength=size) for name, weights in values.items()}
    rows = np.flatnonzero(sums["n_tokens"])
    who, kind = np.divmod(rows // 2, len(kinds))
    head = {"cell": cell, "project": names[who], "kind": np.array(kinds, dtype=object)[kind]}
    return pd.DataFrame(head | {"renamed": rows % 2 == 1} | {name: sums[name][rows] for name in COUNTS})


def _worst(
    draws: list[tuple[str, npt.NDArray[np.int8]]], original: Original, project: npt.NDArray[Any]
) -> dict[str, Any]:
    seen = np.stack([right for _, right in draws])  # (s, T) of −1, 0, 1
    common = (seen >= 0).all(axis=0)
    found = worst.Draws(
        count=np.ones(int(common.sum())),
        original=original.right[common].astype(float),
        rewritten=seen[:, common].astype(float),
        project=project[common],
    )
    return {"cell": draws[0][0], "s": len(draws), "n_tokens": len(found.count), **worst.measure(found, RIGHT)}


def with_axes(table: pd.DataFrame, results: Results) -> pd.DataFrame:
    """A table by cell with the cells' axes before its columns."""
    return results.cells[["cell", *results.axes]].merge(table, on="cell", how="right")
