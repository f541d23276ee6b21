"""A grid in miniature: few samples and steps, and each model, mix and set of rewrites once, in minutes.

    rename, parens × 0.5, 1 × original, mix × gru, bigram × seeds 1, 2, 3
    →  rename 0.5 original and mix, parens 0.5 original, rename 1 original × gru, bigram × seeds 1, 2

It shows whether everything works, and how much differences vary, as far as that can be seen of little.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from grid.cells.expansion import Cell, Cells
from grid.cells.resolving import CellSpec
from grid.plan.opening import Grid
from models.config import TrainingConfig
from preprocessing.corpus.building import CorpusConfig

SAMPLES, STEPS, VALID_TOKENS = 200, 30, 2000
"""At most so many samples of the corpus, steps of a training, and tokens of a validation."""
SEEDS = 2
"""Of training, and of rewriting where that is drawn apart; one alone would not vary."""


@dataclass(frozen=True)
class Pilot(Grid):
    """Some cells of a grid, each with less to do. It has a folder of its own beside that of the grid."""

    @property
    def is_pilot(self) -> bool:
        """Yes."""
        return True

    def specs(self) -> Iterator[CellSpec]:
        """The spec as each cell sees it, with less to read and fewer steps."""
        shorter: dict[int, Any] = {}
        for spec in super().specs():
            corpus, training = spec.corpus, spec.training
            yield replace(
                spec,
                corpus=shorter.setdefault(id(corpus), _few_samples(corpus)),
                training=shorter.setdefault(id(training), _few_steps(training)),
            )


def miniature(grid: Grid) -> Pilot:
    """The pilot of a grid. It claims nothing."""
    name = name_of(grid.spec.name)
    spec = grid.spec.model_copy(update={"name": name})
    cells = Cells(grid.cells.axes, tuple(_chosen(grid.cells)))
    return Pilot(spec, grid.document, cells, grid.resolver, {"primary": {}, "margin": {}})


def name_of(grid: str) -> str:
    """What the pilot of a grid is called, and its folder."""
    return f"{grid}-pilot"


def _few_samples(corpus: CorpusConfig) -> CorpusConfig:
    most = corpus.keep.max_samples
    few = SAMPLES if most is None else min(SAMPLES, most)
    return corpus.model_copy(update={"keep": corpus.keep.model_copy(update={"max_samples": few})})


def _few_steps(training: TrainingConfig) -> TrainingConfig:
    steps = min(STEPS, training.max_steps)
    valid = training.valid_tokens
    return training.model_copy(
        update={
            "max_steps": steps,
            "budget": None,
            "validate_every": min(training.validate_every, steps),
            "valid_tokens": VALID_TOKENS if valid is None else min(VALID_TOKENS, valid),
        }
    )


def _chosen(cells: Cells) -> Iterator[Cell]:
    """The first cells that have a value which none before them had, of the first seeds; and their baselines.

    Each model is trained on each mix; of all other axes every value stands in some cell.
    """
    seeds = [name for name in ("seed", "rewriting_seed") if name in cells.axes]
    first: dict[str, list[str]] = {name: [] for name in seeds}
    new: set[tuple[str, ...]] = set()
    taken: dict[tuple[str, ...], bool] = {}
    baselines = set()
    for cell in cells.cells:
        value = {name: one.json for name, one in zip(cells.axes, cell.values, strict=True)}
        if cell.baseline:
            if cell.id in baselines:
                yield cell
            continue
        group = tuple(one for name, one in value.items() if name not in seeds)
        if group not in taken:
            pairs: list[tuple[str, ...]] = [("model", value["model"], value["train_on"])]
            pairs += [(name, one) for name, one in value.items() if name not in seeds]
            taken[group] = not new.issuperset(pairs)
            new.update(pairs if taken[group] else ())
        for name in seeds:
            if value[name] not in first[name] and len(first[name]) < SEEDS:
                first[name].append(value[name])
        if taken[group] and all(value[name] in first[name] for name in seeds):
            baselines.add(cell.baseline_id)
            yield cell
