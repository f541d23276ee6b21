"""How many steps a training has: equal steps, equal reading of the originals, or equal computation.

A mix of originals and rewritten texts reads each original less often in as many steps, and computes more for
as much reading of the originals; all three can be asked for (Geiping et al. 2022, arXiv:2210.06441, measure
how much original data an augmentation is worth).
"""

from typing import Any

from models.config import TrainingConfig
from models.interface import Network
from models.training.flops import training_flops
from models.training.objective import OfOriginals
from preprocessing.errors import BadInput


def steps(training: TrainingConfig, network: Any, objective: Any, subwords: int) -> int:
    """Steps of `subwords` each. Raises BadInput for a budget that can't be told here, or gives none."""
    budget = training.budget
    if budget is None:
        return training.max_steps
    if budget.kind == "steps":
        return int(budget.amount)
    if budget.kind == "original_tokens":
        if not isinstance(objective, OfOriginals):
            raise BadInput("training.budget: original_tokens: this task doesn't count them; take steps")
        cost = subwords * objective.original_share()
        if not cost:
            raise BadInput("training.budget: original_tokens: no original text is read; take steps or flops")
    else:
        cost = step_flops(training, network, subwords)
        if not cost:
            raise BadInput("training.budget: flops: those of this model aren't known; take steps")
    made = int(budget.amount / cost)
    if not made:
        asked = f"{budget.amount:g} {budget.kind.replace('_', ' ')}"
        raise BadInput(f"training.budget: {asked} give no step: one takes {cost:.4g}")
    return made


def step_flops(training: TrainingConfig, network: Any, subwords: int) -> float:
    """Forward and backward; 0 where they aren't known."""
    if not isinstance(network, Network):
        return 0.0
    return training_flops(network, network.shape(training)[1]) * subwords
