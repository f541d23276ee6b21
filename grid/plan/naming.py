"""Names of cells and steps that people recognise."""

from __future__ import annotations

from grid.cells.axes import NAMED
from grid.cells.expansion import Cell
from grid.plan.graph import Step
from grid.plan.planner import Plan


def cell(axes: tuple[str, ...], one: Cell) -> str:
    """ "rename 0.25, original+augmented, small, seed 1" """
    value = dict(zip(axes, one.values, strict=True))
    first = "baseline" if one.baseline else f"{value['rewrites'].text} {value['intensity'].text}"
    rest = [value["train_on"].text] if not one.baseline else []
    rest += [value["model"].text, f"seed {value['seed'].text}"]
    if "rewriting_seed" in value and not one.baseline:
        rest.append(f"rewriting seed {value['rewriting_seed'].text}")
    if "test_on" in value and not one.baseline:
        rest.append(f"tested on {value['test_on'].text}")
    rest += [f"{name} {value[name].text}" for name in axes if name not in NAMED]
    return ", ".join([first, *rest])


class Describe:
    """Describes steps by the first cell that needs them."""

    def __init__(self, plan: Plan) -> None:
        axes = plan.cells.axes
        self.names: dict[str, str] = {}
        for one, steps in zip(plan.cells.cells, plan.by_cell, strict=True):
            text = cell(axes, one)
            self.names.setdefault(steps.train.name, text)
            for test, artifacts in steps.tests.items():
                self.names.setdefault(artifacts.name, f"{test} test of {text}")
            described = [one for one in (steps.variant, steps.naturalness) if one is not None]
            for key in (key for artifacts in described for key in artifacts.keys):
                self.names.setdefault(key, text.split(", ")[0])
            for key in steps.tested.keys if steps.tested else ():
                self.names.setdefault(key, f"test set of {text}")

    def __call__(self, step: Step) -> str:
        """What this step is for."""
        shard = f" shard {step.parameters['shard']}" if "shard" in step.parameters else ""
        variant = step.inputs.get("variant")
        name = self.names.get(step.key) or (self.names.get(variant.name) if variant else None) or "corpus"
        return f"{step.kind} {name}{shard}" if step.kind not in ("corpus", "tokenizer") else step.kind
