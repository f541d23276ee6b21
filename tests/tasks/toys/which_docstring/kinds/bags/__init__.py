"""Two bags of embeddings: one for docstrings, one for code."""

from typing import Literal

from pydantic import Field

from models.config import ModelConfig


class Config(ModelConfig):
    """d_model: numbers per text."""

    kind: Literal["bags"] = "bags"
    d_model: int = Field(default=64, ge=1)
    dropout: float = Field(default=0.1, ge=0, lt=1)
