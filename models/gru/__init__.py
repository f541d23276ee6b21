"""An open-vocabulary GRU language model, as in Karampatsis et al. (ICSE 2020)."""

from typing import Literal

from pydantic import Field

from models.config import Frozen


class Config(Frozen):
    """Sizes of a GRU. The published model is `{d_model: 512, dropout: 0.5}`."""

    kind: Literal["gru"] = "gru"
    d_model: int = Field(default=256, ge=1, description="size of embeddings and of the hidden state")
    layers: int = Field(default=1, ge=1)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    tied: bool = Field(default=False, description="input and output embeddings share their weights")
