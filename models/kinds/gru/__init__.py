"""An open-vocabulary GRU language model, as in Karampatsis et al. (ICSE 2020)."""

from typing import Any, Literal

from pydantic import Field, model_validator

from models.config import ModelConfig, with_preset

PRESETS: dict[str, dict[str, float]] = {"published": {"d_model": 512, "layers": 1, "dropout": 0.5}}


class Config(ModelConfig):
    """Sizes of a GRU. A `preset` gives those that aren't written."""

    kind: Literal["gru"] = "gru"
    preset: Literal["published"] | None = Field(default=None, exclude=True)  # the sizes are what counts
    d_model: int = Field(default=256, ge=1, description="size of embeddings and of the hidden state")
    layers: int = Field(default=1, ge=1)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    tied: bool = Field(default=False, description="input and output embeddings share their weights")

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, values: Any) -> Any:
        return with_preset(values, PRESETS)
