"""One shard of a corpus, or of a variant of it, becomes arrays of subwords."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from preprocessing import parquet_files, shards, tokenizers
from preprocessing.lexer.running import n_bytes, running
from preprocessing.lexer.tokens import STRING, Tokens, TokensConfig, lex, texts

Span = tuple[int, int, str]
Edit = tuple[int, int, str]
Align = Callable[[Sequence[Span], Sequence[Span], Sequence[Edit]], Iterable[tuple[int, int]]]
"""Spans (start, end, newline | indent | dedent | comment | other) of the tokens of the original and of the
rewritten text, and the edits between them → for each rewritten token its origin, or -1, and its change."""

UNCHANGED, RENAMED, INSERTED = range(3)


def build(
    shard: Path,
    tokenizer: Path | tokenizers.Tokenizer,
    tokens: TokensConfig,
    out: Path,
    *,
    original: Path | None = None,
    align: Align | None = None,
) -> dict[str, Any]:
    """Encode one shard into the empty folder `out` (preprocessing.shards), without what was thrown out.

    `tokenizer` is loaded, or the folder to load it from. For a variant, `original` is the corpus shard
    that it was made from, and `align` finds each token's origin. Returns facts: samples, tokens, subwords,
    bytes by split.
    """
    assert (original is None) == (align is None)
    trained = tokenizers.load(tokenizer) if isinstance(tokenizer, Path) else tokenizer
    facts: dict[str, dict[str, int]] = {}
    with shards.ShardWriter(out, trained.vocab_size) as writer:
        for row, before in pairs(shard, original, ["sample", "text"]):
            cut = lex(row["text"], tokens.comments)
            spelled = texts(row["text"], cut, tokens)
            subwords, ends = _subwords(trained, row["text"], cut, spelled, tokens)
            origins: Sequence[int] = range(len(cut))
            changes: Sequence[int] = [UNCHANGED] * len(cut)
            if align is not None and row["edits"]:
                cut_before = lex(before["text"], tokens.comments)
                shown_before = texts(before["text"], cut_before, tokens)
                edits = [(edit["start"], edit["end"], edit["text"]) for edit in row["edits"]]
                origins, changes = aligned(cut_before, shown_before, cut, spelled, edits, align)
            sample = {name: row[name] for name in ("sample", "project", "path", "split")}
            sample |= {"outcome": row.get("outcome", "original"), "n_bytes": row["n_bytes"]}
            sizes = n_bytes(cut.kinds, spelled) if ends is not None else None
            writer.add(
                sample=sample,
                subwords=subwords,
                kinds=cut.kinds,
                origins=origins,
                changes=changes,
                ends=ends,
                sizes=sizes,
            )
            _count(facts, row, len(cut), sum(map(len, subwords)))
            if ends is not None:
                counts = facts[row["split"]]
                shared = len(np.unique(np.floor(ends[ends % 1 > 0])))
                counts["shared_subwords"] = counts.get("shared_subwords", 0) + shared
    return {"splits": facts}


def _subwords(
    trained: tokenizers.Tokenizer, text: str, cut: Tokens, spelled: list[str], tokens: TokensConfig
) -> tuple[list[list[int]], shards.Array | None]:
    """Subwords token by token; with a tokenizer of running text also where each token ends among them.

    A subword that spans several tokens stands with the first of them.
    """
    if not tokenizers.reads_running_text(trained):
        return trained.encode(spelled), None
    ids, ends = trained.encode_running(*running(text, cut, spelled, tokens))
    bounds = [0, *np.ceil(ends).astype(int).tolist()]
    return [ids[first:last] for first, last in itertools.pairwise(bounds)], ends


def pairs(
    shard: Path, original: Path | None, columns: list[str] | None = None
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Rows of a shard without what was thrown out, each with the row of the corpus that it was made from.

    `original` is the corpus shard of a variant: both files hold the same samples in order; `columns` are read
    of it. Rows of a corpus were made from themselves.
    """
    if original is None:
        yield from ((row, row) for row in parquet_files.rows(shard) if row["text"] is not None)
        return
    for row, source in zip(parquet_files.rows(shard), parquet_files.rows(original, columns), strict=True):
        assert row["sample"] == source["sample"], (shard, original)
        if row["text"] is not None:
            yield row, source


def aligned(
    before: Tokens,
    spelled_before: Sequence[str],
    cut: Tokens,
    spelled: Sequence[str],
    edits: Sequence[Edit],
    align: Align,
) -> tuple[list[int], list[int]]:
    """The origin and the change of each token of a rewritten text, as far as models see them."""
    found = list(align(list(before.spans()), list(cut.spans()), edits))
    origins, changes = [origin for origin, _ in found], [change for _, change in found]
    for index, change in enumerate(changes):
        # A name that changed inside a string that is too long to be seen changed nothing.
        unseen = change == RENAMED and cut.kinds[index] == STRING
        if unseen and spelled[index] == spelled_before[origins[index]]:
            changes[index] = UNCHANGED
    return origins, changes


def _count(facts: dict[str, dict[str, int]], row: dict[str, Any], n_tokens: int, n_subwords: int) -> None:
    counts = facts.setdefault(row["split"], {"samples": 0, "tokens": 0, "subwords": 0, "bytes": 0})
    counts["samples"] += 1
    counts["tokens"] += n_tokens
    counts["subwords"] += n_subwords
    counts["bytes"] += row["n_bytes"]
