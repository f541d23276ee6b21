"""States of a decoder: keys and values of a context, shared by all prefixes that grow from it.

    row of the cache   <file> def f ( x ) : <newline>      read once, by teacher forcing
    states             lengths say how much of it they see; own: the few subwords that only they have read

L layers · B rows · H heads · D size of a head · N states · K own subwords
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


class Cache:
    """Keys and values of B contexts, (L, 2, B, H, columns, D); behind a context's length is noise."""

    def __init__(self, tensors: Tensor) -> None:
        self.tensors = tensors

    @property
    def width(self) -> int:
        """Columns."""
        return self.tensors.shape[4]

    def grown(self, rows: Tensor, width: int) -> "Cache":
        """A copy of some rows with room for `width` columns."""
        layers, two, _, heads, old, head = self.tensors.shape
        copy = self.tensors.new_zeros(layers, two, len(rows), heads, width, head)
        kept = min(old, width)
        copy[:, :, :, :, :kept] = self.tensors[:, :, rows, :, :kept]
        return Cache(copy)

    def blank(self, rows: int, width: int) -> "Cache":
        """One of the same sizes, to be filled."""
        layers, two, _, heads, _, head = self.tensors.shape
        return Cache(self.tensors.new_empty(layers, two, rows, heads, width, head))

    def fill(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Puts (B, H, columns, D) keys and values into every column of a layer; returns them."""
        self.tensors[layer, 0], self.tensors[layer, 1] = k, v
        return k, v

    def write(self, layer: int, positions: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Puts (B, H, T, D) keys and values at positions (B, T); returns all of this layer's."""
        keys, values = self.tensors[layer]
        index = positions[:, None, :, None].expand_as(k)
        keys.scatter_(2, index, k)
        values.scatter_(2, index, v)
        return keys, values


@dataclass(kw_only=True)
class Read:
    """N states. rows, lengths: (N), what they see of the cache; own: (N, L, 2, H, K, D), of which the first
    `depths` (N) count; hidden: (N, C), the output after the last subword.
    """

    cache: Cache
    rows: Tensor
    lengths: Tensor
    own: Tensor
    depths: Tensor
    hidden: Tensor

    @staticmethod
    def at(cache: Cache, rows: Tensor, lengths: Tensor, hidden: Tensor) -> "Read":
        """States that have nothing of their own."""
        layers, two, _, heads, _, head = cache.tensors.shape
        own = cache.tensors.new_zeros(len(rows), layers, two, heads, 0, head)
        return Read(
            cache=cache, rows=rows, lengths=lengths, own=own, depths=torch.zeros_like(rows), hidden=hidden
        )

    @staticmethod
    def fresh(cache: Cache, rows: Tensor, lengths: Tensor, size: int) -> "Read":
        """States that have read nothing."""
        return Read.at(cache, rows, lengths, cache.tensors.new_zeros(len(rows), size))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Tensor) -> "Read":
        index = index.to(self.rows.device)
        return Read(
            cache=self.cache,
            rows=self.rows[index],
            lengths=self.lengths[index],
            own=self.own[index],
            depths=self.depths[index],
            hidden=self.hidden[index],
        )

    @staticmethod
    def join(states: Sequence["Read"]) -> "Read":
        """States behind one another; their caches too, unless it is the same one."""
        cache, rows = states[0].cache, [s.rows for s in states]
        if any(s.cache is not cache for s in states):
            width = max(int(s.lengths.max()) for s in states)
            caches = [s.cache.grown(s.rows, width) for s in states]
            cache = Cache(torch.cat([c.tensors for c in caches], 2))
            rows = [torch.arange(sum(map(len, rows)), device=rows[0].device)]
        deepest = max(s.own.shape[4] for s in states)
        own = [functional.pad(s.own, (0, 0, 0, deepest - s.own.shape[4])) for s in states]
        return Read(
            cache=cache,
            rows=torch.cat(rows),
            lengths=torch.cat([s.lengths for s in states]),
            own=torch.cat(own),
            depths=torch.cat([s.depths for s in states]),
            hidden=torch.cat([s.hidden for s in states]),
        )

    def room_for_one(self) -> "Own":
        """A copy of what is their own, with room for one subword more."""
        width = int(self.depths.max()) + 1
        own = functional.pad(self.own, (0, 0, 0, max(0, width - self.own.shape[4])))[:, :, :, :, :width]
        return Own(self, own.clone())

    def groups(self) -> "Groups":
        """The states by rows of the cache."""
        return Groups(self)


class Own:
    """What N states read by themselves, one subword longer than before: (N, L, 2, H, K, D)."""

    def __init__(self, before: Read, tensors: Tensor) -> None:
        self.before, self.tensors = before, tensors
        columns = torch.arange(tensors.shape[4], device=tensors.device)
        self.seen = columns <= before.depths[:, None]  # (N, K)

    def put(self, layer: int, k: Tensor, v: Tensor) -> None:
        """The new subword's keys and values, (N, H, D)."""
        index = self.before.depths[:, None, None, None].expand(-1, k.shape[1], 1, k.shape[2])
        self.tensors[:, layer, 0].scatter_(2, index, k[:, :, None])
        self.tensors[:, layer, 1].scatter_(2, index, v[:, :, None])

    def states(self, hidden: Tensor) -> Read:
        """The states after the new subword."""
        b = self.before
        return Read(
            cache=b.cache,
            rows=b.rows,
            lengths=b.lengths,
            own=self.tensors,
            depths=b.depths + 1,
            hidden=hidden,
        )


class Groups:
    """N states laid out by their B rows, so that each row's keys are read once for all of its states."""

    def __init__(self, states: Read) -> None:
        self.states = states
        self.used, row = torch.unique(states.rows, return_inverse=True)
        order = torch.argsort(row, stable=True)
        sizes = torch.bincount(row, minlength=len(self.used))
        firsts = torch.cumsum(sizes, 0) - sizes
        place = torch.empty_like(row)
        place[order] = torch.arange(len(row), device=row.device) - firsts[row[order]]
        self.widest = int(sizes.max())
        self.slot = row * self.widest + place  # (N) into B · widest
        self.longest = int(states.lengths.max())
        lengths = states.lengths.new_zeros(len(self.used) * self.widest)
        lengths[self.slot] = states.lengths
        columns = torch.arange(self.longest, device=row.device)
        self.hidden_columns = columns >= lengths[:, None]  # (B · widest, columns)

    def attend(self, q: Tensor, layer: int, own: Own) -> Tensor:
        """Attention (N, H, D) of queries (N, H, D) over the shared context and what each state has itself."""
        _, heads, head = q.shape
        rows = len(self.used)
        keys, values = self.states.cache.tensors[layer][:, self.used, :, : self.longest]  # (B, H, columns, D)
        q = q * head**-0.5
        laid = q.new_zeros(rows * self.widest, heads, head)
        laid[self.slot] = q
        laid = laid.view(rows, self.widest, heads, head).transpose(1, 2)  # (B, H, widest, D)
        scores = laid @ keys.transpose(2, 3)
        hidden = self.hidden_columns.view(rows, 1, self.widest, self.longest)
        scores = (
            scores.masked_fill(hidden, float("-inf")).transpose(1, 2).flatten(0, 1)[self.slot]
        )  # (N, H, columns)
        k, v = own.tensors[:, layer].unbind(1)  # (N, H, K, D)
        mine = (k @ q[..., None])[..., 0].masked_fill(~own.seen[:, None], float("-inf"))
        p = torch.softmax(torch.cat([scores, mine], 2), 2)
        shared = q.new_zeros(rows * self.widest, heads, self.longest)
        shared[self.slot] = p[:, :, : self.longest]
        shared = shared.view(rows, self.widest, heads, self.longest).transpose(1, 2)
        context = (shared @ values).transpose(1, 2).flatten(0, 1)[self.slot]  # (N, H, D)
        result: Tensor = context + (p[:, :, None, self.longest :] @ v)[:, :, 0]
        return result
