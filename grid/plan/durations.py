"""How long steps took in past runs: medians by kind of step, and of model where one is trained or scored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from grid.plan.graph import Step
from grid.plan.planner import Plan
from grid.store.finished import Store

SAMPLE = 200  # finished steps of a kind to look at; keys are digests, so the first are a random sample


class Durations:
    """What a store tells of the time that steps take, also those of other grids."""

    def __init__(self, store: Store, plan: Plan, kinds: Collection[str]) -> None:
        self._plan = plan
        walls: dict[tuple[str, str], list[float]] = defaultdict(list)
        for kind in kinds:
            for key in sorted(store.keys(kind))[:SAMPLE]:
                manifest = store.manifest(kind, key) or {}
                wall_s = manifest.get("wall_s")
                if isinstance(wall_s, int | float):
                    for model in {"", _model_of(store, manifest)}:
                        walls[kind, model].append(float(wall_s))
        self._median_s = {family: sorted(found)[len(found) // 2] for family, found in walls.items()}

    @property
    def by_kind_s(self) -> dict[str, float]:
        """Median seconds of one step of each kind."""
        return {kind: seconds for (kind, model), seconds in self._median_s.items() if not model}

    def step_s(self, step: Step) -> float | None:
        """Seconds that a step is expected to take; None when nothing like it was ever done."""
        model = ""
        if step.kind in ("train", "evaluate"):
            train = step if step.kind == "train" else self._plan.steps[step.inputs["train"].keys[0]]
            model = str(train.parameters["model"]["kind"])
        return self._median_s.get((step.kind, model), self._median_s.get((step.kind, "")))


def _model_of(store: Store, manifest: Mapping[str, Any]) -> str:
    """The kind of model that a finished step trained or scored; "" for other steps."""
    try:
        if "train" in manifest["inputs"]:
            manifest = store.manifest("train", manifest["inputs"]["train"]["keys"][0]) or {}
        return str(manifest["document"]["parameters"]["model"]["kind"])
    except (KeyError, TypeError, IndexError):
        return ""
