"""An n-gram model over subwords, interpolated Kneser–Ney: the baseline that keeps everyone honest."""

from typing import ClassVar, Literal

from pydantic import Field

from models.config import ModelConfig


class Config(ModelConfig):
    """order 2 is a bigram: one subword of context."""

    VERSION: ClassVar[int] = 2  # discounts are the originals', and versions of a text share its weight

    kind: Literal["ngram"] = "ngram"
    order: int = Field(default=6, ge=1, le=12, description="subwords of context plus one")
    smoothing: Literal["kneser_ney", "modified_kneser_ney"] = Field(
        default="modified_kneser_ney", description="one discount per order, or three (Chen & Goodman 1999)"
    )
    cache: Literal["none", "file"] = Field(
        default="none",
        description="whether the n-grams of the scored file itself count, as far as it is read; those of its "
        "project do with evaluation.adapt: dynamic",
    )
    cache_strength: float = Field(
        default=8.0, gt=0, description="occurrences that the cache's next shorter context weighs"
    )
