"""Any causal language model with a tokenizer of its own, from a local path or the Hugging Face hub."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from models.config import ModelConfig


class Config(ModelConfig):
    """A pretrained model, as it is or trained on. Its cells need `tokenizer: {kind: huggingface, path: …}`.

    Weights must be safetensors, and code that comes with a model is never run. What a folder holds is part
    of the key; what the hub holds under a name is taken to stay as it is. What a rank is, says
    models.kinds.huggingface.ranks; in a learning curve, bits are per subword.
    """

    kind: Literal["huggingface"] = "huggingface"
    path: str = Field(
        min_length=1, description="a folder with config.json and model.safetensors, or a hub name"
    )
    fine_tune: bool = Field(default=False, description="train it, instead of scoring it as it is")
    context: int = Field(default=1024, ge=2, description="subwords that a prediction can see at most")
    min_context: int | None = Field(
        default=None, ge=1, description="subwords a prediction sees at least, inside a long file; null: half"
    )

    max_expansions: int = Field(
        default=500, ge=1, description="spellings that the search for one rank extends before it is cut off"
    )

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        if self.kept >= self.context:
            raise ValueError(f"min_context ({self.min_context}) must be less than context ({self.context})")
        return self

    def refuses(self, tokenizer: str) -> str:
        """It reads the subwords that it was trained on."""
        needed = "needs the tokenizer that it was trained with, {kind: huggingface, path: …}, in its cells"
        return "" if tokenizer == "huggingface" else f"{needed}; got kind {tokenizer!r}"

    def raw_digest(self) -> str:
        """SHA-256 of the folder's configuration and weights; "" for a name on the hub."""
        from preprocessing.fetching.files import digest_whole

        folder = Path(self.path).expanduser()
        if not folder.is_dir():
            return ""
        return digest_whole(sorted([*folder.glob("*.json"), *folder.glob("*.safetensors")]))

    @property
    def kept(self) -> int:
        """Subwords that stay visible when the window moves on in a long file."""
        return self.context // 2 if self.min_context is None else self.min_context
