"""A decoder-only transformer: pre-norm RMSNorm, rotary positions, SDPA, tied embeddings."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from models.config import ModelConfig, with_preset

PRESETS: dict[str, dict[str, int]] = {  # parameters without embeddings, in millions
    "tiny": {"d_model": 128, "layers": 2, "heads": 4},  # 0.4
    "small": {"d_model": 256, "layers": 6, "heads": 8},  # 4.7
    "medium": {"d_model": 512, "layers": 8, "heads": 8},  # 25
    "124m": {"d_model": 768, "layers": 12, "heads": 12, "context": 1024},  # 85, as GPT-2 small
}


class Config(ModelConfig):
    """Sizes of a decoder. A `preset` gives those that aren't written."""

    kind: Literal["gpt"] = "gpt"
    preset: Literal["tiny", "small", "medium", "124m"] | None = None
    d_model: int = Field(default=256, ge=2)
    layers: int = Field(default=6, ge=1)
    heads: int = Field(default=8, ge=1)
    context: int = Field(default=512, ge=2, description="subwords that a prediction can see at most")
    min_context: int | None = Field(
        default=None, ge=1, description="subwords a prediction sees at least, inside a long file; null: half"
    )
    dropout: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, values: Any) -> Any:
        return with_preset(values, PRESETS)

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        if self.d_model % self.heads:
            divisors = [str(n) for n in range(1, self.d_model + 1) if self.d_model % n == 0]
            raise ValueError(
                f"heads ({self.heads}) must divide d_model ({self.d_model}): valid are {', '.join(divisors)}"
            )
        if (self.d_model // self.heads) % 2:
            raise ValueError(
                f"d_model / heads ({self.d_model // self.heads}) must be even for rotary positions"
            )
        if self.min_context is not None and self.min_context >= self.context:
            raise ValueError(f"min_context ({self.min_context}) must be less than context ({self.context})")
        return self

    @property
    def kept(self) -> int:
        """Subwords that stay visible when the window moves on in a long file."""
        return self.context // 2 if self.min_context is None else self.min_context
