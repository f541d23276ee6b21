"""The size rule: which samples are rewritten, and which are thrown out of a variant because they are too
large.
"""

from pydantic import BaseModel, ConfigDict, Field


class _Limits(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    max_tokens: int | None = Field(default=None, ge=1)
    max_bytes: int | None = Field(default=None, ge=1)


class AugmentOnly(_Limits):
    """Only samples whose original is at most so large are rewritten. The others stay as they are."""


class ThrowOut(_Limits):
    """Samples that are larger than this in the variant, rewritten or not, are thrown out of it.

    `max_growth` is tokens over tokens of the original: 1.5 lets a sample grow by half.
    """

    max_growth: float | None = Field(default=None, ge=1)


class SizeRule(BaseModel):
    """Both rules may be absent: then every sample is rewritten, and none thrown out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    augment_only: AugmentOnly = AugmentOnly()
    throw_out: ThrowOut = ThrowOut()

    def too_large_to_augment(self, *, n_tokens: int, n_bytes: int) -> str:
        """The limit of `augment_only` that the original exceeds, or an empty string."""
        return _exceeded(self.augment_only, n_tokens, n_bytes)

    def too_large_to_keep(self, *, n_tokens: int, n_bytes: int, n_tokens_original: int) -> str:
        """The limit of `throw_out` that the text of the variant exceeds, or an empty string."""
        exceeded = _exceeded(self.throw_out, n_tokens, n_bytes)
        growth = self.throw_out.max_growth
        if not exceeded and growth is not None and n_tokens > growth * n_tokens_original:
            return "max_growth"
        return exceeded


def _exceeded(limits: _Limits, n_tokens: int, n_bytes: int) -> str:
    if limits.max_tokens is not None and n_tokens > limits.max_tokens:
        return "max_tokens"
    if limits.max_bytes is not None and n_bytes > limits.max_bytes:
        return "max_bytes"
    return ""
