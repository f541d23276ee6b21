"""Variants: a corpus shard under several rewrite requests, all made in one pass over it.

Each text is analysed once, and every variant of it emitted from that one analysis. This package knows
nothing about rewriting: `analyse` is handed in.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from preprocessing import parquet_files, tokenizers
from preprocessing.errors import BadInput, BadSource
from preprocessing.lexer.tokens import TokensConfig, lex, texts
from preprocessing.size import Size, SizeRule

SCHEMA = pa.schema(
    [
        ("sample", pa.string()),
        ("project", pa.string()),
        ("path", pa.string()),
        ("license", pa.string()),
        ("split", pa.string()),
        ("sha256", pa.string()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("text", pa.string()),
        ("edits", pa.list_(pa.struct([("start", pa.int32()), ("end", pa.int32()), ("text", pa.string())]))),
        ("n_tokens", pa.int32()),
        ("n_bytes", pa.int32()),
        ("n_tokens_original", pa.int32()),
        ("n_bytes_original", pa.int32()),
        ("sites", pa.string()),
        ("available", pa.string()),
        ("refusals", pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Intensity:
    """How much of a sample is rewritten: a share of its sites, or a number of them. Exactly one is given."""

    rate: float | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        assert (self.rate is None) != (self.count is None), self


@dataclass(frozen=True, kw_only=True)
class VariantRequest:
    """One variant: rewrites as in the spec (names, or {name: options}), and what else decides the outcome."""

    rewrites: tuple[Any, ...]
    intensity: Intensity
    seed: int
    size: SizeRule
    growth_limit: float | None = None


@dataclass(frozen=True, kw_only=True)
class Emitted:
    """One text, rewritten. `edits` are (start, end, text) over the original.

    `status` is "rewritten", "unchanged" (no site was taken) or "disproved" (the proof failed; the text is the
    original). `sites` and `available` count by rewrite what was applied and what could have been,
    `refusals` by "rewrite:reason" what could not.
    """

    text: str
    edits: Sequence[tuple[int, int, str]]
    status: str
    sites: Mapping[str, int] = field(default_factory=dict)
    available: Mapping[str, int] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)


Emit = Callable[[VariantRequest], Emitted]
Analyse = Callable[[str, str], Emit]
"""Text and key of a sample → what emits its variants. May raise BadSource: the sample is then left as it
is.
"""


def build(
    shard: Path,
    requests: Sequence[VariantRequest],
    outs: Sequence[Path],
    analyse: Analyse,
    tokens: TokensConfig,
    *,
    tokenizer: Path | None = None,
) -> list[dict[str, Any] | Exception]:
    """Make all variants of one corpus shard; each goes to shard.parquet (SCHEMA) in its own empty folder.

    Rows stand in the order of the corpus shard, one for each of its samples, thrown out or not. Returns
    for each request its facts, or the exception that ended it; the others go on without it. Facts: groups
    (samples, tokens and bytes before and after, by split, outcome and reason), and sites, available and
    refusals by rewrite. Raises BadInput if a size rule counts subwords and there is no `tokenizer`.
    """
    needed = any(request.size.needs_tokenizer for request in requests)
    if needed and tokenizer is None:
        raise BadInput("size: max_subwords counts subwords, and needs the tokenizer before the variants")
    measure = _Measure(tokens, tokenizers.load(tokenizer) if tokenizer is not None and needed else None)
    with ExitStack() as stack:
        variants = [
            _Variant(request, stack.enter_context(parquet_files.RowWriter(out / "shard.parquet", SCHEMA)))
            for request, out in zip(requests, outs, strict=True)
        ]
        for row in parquet_files.rows(shard):
            original = _Original(row, analyse, measure)
            for variant in variants:
                variant.add(original)
    return [variant.error or variant.facts() for variant in variants]


class _Measure:
    """The size of a text as models see it."""

    def __init__(self, tokens: TokensConfig, tokenizer: tokenizers.Tokenizer | None) -> None:
        self._tokens = tokens
        self._tokenizer = tokenizer

    def __call__(self, text: str) -> Size:
        cut = lex(text, self._tokens.comments)
        subwords = None
        if self._tokenizer is not None:
            subwords = sum(map(len, self._tokenizer.encode(texts(text, cut, self._tokens))))
        return Size(tokens=len(cut), bytes=len(text.encode()), subwords=subwords)

    def of_row(self, row: dict[str, Any]) -> Size:
        """The same for a sample of the corpus, whose size is mostly known."""
        if self._tokenizer is not None or self._tokens.comments == "keep":
            return self(row["text"])
        return Size(tokens=row["n_tokens"], bytes=row["n_bytes"])


class _Original:
    """A sample of the corpus; analysed when the first variant needs it, and never twice."""

    def __init__(self, row: dict[str, Any], analyse: Analyse, measure: _Measure) -> None:
        self.row = row
        self.text: str = row["text"]
        self.measure = measure
        self.size = measure.of_row(row)
        self._analyse = analyse
        self._emit: Emit | Exception | None = None

    def untouched(self) -> Emitted:
        return Emitted(text=self.text, edits=(), status="unchanged")

    def emit(self, request: VariantRequest) -> Emitted:
        if self._emit is None:
            try:
                self._emit = self._analyse(self.text, self.row["sha256"])
            except Exception as error:
                self._emit = error
        if isinstance(self._emit, Exception):
            raise self._emit
        return self._emit(request)


class _Variant:
    """One request while it is carried out."""

    def __init__(self, request: VariantRequest, writer: parquet_files.RowWriter) -> None:
        self.request = request
        self.writer = writer
        self.error: Exception | None = None
        self.groups: dict[tuple[str, str, str], Counter[str]] = {}
        self.sites: Counter[str] = Counter()
        self.available: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()

    def add(self, original: _Original) -> None:
        if self.error is None:
            try:
                self._add(original)
            except Exception as error:
                self.error = error

    def _add(self, original: _Original) -> None:
        row = original.row
        outcome, reason, emitted = self._rewrite(original)
        size = original.measure(emitted.text) if outcome == "rewritten" else original.size
        too_large = self.request.size.too_large_to_keep(size, original.size)
        if too_large and self.request.size.throw_out.then == "drop":
            outcome, reason = "thrown_out", too_large
        elif too_large and outcome == "rewritten":
            outcome, reason, emitted, size = "unchanged", too_large, original.untouched(), original.size
        sizes = {
            "n_tokens": size.tokens,
            "n_bytes": size.bytes,
            "n_tokens_original": original.size.tokens,
            "n_bytes_original": original.size.bytes,
        }
        edits = emitted.edits if emitted.status == "rewritten" else ()
        self._count(row["split"], outcome, reason, sizes, emitted)
        self.writer.add(
            {name: row[name] for name in ("sample", "project", "path", "license", "split", "sha256")}
            | {
                "outcome": outcome,
                "reason": reason,
                "text": None if outcome == "thrown_out" else emitted.text,
                "edits": [{"start": s, "end": e, "text": t} for s, e, t in edits],
                "sites": json.dumps(dict(emitted.sites)),
                "available": json.dumps(dict(emitted.available)),
                "refusals": json.dumps(dict(emitted.refusals)),
            }
            | sizes
        )

    def _rewrite(self, original: _Original) -> tuple[str, str, Emitted]:
        """Outcome, reason, and what came of it."""
        limit = self.request.size.too_large_to_augment(original.size)
        if limit:
            return "not_augmented", limit, original.untouched()
        try:
            emitted = original.emit(self.request)
        except BadSource as bad:
            return "unchanged", bad.reason, original.untouched()
        if emitted.status == "rewritten":
            return "rewritten", "", emitted
        assert emitted.text == original.text, original.row["path"]
        return "unchanged", "disproved" if emitted.status == "disproved" else "no_site", emitted

    def _count(
        self, split: str, outcome: str, reason: str, sizes: Mapping[str, int], emitted: Emitted
    ) -> None:
        group = self.groups.setdefault((split, outcome, reason), Counter())
        group.update(n_samples=1, **sizes)
        if outcome != "thrown_out":
            self.sites.update(emitted.sites)
        self.available.update(emitted.available)
        self.refusals.update(emitted.refusals)

    def facts(self) -> dict[str, Any]:
        groups = [
            {"split": split, "outcome": outcome, "reason": reason, **counts}
            for (split, outcome, reason), counts in sorted(self.groups.items())
        ]
        return {
            "groups": groups,
            "sites": dict(sorted(self.sites.items())),
            "available": dict(sorted(self.available.items())),
            "refusals": dict(sorted(self.refusals.items())),
        }
