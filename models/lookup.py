"""Kinds of models by their names: `lookup("gru")` is the package `models.kinds.gru`, never registered.

It holds the kind's `Config`, and imports without torch.
"""

from types import ModuleType
from typing import Annotated

from models.config import ModelConfig
from preprocessing.by_kind import Kinds

MODELS = Kinds[ModuleType]("models.kinds", "no model kind", folders=True)
lookup = MODELS.lookup

AnyModel = Annotated[ModelConfig, MODELS]
