"""The most probable next tokens of a context, exactly: best first, until nothing open can be better.

def area(width, height): return      ->      width 0.61 · height 0.07 · ( 0.05 · …
"""

import heapq
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch

from models.scoring.search import TIE, Floats
from models.vocabulary import FILE, Vocabulary
from preprocessing.errors import BadInput

WIDTH = 16  # prefixes that are extended together
MAX_EXPANSIONS = 4096
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A whole token and its probability."""

    text: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class Completion:
    """The best tokens at a place, the true one with its probability and rank (None beyond the candidates).

    exact: False if the search ran out of expansions.
    """

    candidates: list[Candidate]
    true: Candidate | None
    rank: int | None
    exact: bool


@torch.inference_mode()
def candidates(model: Any, vocabulary: Vocabulary, context: list[int], k: int = 10) -> tuple[list[Any], bool]:
    """The k most probable tokens after some subwords, as (subwords, log-probability in nats), best first.

    Only canonical segmentations count. Also whether this is proved: False if the search was cut off.
    """
    states = read_context(model, context)
    best = _Best(k)
    batch, opened = [_Prefix((), 0.0, None)], list[_Prefix]()
    expansions = 0
    while batch and expansions < MAX_EXPANSIONS:
        expansions += len(batch)
        log_probs = torch.log_softmax(model.logits(states), 1).double().cpu().numpy()
        for row, prefix in enumerate(batch):
            state = states[torch.tensor([row])]
            opened += _grown(prefix, prefix.logp + log_probs[row], state, best, vocabulary)
        opened = [prefix for prefix in opened if prefix.logp > best.bar]
        opened.sort(key=lambda prefix: -prefix.logp)
        batch, opened = opened[:WIDTH], opened[WIDTH:]
        if batch:
            before = [prefix.state for prefix in batch]
            pieces = torch.tensor([prefix.path[-1] for prefix in batch])
            states = model.extend(model.join(before) if len(before) > 1 else before[0], pieces)
    return [(token, logp) for logp, token in sorted(best.tokens, reverse=True)], not batch


class _Prefix(NamedTuple):
    """Subwords that may grow into a token, their nats, and the state before the last of them."""

    path: tuple[int, ...]
    logp: float
    state: Any


@dataclass
class _Best:
    """The k most probable whole tokens that are known, in a heap whose first is the worst of them."""

    k: int
    tokens: list[tuple[float, tuple[int, ...]]] = field(default_factory=list)

    @property
    def bar(self) -> float:
        """Nats that a further token must exceed."""
        return self.tokens[0][0] if len(self.tokens) >= self.k else -math.inf

    def add(self, logp: float, token: tuple[int, ...]) -> None:
        """Takes a token in, and the worst out if there are too many."""
        heapq.heappush(self.tokens, (logp, token))
        if len(self.tokens) > self.k:
            heapq.heappop(self.tokens)


def _grown(
    prefix: _Prefix, logp: Floats, state: Any, best: _Best, vocabulary: Vocabulary
) -> Iterator[_Prefix]:
    """The longer prefixes above the bar, given the nats (V) with each subword; whole tokens go to `best`."""
    for piece in np.argsort(-logp, kind="stable").tolist():
        if logp[piece] <= best.bar or not np.isfinite(logp[piece]):
            return
        path = (*prefix.path, piece)
        if not vocabulary.ends[piece]:
            yield _Prefix(path, float(logp[piece]), state)
        elif path != (FILE,) and vocabulary.canonical(path):
            best.add(float(logp[piece]), path)


def read_context(model: Any, context: list[int]) -> Any:
    """The state after `<file>` and some subwords, of which a model with a limited context sees the last."""
    ids = [FILE, *context]
    if model.context is not None:
        ids = ids[-(model.context - 1) :]
    states = model.read(model.start(1), torch.tensor([ids]))
    return states[torch.tensor([len(ids) - 1])]


def offset_of(text: str, line: int, column: int) -> int:
    """Where a place is in a text (line from 1, column from 0, in characters; lines end as Python's do).

    Raises BadInput for a place that the text doesn't have.
    """
    lines = LINE.findall(text)
    if not 1 <= line <= len(lines):
        raise BadInput(f"no place {line}:{column} in a text of {len(lines)} lines")
    own = lines[line - 1].rstrip("\r\n")
    if not 0 <= column <= len(own):
        raise BadInput(f"no place {line}:{column}: line {line} has {len(own)} characters")
    return sum(map(len, lines[: line - 1])) + column


@dataclass(frozen=True, kw_only=True)
class Context:
    """A text, its tokens as models see them, and the number of the one that is asked for: behind the last,
    there is no true one. comments: whether these are tokens.
    """

    text: str
    spelled: Sequence[str]
    at: int
    comments: bool = False


def complete(*, model: Any, tokenizer: Any, context: Context, k: int = 10) -> Completion:
    """What a trained model expects as a token of a text.

    tokenizer: what `preprocessing.tokenizers.load` gives. Raises BadInput for a place behind the last token
    or a text that can't be spelt, where the model reads running text.
    """
    vocabulary = Vocabulary(tokenizer)
    if not vocabulary.closed:
        return _of_running_text(model, tokenizer, context, k)
    spelled, at = context.spelled, context.at
    subwords = tokenizer.encode(spelled[: at + 1])
    before = [i for ids in subwords[:at] for i in ids]
    found, exact = candidates(model, vocabulary, before, k)
    shown = [Candidate(text=tokenizer.decode(ids), probability=float(np.exp(logp))) for ids, logp in found]
    if at == len(spelled):
        return Completion(candidates=shown, true=None, rank=None, exact=exact)
    true = subwords[at]
    logp = log_probability(model, before, true)
    rank = 1 + sum(other > logp + TIE for ids, other in found if list(ids) != list(true))
    known = vocabulary.canonical(true)  # what has an unknown part can't be completed, however probable it is
    return Completion(
        candidates=shown,
        true=Candidate(text=tokenizer.decode(true), probability=float(np.exp(logp))),
        rank=rank if known and rank <= k else None,
        exact=exact,
    )


def _of_running_text(model: Any, tokenizer: Any, context: Context, k: int) -> Completion:
    if context.at == len(context.spelled):
        raise BadInput("the file ends here: a model of running text is asked for tokens that a file has")
    found, (key, nats), exact = model.best_tokens(tokenizer, context.text, context.at, context.comments, k)
    rank = 1 + sum(other > nats + TIE for text, other in found if text != key)
    return Completion(
        candidates=[Candidate(text=text, probability=float(np.exp(other))) for text, other in found],
        true=Candidate(text=key, probability=float(np.exp(nats))),
        rank=rank if rank <= k else None,
        exact=exact,
    )


@torch.inference_mode()
def log_probability(model: Any, context: list[int], token: list[int]) -> float:
    """log p(token | context) in nats."""
    state, total = read_context(model, context), 0.0
    for i, piece in enumerate(token):
        if i:
            state = model.extend(state, torch.tensor([token[i - 1]]))
        total += float(torch.log_softmax(model.logits(state), 1)[0, piece])
    return total
