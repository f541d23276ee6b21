"""A program and the texts that use it, renamed together by one map: a problem's solution and its tests.

def add(a): return a       assert add(a=1) == 1
    ->
def merge(b): return b     assert merge(b=1) == 1       {"add": "merge"}

All of them are one module, as a benchmark's harness runs them: first the program, then those that use it, in
the program's own names. They are analysed, checked for collisions and proved as that module; sites are those
of the program alone, and nothing but names changes in the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import accumulate

from transformers_py.engine import Request, Rewritten, emit
from transformers_py.source import CountSubwords, Source
from transformers_py.source.cpython import compiled
from transformers_py.source.edits import Edit, splice


@dataclass(frozen=True, slots=True)
class TogetherSource:
    """The analysed module of a program and its users, and the texts that it was made of."""

    source: Source
    program: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """A rewritten program, the texts that use it under its new names, and the map of the module's names.

    `program` is as `emit` gives it for a text; `names` has each name of the module that has a new one: an
    entry point is `names.get(entry_point, entry_point)`.
    """

    program: Rewritten
    users: tuple[str, ...]
    names: dict[str, str]


def rewrite_together(
    program: str,
    users: Sequence[str],
    rewrites: Sequence[Request],
    *,
    rate: float | None = None,
    count: int | None = None,
    seed: int,
    count_subwords: CountSubwords | None = None,
) -> Together:
    """Rewrite a program, and rename what is renamed in it in its users, too; arguments as `rewrite`."""
    key = sha256(program.encode("utf-8", "surrogatepass")).hexdigest()
    together = analyse_together(program, users, count_subwords)
    return emit_together(together, rewrites, rate=rate, count=count, seed=seed, key=key)


def analyse_together(
    program: str, users: Sequence[str], count_subwords: CountSubwords | None = None
) -> TogetherSource:
    """Analyse a program with the texts that use it.

    Raises Unparseable unless each of them compiles by itself, and all of them as one module.
    """
    for text in (program.removeprefix("\ufeff"), *users):
        compiled(text)
    source = Source.analyse("\n".join((program, *users)), count_subwords)
    source.own_end = len(program)
    return TogetherSource(source, program, tuple(users))


def emit_together(
    together: TogetherSource,
    rewrites: Sequence[Request],
    *,
    rate: float | None = None,
    count: int | None = None,
    seed: int,
    key: str = "",
) -> Together:
    """One variant of a program and of the texts that use it; arguments as `emit`."""
    source, program = together.source, together.program
    done = emit(source, rewrites, rate=rate, count=count, seed=seed, key=key)
    ends = list(accumulate(map(len, (program, *together.users)), lambda before, size: before + 1 + size))
    starts = [0, *(end + 1 for end in ends)]
    shares: list[list[Edit]] = [[] for _ in ends]
    for edit in done.edits:
        number = next(i for i, end in enumerate(ends) if edit.start <= end)
        shares[number].append(Edit(edit.start - starts[number], edit.end - starts[number], edit.text))
    own, *others = shares
    text = splice(program, own)
    users = tuple(splice(user, edits) for user, edits in zip(together.users, others, strict=True))
    assert done.text == "\n".join((text, *users)), "the parts are not the whole"
    return Together(replace(done, original=program, text=text, edits=tuple(own)), users, _names(source, done))


def _names(source: Source, done: Rewritten) -> dict[str, str]:
    """Old and new names of what the module binds."""
    new = {edit.start: edit.text for edit in done.edits if edit.end > edit.start}
    bound = source.scopes[0].bindings.values()
    places = {binding.name: source.inner_starts[binding.names[0]] for binding in bound if binding.names}
    return {name: new[place] for name, place in places.items() if place in new}
