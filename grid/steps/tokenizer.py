"""Tokenizer step: trained on the training split of the original corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grid.steps.worker import Result, Work, Workplace, each


def version() -> int:
    """Raised when the same corpus and config give another tokenizer."""
    return 1


def make(works: Sequence[Work], context: Workplace) -> Iterator[Result]:
    """The folder of a trained tokenizer."""
    return each(works, context, _one)


def _one(work: Work, context: Workplace) -> dict[str, object]:
    from preprocessing import tokenizers
    from preprocessing.corpus import building
    from preprocessing.lexer.tokens import TokensConfig

    config = work.parameters["config"]
    shards = list(building.shard_paths(context.input(work, "corpus")))
    valid = tokenizers.lookup(config["kind"]).Config.model_validate(config)
    tokens = TokensConfig.model_validate(work.parameters["tokens"])
    return tokenizers.build(valid, shards, tokens, work.out)
