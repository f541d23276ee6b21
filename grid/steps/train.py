"""Train step: a model on the original corpus, on a variant, or on the corpus and what a variant rewrote.

The placebo of such a mix is the corpus and, once more, those of its texts that the variant rewrote.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace

from grid.steps.worker import Result, Work, Workplace, each


def version() -> int:
    """Raised when the same data, model and seed give other weights."""
    return 1


def make(works: Sequence[Work], context: Workplace) -> Iterator[Result]:
    """A model's folder, with its learning curve."""
    return each(works, context, _one)


def _one(work: Work, context: Workplace) -> dict[str, object]:
    from models.config import TrainingConfig
    from models.encoded import Part
    from models.lookup import lookup
    from tasks import configured
    from tasks.fitting import fit

    model = work.parameters["model"]
    mixed = "original" in work.inputs  # then what a variant left alone is there already
    parts = [Part(folder=folder) for folder in context.inputs(work, "original")]
    parts += [Part(folder=folder, only_rewritten=mixed) for folder in context.inputs(work, "rewritten")]
    draws = context.inputs(work, "draws")  # those after the first, one behind the other
    if draws:
        n_shards = len(context.inputs(work, "rewritten"))
        rest = [
            Part(folder=folder, only_rewritten=mixed, draw=1 + number // n_shards)
            for number, folder in enumerate(draws)
        ]
        parts = [*parts[:-n_shards], *(replace(part, draw=0) for part in parts[-n_shards:]), *rest]
    survivors = context.inputs(work, "survivors")
    for number, folder in enumerate(context.inputs(work, "repeated")):
        parts.append(Part(folder=folder, repeats=True, as_rewritten=survivors[number] if survivors else None))
    training = TrainingConfig.model_validate({**work.parameters["training"], **work.unkeyed})
    events = context.store.root.parent / "tensorboard" / work.key if training.tensorboard else None
    with context.scratch(work) as scratch:
        facts = fit(
            task=configured(work.parameters.get("task"))[1],
            model=lookup(model["kind"]).Config.model_validate(model),
            training=training,
            tokenizer=context.input(work, "tokenizer"),
            train=parts,
            valid=[part for part in parts if not part.draw],
            seed=work.parameters["seed"],
            out=work.out,
            report=lambda row: context.report(work, row),
            scratch=scratch,
            events=events,
        )
    if scratch is not None:
        shutil.rmtree(scratch, ignore_errors=True)
    return facts
