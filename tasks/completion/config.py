"""The sections `task:` and `evaluation:` of a spec that asks for the next token."""

from typing import Literal

from pydantic import Field

from tasks import EvaluationConfig, TaskConfig


class Config(TaskConfig):
    """The next token of a text, from those before it."""

    kind: Literal["completion"] = "completion"


class Evaluation(EvaluationConfig):
    """One scoring: which test sets and metrics, and how the exact rank is searched."""

    metrics: tuple[Literal["entropy", "accuracy", "mrr", "f1", "calibration"], ...] = Field(
        default=("entropy", "accuracy", "mrr"),
        description="f1: of the sub-tokens of identifiers; calibration: ECE. Both search for the best token",
    )
    adapt: Literal["none", "dynamic"] = Field(
        default="none",
        description="dynamic: learn from each file once it is scored, forget at the next project",
    )
    adapt_rate: float = Field(default=0.2, gt=0, description="step of the gradient descent of adapt: dynamic")
    max_expansions: int = Field(
        default=2000, ge=1, description="prefixes tried for one token before its rank counts as beyond ten"
    )
    rows: int = Field(default=32, ge=1, description="files that are read at the same time")
    window: int = Field(default=64, ge=1, description="subwords of each file per pass")

    @property
    def ranks(self) -> bool:
        """Whether any metric needs the rank of the true token."""
        return any(metric != "entropy" for metric in self.metrics)

    @property
    def best(self) -> bool:
        """Whether any metric needs the most probable token."""
        return "f1" in self.metrics or "calibration" in self.metrics
