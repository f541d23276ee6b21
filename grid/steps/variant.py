"""Variant step: a corpus shard under one rewrite request; all requests of a job share one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grid.steps.worker import Result, Work, Workplace

if TYPE_CHECKING:
    from preprocessing.variants import Emitted, VariantRequest

SHARED_PASS = True  # all steps of a job end together, and share its wall time


def version() -> list[int]:
    """Raised when the same request gives another variant; each rewrite has a version of its own besides."""
    import transformers_py

    return [1, transformers_py.VERSION]


def make(works: Sequence[Work], context: Workplace) -> Iterator[Result]:
    """shard.parquet of every variant, from one pass."""
    import transformers_py
    from preprocessing import variants
    from preprocessing.lexer.tokens import TokensConfig

    first = works[0]
    shard = context.input(first, "corpus") / f"shard-{first.parameters['shard']:05}.parquet"
    tokens = TokensConfig.model_validate(first.parameters["tokens"])
    requests = [_request(work.parameters) for work in works]
    outs = [work.out for work in works]
    tokenizer = context.input(first, "tokenizer") if "tokenizer" in first.inputs else None
    counted = any(transformers_py.counts_subwords(request.rewrites) for request in requests)
    count_subwords = subword_counter(tokenizer) if tokenizer is not None and counted else None
    analyse = partial(_analyse, count_subwords=count_subwords)
    results = variants.build(shard, requests, outs, analyse, tokens, tokenizer=tokenizer)
    yield from zip(works, results, strict=True)


def subword_counter(tokenizer: Path) -> Callable[[str], int]:
    """How many subwords a token has that stands alone (for names with as many as the old ones)."""
    from preprocessing import tokenizers

    encode = tokenizers.load(tokenizer).encode
    return lru_cache(maxsize=100_000)(lambda text: len(encode([text])[0]))


def _request(parameters: Any) -> VariantRequest:
    from preprocessing.size import SizeRule
    from preprocessing.variants import Intensity, VariantRequest

    return VariantRequest(
        rewrites=tuple({name: options} for name, options in parameters["rewrites"]),
        intensity=Intensity(**parameters["intensity"]),
        seed=parameters["seed"],
        size=SizeRule.model_validate(parameters["size"]),
        growth_limit=parameters.get("growth_limit"),
    )


def _analyse(text: str, key: str, *, count_subwords: Callable[[str], int] | None) -> Any:
    """Hand the rewriting to `preprocessing`: one analysis, any number of variants."""
    from preprocessing.errors import BadSource
    from transformers_py import Source, Unparseable

    try:
        source = Source.analyse(text, count_subwords)
    except Unparseable as error:
        raise BadSource(error.reason, error.detail) from error
    return lambda request: _emit(source, request, key)


def _emit(source: Any, request: VariantRequest, key: str) -> Emitted:
    import transformers_py
    from preprocessing.variants import Emitted

    rate, count = request.intensity.rate, request.intensity.count
    done = transformers_py.emit(
        source,
        list(request.rewrites),
        rate=rate,
        count=count,
        seed=request.seed,
        key=key,
        growth_limit=request.growth_limit,
    )
    return Emitted(
        text=done.text,
        edits=[(edit.start, edit.end, edit.text) for edit in done.edits],
        status=done.status,
        sites=done.sites,
        available=done.available,
        refusals=done.refusals,
    )
