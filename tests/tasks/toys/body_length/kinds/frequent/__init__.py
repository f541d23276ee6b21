"""How frequent each bin is among the training functions of which the same is seen."""

from typing import Literal

from pydantic import Field

from models.config import ModelConfig


class Config(ModelConfig):
    """given: what is looked at."""

    kind: Literal["frequent"] = "frequent"
    given: Literal["parameters", "names"] = "parameters"
    smoothing: float = Field(default=0.5, gt=0, description="what each count begins with")
