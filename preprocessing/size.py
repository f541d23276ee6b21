"""The size rule: which samples are rewritten, and which are too large and thrown out of a variant."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from preprocessing.frozen import Frozen


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large one text is. Subwords are counted only where a rule asks for them."""

    tokens: int
    bytes: int
    subwords: int | None = None


class _Limits(Frozen):
    max_tokens: int | None = Field(default=None, ge=1)
    max_subwords: int | None = Field(default=None, ge=1)
    max_bytes: int | None = Field(default=None, ge=1)

    def exceeded(self, size: Size) -> str:
        """The name of the first limit that is exceeded, or an empty string."""
        for name in ("max_tokens", "max_subwords", "max_bytes"):
            limit, value = getattr(self, name), getattr(size, name.removeprefix("max_"))
            if limit is not None and value > limit:
                return name
        return ""


class AugmentOnly(_Limits):
    """Only samples whose original is at most so large are rewritten. The others stay as they are."""


class ThrowOut(_Limits):
    """Samples that are larger than this in the variant, rewritten or not, are thrown out of it.

    `max_growth` is tokens over tokens of the original: 1.5 lets a sample grow by half. With `then:
    keep_original` nothing is thrown out: a sample whose rewritten text is too large keeps its original
    text.
    """

    max_growth: float | None = Field(default=None, ge=1)
    then: Literal["drop", "keep_original"] = "drop"


class SizeRule(Frozen):
    """Both rules may be absent: then every sample is rewritten, and none thrown out."""

    augment_only: AugmentOnly = AugmentOnly()
    throw_out: ThrowOut = ThrowOut()

    @property
    def acts(self) -> bool:
        """Whether there is any limit, so that variants can differ in which samples they rewrite or lose."""
        rules = (self.augment_only.model_dump(), self.throw_out.model_dump(exclude={"then"}))
        return any(limit is not None for rule in rules for limit in rule.values())

    @property
    def needs_tokenizer(self) -> bool:
        """Whether subwords have to be counted."""
        return self.augment_only.max_subwords is not None or self.throw_out.max_subwords is not None

    def too_large_to_augment(self, original: Size) -> str:
        """The limit of `augment_only` that the original exceeds, or an empty string."""
        return self.augment_only.exceeded(original)

    def too_large_to_keep(self, size: Size, original: Size) -> str:
        """The limit of `throw_out` that the text of the variant exceeds, or an empty string."""
        exceeded = self.throw_out.exceeded(size)
        growth = self.throw_out.max_growth
        if not exceeded and growth is not None and size.tokens > growth * original.tokens:
            return "max_growth"
        return exceeded
