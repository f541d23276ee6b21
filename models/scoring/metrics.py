"""From scored tokens to sums per sample, from sums to metrics. Without torch.

    tokens.parquet                            samples.parquet                          metrics
    sample token kind … nll_bits rank   ->    sample scope n_tokens nll_bits …   ->    entropy 3.1, mrr_10
    0.74 …

Sums are kept, not means: any set of samples can be put together afterwards.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from preprocessing.lexer.tokens import KINDS, NAME

TOKENS = pa.schema(
    [
        ("sample", pa.dictionary(pa.int32(), pa.string())),
        ("token", pa.int32()),
        ("kind", pa.uint8()),
        ("origin", pa.int32()),
        ("change", pa.uint8()),
        ("nll_bits", pa.float32()),
        ("rank", pa.uint8()),  # 1 to 10, 0 beyond, null if no metric asked for it
        ("n_subwords", pa.int32()),
        ("n_bytes", pa.int32()),
        ("best_bits", pa.float32()),  # of the most probable token, null if no metric asked for it
        ("f1_shared", pa.uint16()),  # sub-tokens that the most probable token shares with the true one
        ("f1_both", pa.uint16()),  # sub-tokens of both together; 0 but for identifiers, null if not asked for
    ]
)
SUMS = (
    "nll_bits",
    "accuracy_1",
    "accuracy_5",
    "accuracy_10",
    "reciprocal_rank_10",
    "n_bytes",
    "confidence",
    "f1_shared",
    "f1_both",
)
COUNTS = ("n_bytes", "f1_shared", "f1_both")
SAMPLES = pa.schema(
    [
        ("sample", pa.string()),
        ("project", pa.string()),
        ("scope", pa.string()),
        ("n_tokens", pa.int64()),
        *((name, pa.int64() if name in COUNTS else pa.float64()) for name in SUMS),
    ]
)
UNCHANGED, RENAMED = 0, 1


def scopes(
    kinds: NDArray[np.uint8], origins: NDArray[np.int32], changes: NDArray[np.uint8]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Each scope and which tokens belong to it; every array has one entry per token.

    aligned: stood in the original, as it is or renamed. identifier: a NAME that is no keyword.
    """
    aligned, name = origins >= 0, kinds == NAME
    yield "all", np.ones(len(kinds), dtype=np.bool_)
    yield "identifier", name
    yield "aligned", aligned
    yield "aligned_identifier", aligned & name
    yield "unchanged", aligned & (changes == UNCHANGED)
    yield "renamed", aligned & (changes == RENAMED)
    yield "inserted", ~aligned
    for code, kind in enumerate(KINDS):
        yield f"kind:{kind}", kinds == code


def sums(tokens: pa.Table, projects: Mapping[str, str]) -> pa.Table:
    """Sums per sample and scope of a token table, in the order of its samples; scopes without a token are
    left out.

    tokens: as TOKENS, the rows of a sample together; projects: project of every sample. Where ranks are
    null, so
    are the sums that need them.
    """
    sample = tokens.column("sample").combine_chunks()
    codes = sample.indices.to_numpy() if len(tokens) else np.empty(0, dtype=np.int32)
    names = sample.dictionary.to_pylist()
    starts = (
        np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]]) if len(codes) else np.empty(0, dtype=np.int64)
    )
    values = _values(tokens)
    columns = {name: tokens.column(name).to_numpy() for name in ("kind", "origin", "change")}
    rows: list[dict[str, Any]] = []
    for scope, inside in scopes(columns["kind"], columns["origin"], columns["change"]):
        if not len(starts):
            break
        n = np.add.reduceat(inside.astype(np.int64), starts)
        totals = {
            name: None if value is None else np.add.reduceat(np.where(inside, value, 0), starts)
            for name, value in values.items()
        }
        for i in np.flatnonzero(n):
            own = {name: None if total is None else total[i].item() for name, total in totals.items()}
            key = names[codes[starts[i]]]
            row = {"sample": key, "project": projects[key], "scope": scope, "n_tokens": int(n[i]), **own}
            rows.append({"order": int(i), **row})
    rows.sort(key=lambda row: row["order"])  # stable: scopes stay in their order
    return pa.Table.from_pylist(rows, SAMPLES)


def _values(tokens: pa.Table) -> dict[str, NDArray[Any] | None]:
    """What is summed, one value per token."""
    values: dict[str, NDArray[Any] | None] = dict.fromkeys(SUMS)
    values["nll_bits"] = tokens.column("nll_bits").to_numpy().astype(np.float64)
    values["n_bytes"] = tokens.column("n_bytes").to_numpy().astype(np.int64)
    if tokens.column("rank").null_count == 0:
        rank = tokens.column("rank").to_numpy()
        for k in (1, 5, 10):
            values[f"accuracy_{k}"] = ((rank > 0) & (rank <= k)).astype(np.float64)
        values["reciprocal_rank_10"] = np.where(rank > 0, 1.0 / np.maximum(rank, 1), 0.0)
    if tokens.column("best_bits").null_count == 0:
        values["confidence"] = np.exp2(-tokens.column("best_bits").to_numpy().astype(np.float64))
        for name in ("f1_shared", "f1_both"):
            values[name] = tokens.column(name).to_numpy().astype(np.int64)
    return values


def metrics(totals: Mapping[str, float | None], n_tokens: int) -> dict[str, float]:
    """Metrics of one scope from its sums over any set of samples; `totals` has the keys SUMS.

    entropy: bits per token; bits_per_byte; perplexity = 2^entropy; accuracy_1, _5, _10; mrr_10; confidence:
    mean probability of the best token; f1_subtokens: of the identifiers in the scope, micro-averaged. What
    can't be said (no tokens, no bytes, no ranks, a perplexity beyond floats) is left out.
    """
    if not n_tokens:
        return {}
    n_tokens = int(n_tokens)
    result: dict[str, float] = {}
    bits, size = totals["nll_bits"], totals["n_bytes"]
    if bits is not None:
        result["entropy"] = float(bits) / n_tokens
        if size:
            result["bits_per_byte"] = float(bits / size)
        if result["entropy"] < 1024:
            result["perplexity"] = 2.0 ** result["entropy"]
    for name in ("accuracy_1", "accuracy_5", "accuracy_10"):
        if (total := totals[name]) is not None:
            result[name] = float(total / n_tokens)
    if (total := totals["reciprocal_rank_10"]) is not None:
        result["mrr_10"] = float(total / n_tokens)
    if (total := totals["confidence"]) is not None:
        result["confidence"] = float(total / n_tokens)
    shared, both = totals["f1_shared"], totals["f1_both"]
    if shared is not None and both:
        result["f1_subtokens"] = float(2 * shared / both)
    return result
