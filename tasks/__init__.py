"""What is asked of a model: one folder for each task, `tasks/<kind>/`, found by its name.

This page is the contract. A task's package has what `Task` names, and imports without torch. Everything else
is the same for all tasks: corpora, rewrites, variants, sizes, cells, store, scheduler, statistics, report.

    corpus row (and its rewritten text) → encode → examples     what the model reads, what is hidden of it
    examples → objective → training                             batches, their loss, a validation
    trained model + examples (+ pool) → evaluate → scores       sums per unit; DESCRIPTION says which metrics

Tasks of your own are folders of the same shape in the folders that the environment variable AUGRID_TASKS
names. Models that are of use to one task alone can stand in its folder, `tasks/<kind>/kinds/<model>/`.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import Field

import models.kinds
from preprocessing.by_kind import Kinds
from preprocessing.errors import BadInput
from preprocessing.frozen import Frozen, InKey

if TYPE_CHECKING:
    from analysis.statistics.descriptions import Description
    from models.encoded import Part
    from models.training.objective import Objective
    from models.training.training_job import Report
    from models.vocabulary import Vocabulary
    from preprocessing.encoding import Align
    from preprocessing.lexer.tokens import TokensConfig
    from tasks.units import Units

DEFAULT = "completion"
"""What a spec asks that names no task. Its steps have the keys that they had before there were others."""

_others = [Path(place).absolute() for place in os.environ.get("AUGRID_TASKS", "").split(os.pathsep) if place]
if _absent := [str(place) for place in _others if not place.is_dir()]:
    raise BadInput(f"AUGRID_TASKS: no folder {', '.join(_absent)}")
__path__ = [*__path__, *map(str, _others)]
models.kinds.__path__ = [
    *models.kinds.__path__,
    *(str(folder) for place in __path__ for folder in sorted(Path(place).glob("*/kinds"))),
]


class TaskConfig(Frozen):
    """The section `task:` of a spec: which task, and its options."""

    kind: str


class EvaluationConfig(Frozen):
    """The section `evaluation:` of a spec, as far as all tasks share it."""

    tests: Annotated[tuple[Literal["original", "augmented"], ...], InKey.NEVER] = ("original", "augmented")
    threads: int = Field(default=1, ge=1)


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """What an encode step is given: rows of one shard, and for a variant those that they were made from.

    `original` holds the same samples in the same order, with all columns of a corpus (a docstring that was
    split off, say), and `align` finds the origin of each rewritten token; both are None for a corpus.
    """

    shard: Path
    original: Path | None
    align: "Align | None"
    tokenizer: Path
    tokens: "TokensConfig"
    out: Path


@dataclass(frozen=True, kw_only=True)
class Test:
    """A test set: folders of encode steps, whose "test" samples count; `out`: an empty folder for scores."""

    __test__ = False
    parts: Sequence[Path]
    out: Path


class Task(Protocol):
    """What a task's package offers. Sizes are in units, losses in bits per unit, lower is better."""

    @property
    def Config(self) -> type[TaskConfig]: ...  # noqa: N802 - the names of classes

    @property
    def Evaluation(self) -> type[EvaluationConfig]: ...  # noqa: N802

    @property
    def DESCRIPTION(self) -> "Description":  # noqa: N802 - the names of constants
        """Unit, sums, metrics and scopes: what stands in results, and all that analysis knows of the task."""
        ...

    @property
    def UNITS(self) -> "Units":  # noqa: N802
        """The table of units that a scoring leaves, their scopes and sums."""
        ...

    @property
    def CORPUS(self) -> Mapping[str, frozenset[str]]:  # noqa: N802
        """What fields of `corpus` must be, by their dotted paths: {"unit": frozenset({"function"})}, say."""
        ...

    @property
    def MODELS(self) -> frozenset[str]:  # noqa: N802
        """Which kinds of model can answer."""
        ...

    @property
    def POOL(self) -> bool:  # noqa: N802
        """Whether what is asked is ranked among other samples: `evaluate` gets the original test split."""
        ...

    def refuses(self, rewrite: str, options: Mapping[str, Any]) -> str:
        """Why a rewrite doesn't fit this task, or "": it would change what is asked, say."""
        ...

    def encode(self, config: Any, encoding: Encoding) -> dict[str, Any]:
        """Leaves examples of all splits in `encoding.out`. Returns facts for the manifest."""
        ...

    def objective(
        self, config: Any, train: Sequence["Part"], valid: Sequence["Part"], vocabulary: "Vocabulary"
    ) -> "Objective":
        """What a model learns from "train" samples, watched on "valid" ones. BadInput if there are none."""
        ...

    def evaluate(
        self,
        config: Any,
        evaluation: Any,
        *,
        model_folder: Path,
        tokenizer: Path,
        tests: Sequence[Test],
        pool: Sequence[Path],
        report: "Report",
    ) -> list[dict[str, Any]]:
        """Scores each test set: the facts of each, or {"error": …, "traceback": …} where it failed.

        Leaves the table of units and samples.parquet (`UNITS.table_of`) in each test's folder.
        """
        ...


TASKS = Kinds[Task]("tasks", "no task", folders=True)
lookup = TASKS.lookup


def keyed(config: TaskConfig) -> dict[str, Any]:
    """What keys of encode, train and evaluate steps say of a task: nothing of `DEFAULT` as it always was."""
    plain = config.keyed()
    version = lookup(config.kind).DESCRIPTION.version
    if plain == {"kind": DEFAULT} and version == 1:
        return {}
    return {"task": {**plain, "version": version}}


def configured(plain: Mapping[str, Any] | None) -> tuple[Task, TaskConfig]:
    """The task and its config from what `keyed` said, or of `DEFAULT` if that was nothing."""
    given = {k: v for k, v in (plain or {"kind": DEFAULT}).items() if k != "version"}
    task = lookup(given["kind"])
    return task, task.Config.model_validate(given)
