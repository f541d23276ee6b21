"""Steps and what they make: the nodes of the graph that is planned, scheduled and stored."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

KINDS = ("corpus", "tokenizer", "variant", "naturalness", "encode", "train", "evaluate")


@dataclass(frozen=True, slots=True, eq=False)
class Artifacts:
    """What some steps of one kind make, in order (shards, say); `name` stands for all of them in keys."""

    kind: str
    keys: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One deterministic piece of work. `group`: steps of one group are done together, in one job.

    `unkeyed` are parameters that don't change the result.
    """

    kind: str
    key: str
    group: str
    parameters: Mapping[str, Any]
    roles: tuple[str, ...]
    needs: tuple[Artifacts, ...]
    unkeyed: Mapping[str, Any]

    @property
    def inputs(self) -> dict[str, Artifacts]:
        """Role → what the step reads. (Kept as two tuples: a plan has hundreds of thousands of steps.)"""
        return dict(zip(self.roles, self.needs, strict=True))

    def document(self) -> dict[str, Any]:
        """What the key is the digest of."""
        return document(self.kind, self.parameters, self.inputs)


@cache
def version(kind: str) -> Any:
    """Version of a step, raised by whoever changes what it computes."""
    return importlib.import_module(f"grid.steps.{kind}").version()


def document(kind: str, parameters: Mapping[str, Any], inputs: Mapping[str, Artifacts]) -> dict[str, Any]:
    """What the key of a step is the digest of."""
    return {
        "step": kind,
        "version": version(kind),
        "parameters": parameters,
        "inputs": {role: artifacts.name for role, artifacts in inputs.items()},
    }
