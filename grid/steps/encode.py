"""Encode step: a shard of the corpus, or of a variant with its alignment, as the examples of a task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grid.steps.worker import Result, Work, Workplace, each


def version() -> list[int]:
    """Raised when the same shard and tokenizer give other arrays.

    The second number is no longer raised: it was the rewrites' version, which original texts don't depend on.
    What a variant's alignment depends on is in the key of the variant.
    """
    return [1, 8]


def make(works: Sequence[Work], context: Workplace) -> Iterator[Result]:
    """What a task makes of a shard: its examples."""
    return each(works, context, _one)


def _one(work: Work, context: Workplace) -> dict[str, object]:
    from preprocessing.lexer.tokens import TokensConfig
    from tasks import Encoding, configured
    from transformers_py import align

    corpus = context.input(work, "corpus") / f"shard-{work.parameters['shard']:05}.parquet"
    variant = "variant" in work.inputs
    shard = context.input(work, "variant") / "shard.parquet" if variant else corpus
    task, asked = configured(work.parameters.get("task"))
    return task.encode(
        asked,
        Encoding(
            shard=shard,
            original=corpus if variant else None,
            align=align if variant else None,
            tokenizer=context.input(work, "tokenizer"),
            tokens=TokensConfig.model_validate(work.parameters["tokens"]),
            out=work.out,
        ),
    )
