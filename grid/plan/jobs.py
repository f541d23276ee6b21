"""Missing steps become jobs: steps that are done together in one process, and what must end before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grid.plan.graph import Artifacts, Step
from grid.store.finished import Store

if TYPE_CHECKING:
    from grid.plan.planner import Plan

WANTED = (
    "corpus",
    "variant",
    "naturalness",
    "train",
    "evaluate",
)  # what tables read; others are made only as inputs


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """Steps of one group. `after` holds ids of other jobs; needs of single steps are in the steps."""

    id: str
    kind: str
    steps: tuple[Step, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class State:
    """Which steps of a plan are finished, and which must be done."""

    manifests: Mapping[str, Mapping[str, Any]]
    missing: Mapping[str, Step]


def state(plan: Plan, store: Store, only: set[str] | None = None) -> State:
    """Look into the store. `only` limits what is wanted (keys); inputs of it are found by themselves."""
    present = {kind: store.keys(kind) for kind in {step.kind for step in plan.steps.values()}}
    manifests: dict[str, Mapping[str, Any]] = {}
    missing: dict[str, Step] = {}
    demanded: set[str] = set()
    for key, step in reversed(plan.steps.items()):
        manifest = store.manifest(step.kind, key) if key in present[step.kind] else None
        if manifest is not None:
            manifests[key] = manifest
        elif key in demanded or (step.kind in WANTED if only is None else key in only):
            missing[key] = step
            for artifacts in step.needs:
                demanded.update(artifacts.keys)
    return State(manifests=manifests, missing=dict(reversed(missing.items())))


def group(missing: Mapping[str, Step]) -> list[Job]:
    """Jobs for the missing steps, each after what it needs. Ids are stable: the same group, the same id."""
    job_of = {key: job_id(step) for key, step in missing.items()}
    members: dict[str, list[Step]] = {}
    for key, step in missing.items():
        members.setdefault(job_of[key], []).append(step)
    shared: dict[int, frozenset[str]] = {}  # many steps need the same list of artifacts

    def makers(artifacts: Artifacts) -> frozenset[str]:
        made = shared.get(id(artifacts))
        if made is None:
            made = frozenset(job_of[key] for key in artifacts.keys if key in job_of)
            if len(artifacts.keys) > 1:
                shared[id(artifacts)] = made
        return made

    jobs = []
    for identity, steps in members.items():
        after = frozenset[str]().union(*(makers(artifacts) for step in steps for artifacts in step.needs))
        jobs.append(Job(identity, steps[0].kind, tuple(steps), tuple(sorted(after))))
    return jobs


def job_id(step: Step) -> str:
    """train-0123456789ab, variant-0123456789ab-3: `group` is a digest, or a digest and a shard."""
    name, dash, shard = step.group.partition("-")
    return f"{step.kind}-{name[:12]}{dash}{shard}"


def wire(step: Step) -> dict[str, Any]:
    """A step as JSON data, for the process that does it."""
    return {
        "kind": step.kind,
        "key": step.key,
        "parameters": dict(step.parameters),
        "unkeyed": dict(step.unkeyed),
        "inputs": {role: {"kind": a.kind, "keys": list(a.keys)} for role, a in step.inputs.items()},
        "document": step.document(),
    }


def order(file: Path, job: Job, steps: Sequence[Step], **rest: Any) -> dict[str, Any]:
    """The content of a job file; what a process is told and nothing else."""
    return {"format": 1, "job": job.id, "events": str(file.with_name("events.jsonl")), **rest} | {
        "steps": [wire(step) for step in steps]
    }
