"""How models are trained: the parts of a grid spec that belong to this package."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from preprocessing.frozen import Frozen, InKey


class ModelConfig(Frozen):
    """What the configs of all kinds of models have in common."""

    VERSION: ClassVar[int] = 1
    """Raised when the same training gives other weights of this kind of model alone; in keys from 2 on."""

    kind: str

    def raw_digest(self) -> str | None:
        """Digest of the files that it names, which is part of keys; None for kinds that name none."""
        return None

    def refuses(self, tokenizer: str) -> str:
        """Why it can't read what this kind of tokenizer gives; empty if it can."""
        return ""


def with_preset(values: Any, presets: Mapping[str, Mapping[str, Any]]) -> Any:
    """What was written of a config, with the values of its `preset` where nothing was written."""
    if isinstance(values, dict) and isinstance(values.get("preset"), str):
        return {**presets.get(values["preset"], {}), **values}
    return values


class EarlyStop(Frozen):
    """Stop when validation has not improved by `min_delta_bits` for `patience` validations in a row."""

    patience: int = Field(default=5, ge=1)
    min_delta_bits: float = Field(default=0.0, ge=0.0)


class Budget(Frozen):
    """How long a training is, in the place of max_steps; what is left of the last step isn't made."""

    kind: Literal["steps", "original_tokens", "flops"] = Field(
        description="original_tokens: subwords of texts that nothing was rewritten in, however often each"
    )
    amount: float = Field(gt=0, allow_inf_nan=False)


class TrainingConfig(Frozen):
    """One training: optimiser, schedule, validation. Lengths are in subwords, losses in bits per unit of the
    task (a token, say).
    """

    batch_tokens: int = Field(default=2048, ge=1, description="subwords per optimiser step")
    window: int = Field(
        default=64, ge=1, description="subwords per row, the reach of back-propagation; gpt: its context"
    )
    max_steps: int = Field(default=2000, ge=1)
    budget: Annotated[Budget | None, InKey.UNLESS_DEFAULT] = Field(
        default=None, description="equal steps, equal reading of the originals or equal computation"
    )
    draws: Annotated[int, InKey.UNLESS_DEFAULT] = Field(
        default=1, ge=1, le=1000, description="draws of a variant that follow each other over the epochs"
    )
    learning_rate: float = Field(default=3e-3, gt=0)
    final_learning_rate: float = Field(default=0.05, ge=0, le=1, description="share left at the last step")
    warmup: float = Field(default=0.03, ge=0, le=1, description="share of the steps with a rising rate")
    weight_decay: float = Field(default=0.01, ge=0)
    betas: tuple[float, float] = (0.9, 0.98)
    clip_norm: float = Field(default=1.0, gt=0)
    validate_every: int = Field(default=200, ge=1, description="steps between validations")
    valid_tokens: int | None = Field(default=50_000, ge=1, description="tokens per validation, null for all")
    early_stop: EarlyStop | None = EarlyStop()
    micro_batches: int = Field(default=1, ge=1, description="pieces of a batch, whose gradients are added")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="of matrix products; auto: bfloat16 on GPUs that have it, else float32"
    )
    compile: Annotated[Literal["auto", "on", "off"], InKey.UNLESS_DEFAULT] = Field(
        default="auto", description="torch.compile of models that gain by it (gpt); auto: on a GPU"
    )
    tensorboard: Annotated[bool, InKey.NEVER] = Field(
        default=False,
        description="event files of TensorBoard in <results>/tensorboard/<key of the training>; "
        "needs the extra tensorboard",
    )
    devices: Annotated[int, InKey.UNLESS_DEFAULT] = Field(
        default=1,
        ge=1,
        description="GPUs of one host (without a GPU: processes) that share each batch's rows, by torchrun",
    )
    threads: int = Field(default=1, ge=1)
    checkpoint_s: Annotated[float, InKey.NEVER] = Field(
        default=60.0, ge=0, description="seconds between checkpoints for resuming"
    )

    @model_validator(mode="after")
    def _rows(self) -> Self:
        if self.batch_tokens % self.window:
            raise ValueError(
                f"batch_tokens ({self.batch_tokens}) must be a multiple of window ({self.window}): "
                f"a step reads batch_tokens / window rows"
            )
        return self

    @model_validator(mode="after")
    def _some_step(self) -> Self:
        if self.budget is None:
            return self
        kind, amount = self.budget.kind, self.budget.amount
        if kind == "steps" and amount != int(amount):
            raise ValueError(f"budget: steps are whole numbers from 1; got {amount:g}")
        least = {"steps": 1, "original_tokens": self.batch_tokens, "flops": 6 * self.batch_tokens}[kind]
        if amount < least:
            raise ValueError(
                f"budget: {amount:g} {kind.replace('_', ' ')} give no step: one reads batch_tokens "
                f"({self.batch_tokens}) subwords, so the least is {least}"
            )
        return self

    @property
    def rows(self) -> int:
        """Rows of one batch."""
        return self.batch_tokens // self.window
