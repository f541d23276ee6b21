"""Why a step must be done: how its key differs from that of the most similar finished step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from grid.graph import Step
from grid.store import Store

NEAREST = 500  # finished steps that are compared, the newest first


def reasons(step: Step, store: Store, missing: Mapping[str, Step]) -> Iterator[str]:
    """Lines that say which fields of the key changed, or that there is nothing like it."""
    nearest = _nearest(step, store)
    if nearest is None:
        yield f"no {step.kind} step is finished yet"
        return
    if nearest == step.document():
        yield "its artifact was removed or damaged"
        return
    there, here = dict(_flat(nearest)), dict(_flat(step.document()))
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


def _nearest(step: Step, store: Store) -> dict[str, Any] | None:
    """The key document with the fewest differences among the newest finished steps of this kind."""
    found = []
    for key in store.keys(step.kind):
        manifest = store.manifest(step.kind, key)
        if manifest is not None:
            found.append((manifest.get("finished", 0.0), manifest["document"]))
    found.sort(key=lambda pair: pair[0], reverse=True)
    here = dict(_flat(step.document()))
    return min((document for _, document in found[:NEAREST]), key=lambda d: _distance(d, here), default=None)


def _distance(document: Mapping[str, Any], here: Mapping[str, str]) -> int:
    there = dict(_flat(document))
    return sum(there.get(path) != here.get(path) for path in {*there, *here})


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, json.dumps(value)
