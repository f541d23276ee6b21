"""A causal language model of the library `transformers`, with the states that scoring needs.

B rows · T subwords · N states · V the model's own vocabulary. Ids are the model's own plus FIRST; `<file>`
is its token for the beginning of a text. A state is what has been read; one forward pass gives the
distributions after all subwords of a text. Texts are read one by one: no score depends on
what stands beside it.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from models.checkpoints import load_network, save_tensors, weights
from models.config import TrainingConfig
from models.encoded import TextSample
from models.interface import Network, device
from models.kinds.huggingface import Config
from models.kinds.huggingface.ranks import TokenRanks, best_tokens, rank_tokens
from models.kinds.huggingface.subword_outcomes import FIRST, Outcomes
from models.scoring.candidates import MAX_EXPANSIONS
from models.training.texts import need_texts
from models.training.training_job import CURVE, TrainingJob
from models.vocabulary import FILE
from preprocessing.errors import BadInput

ARCHITECTURE = "architecture.json"  # the library's config of the model, beside its weights


class RunningTexts:
    """N states: each the first `lengths[n]` subwords of `texts[n]`; states of one text share it."""

    def __init__(self, texts: list[Tensor], lengths: list[int]) -> None:
        self.texts, self.lengths = texts, lengths

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: Tensor) -> "RunningTexts":
        at = index.tolist()
        return RunningTexts([self.texts[i] for i in at], [self.lengths[i] for i in at])


class HuggingFace(Network):
    """A model of the library; its weights are the only parameters."""

    def __init__(self, config: Config, model: Any) -> None:
        super().__init__()
        self.config, self.model = config, model
        self.own_size = int(model.get_output_embeddings().weight.shape[0])
        self.vocab_size = FIRST + self.own_size
        self.context, self.kept, self.stride = config.context, config.kept, config.context
        about = model.config
        self.widest = positions = getattr(about, "max_position_embeddings", None)
        if positions is not None and config.context > positions:
            raise BadInput(
                f"{config.path}: context ({config.context}) is longer than its {positions} positions"
            )
        first = about.bos_token_id if about.bos_token_id is not None else about.eos_token_id
        if not isinstance(first, int) or not 0 <= first < self.own_size:
            raise BadInput(f"{config.path}: has no token for the beginning of a text (bos_token_id {first})")
        self.first_id = first
        end = about.eos_token_id
        self.end_id = end[0] if isinstance(end, list) else first if end is None else end
        self._outcomes: Outcomes | None = None

    def shape(self, training: TrainingConfig) -> tuple[int, int]:
        return max(1, training.batch_tokens // self.config.context), self.config.context

    def own_ids(self, ids: Tensor) -> Tensor:
        """The model's own ids."""
        return torch.where(ids == FILE, self.first_id, ids - FIRST)

    def loss(self, inputs: Tensor, targets: Tensor, carried: Any) -> tuple[Tensor, None]:
        """As in the interface. Each file of a row becomes a row of its own, so that none sees another."""
        pieces: list[tuple[Tensor, Tensor]] = []
        for x, y in zip(inputs, targets, strict=True):
            cuts = [i for i in (x == FILE).nonzero().flatten().tolist() if i]
            pieces += zip(x.tensor_split(cuts), y.tensor_split(cuts), strict=True)
        ids = pad_sequence(
            [self.own_ids(x) for x, _ in pieces], batch_first=True, padding_value=self.first_id
        )
        true = pad_sequence([y - FIRST for _, y in pieces], batch_first=True, padding_value=-100)
        with torch.autocast(ids.device.type, torch.bfloat16, enabled=self.bf16):
            logits = self.model(input_ids=ids, attention_mask=(true != -100).long(), use_cache=False).logits
        return functional.cross_entropy(logits.float().flatten(0, 1), true.flatten(), ignore_index=-100), None

    def start(self, rows: int) -> RunningTexts:
        return RunningTexts([torch.empty(0, dtype=torch.int64)] * rows, [0] * rows)

    def read(self, states: RunningTexts, ids: Tensor) -> RunningTexts:
        texts: list[Tensor] = []
        lengths: list[int] = []
        for text, length, new in zip(states.texts, states.lengths, ids, strict=True):
            texts += [torch.cat([text[:length], new])] * len(new)
            lengths += range(length + 1, length + len(new) + 1)
        return RunningTexts(texts, lengths)

    def logits(self, states: RunningTexts) -> Tensor:
        """(N, FIRST + V) log-probabilities; those of SPECIALS, which no text holds, are −inf."""
        parts, i = [], 0
        while i < len(states):
            end = i + 1
            while end < len(states) and states.texts[end] is states.texts[i]:
                end += 1
            parts.append(self._after(states.texts[i], states.lengths[i:end]))
            i = end
        return functional.pad(torch.cat(parts), (FIRST, 0), value=float("-inf"))

    def _after(self, text: Tensor, lengths: Sequence[int]) -> Tensor:
        ids = self.own_ids(text[: max(lengths)]).to(self.model.device)
        found: Tensor = self.model(input_ids=ids[None], use_cache=False).logits[0]
        return found[torch.tensor(lengths, device=ids.device) - 1].float()

    def _outcomes_of(self, tokenizer: Any) -> Outcomes:
        if self._outcomes is None:
            self._outcomes = Outcomes(tokenizer, self.end_id)
        return self._outcomes

    @torch.inference_mode()
    def rank_tokens(self, tokenizer: Any, sample: TextSample, best: bool = False) -> TokenRanks:
        """Ranks and, if asked for, best tokens of a sample; see models.kinds.huggingface.ranks."""
        outcomes = self._outcomes_of(tokenizer)
        return rank_tokens(self, outcomes, sample, self.config.max_expansions, best)

    @torch.inference_mode()
    def best_tokens(
        self, tokenizer: Any, text: str, at: int, comments: bool, k: int
    ) -> tuple[list[tuple[str, float]], tuple[str, float], bool]:
        """The k best tokens in the place of token `at` of a text, and the true one; see
        models.kinds.huggingface.ranks.
        """
        outcomes = self._outcomes_of(tokenizer)
        return best_tokens(self, outcomes, text, at, comments, k, MAX_EXPANSIONS)

    def join(self, states: Sequence[RunningTexts]) -> RunningTexts:
        return RunningTexts([t for s in states for t in s.texts], [n for s in states for n in s.lengths])


def library() -> Any:
    """The package transformers. Raises BadInput if it isn't installed."""
    try:
        import transformers
    except ImportError:
        raise BadInput(
            "models of kind huggingface need the package transformers: pip install 'augrid[huggingface]'"
        ) from None
    found: Any = transformers
    found.utils.logging.disable_progress_bar()
    return found


def fit(config: Config, job: TrainingJob) -> dict[str, Any]:
    """Takes a pretrained model over into a folder of our own, trained on or as it is."""
    started = time.monotonic()
    if job.vocabulary.closed:
        raise BadInput(
            "a model of kind huggingface needs a tokenizer of kind huggingface, with the same path"
        )
    model = _pretrained(config)
    network = HuggingFace(config, model)
    if job.vocab_size > network.vocab_size:
        raise BadInput(
            f"{config.path}: knows {network.own_size} subwords, its tokenizer has {job.vocab_size - FIRST}: "
            "tokenizer.path must name the same model"
        )
    (job.out / ARCHITECTURE).write_text(model.config.to_json_string(use_diff=False))
    if config.fine_tune:
        from models.training.loop import fit_network

        return fit_network(network, job)
    network.to(device()).eval().requires_grad_(False)
    save_tensors(weights(network), job.out / "model.safetensors")
    pq.write_table(pa.Table.from_pylist([], CURVE), job.out / "training.parquet")
    return {
        "parameters": network.parameter_count,
        "valid_bits": need_texts(job, config.kind).validate(network, job.training),
        "seconds": time.monotonic() - started,
    }


def _pretrained(config: Config) -> Any:
    try:
        return library().AutoModelForCausalLM.from_pretrained(
            config.path, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
        )
    except BadInput:
        raise
    except Exception as error:  # the library raises anything, for files, the hub, and models it doesn't know
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BadInput(f"{config.path}: no causal language model in safetensors: {first}") from error


def load(config: Config, vocab_size: int, file: Path) -> HuggingFace:
    """The model with the weights of a safetensors file; BadInput if its architecture can not be read."""
    about = file.parent / ARCHITECTURE
    transformers = library()
    try:
        plain = json.loads(about.read_text())
        kind = transformers.AutoConfig.for_model(plain.pop("model_type"), **plain)
        model = transformers.AutoModelForCausalLM.from_config(
            kind, trust_remote_code=False, dtype=torch.float32
        )
    except Exception as error:
        raise BadInput(f"{about}: not a causal language model that transformers knows ({error!r})") from error
    return load_network(HuggingFace(config, model), file)
