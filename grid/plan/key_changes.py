"""Why a step must be done: how its key differs from that of the most similar finished step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from grid.keys import flat
from grid.plan.graph import Step
from grid.store.finished import Store

NEAREST = 500  # finished steps that are compared, the newest first


class FinishedSteps:
    """Finished steps of a store, by what their keys are made of."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: dict[str, list[dict[str, str]]] = {}

    def reasons(self, step: Step, missing: Mapping[str, Step]) -> Iterator[str]:
        """Lines that say which fields of the key changed, or that there is nothing like it."""
        here = dict(flat(step.document()))
        there = min(self._newest(step.kind), key=lambda there: _distance(there, here), default=None)
        if there is None:
            yield f"no {step.kind} step is finished yet"
            return
        if there == here:
            yield "its artifact was removed or damaged"
            return
        for path in dict.fromkeys([*there, *here]):
            old, new = there.get(path, "absent"), here.get(path, "absent")
            if old == new:
                continue
            if path.startswith("inputs."):
                role = path.partition(".")[2]
                made = any(key in missing for key in step.inputs[role].keys) if role in step.inputs else False
                yield f"{path}: another {role}" + (", which must be made too" if made else "")
            else:
                yield f"{path}: {old} -> {new}"

    def _newest(self, kind: str) -> list[dict[str, str]]:
        """The newest finished steps of a kind."""
        if kind not in self._found:
            manifests = [m for key in self._store.keys(kind) if (m := self._store.manifest(kind, key))]
            manifests.sort(key=lambda manifest: float(manifest.get("finished", 0.0)), reverse=True)
            self._found[kind] = [dict(flat(manifest["document"])) for manifest in manifests[:NEAREST]]
        return self._found[kind]


def _distance(there: Mapping[str, str], here: Mapping[str, str]) -> int:
    return sum(there.get(path) != here.get(path) for path in {*there, *here})
