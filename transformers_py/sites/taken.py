"""Words that inserted text may not have: names of the text, and what would tell what was renamed.

largest = seed + 1, with `largest` to be renamed  ->  no `largest_copy = 1`, no `# keep the largest`
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from transformers_py.sites.name_parts import parts
from transformers_py.source import Source
from transformers_py.source.cpython import words
from transformers_py.source.edits import Edit
from transformers_py.source.scopes import NameScope

_SHORTEST = 3
"""Letters of a word that says something."""
NOTHING: frozenset[str] = frozenset()


class Taken(set[str]):
    """Names that no new name may be.

    `hidden` are old names, and their sub-tokens that are in no other name of the text; `renamed` are the
    (scope, name) that may have new names: inserted code may read them, since it follows.
    """

    def __init__(
        self,
        names: Iterable[str] = (),
        hidden: frozenset[str] = NOTHING,
        renamed: frozenset[tuple[int, str]] = frozenset(),
    ) -> None:
        super().__init__(names)
        self.hidden = hidden
        self.renamed = renamed

    def tells(self, text: str) -> bool:
        """Whether a text says a hidden word."""
        return bool(self.hidden) and not self.hidden.isdisjoint(said(text))

    def may_read(self, scope: NameScope, name: str) -> bool:
        """Whether inserted code in a scope may read a name of the original: not if it is hidden and stays."""
        if name not in self.hidden:
            return True
        binding = scope.resolved.get(name)
        return (binding.scope.index if binding else 0, name) in self.renamed


def untold(draw: Callable[[], str], taken: Taken) -> str:
    """A drawn text that tells nothing, or the last of some."""
    text = draw()
    for _ in range(20):
        if not taken.tells(text):
            break
        text = draw()
    return text


@lru_cache(maxsize=4096)
def said(text: str) -> frozenset[str]:
    """The words of a text, and the sub-tokens of its words in lower case."""
    found = words(text)
    return frozenset([*found, *(part.lower() for word in found for part in parts(word))])


def hidden_words(source: Source, edits: Sequence[Edit]) -> frozenset[str]:
    """The names that edits replace, and their sub-tokens that no other name has, of three letters or more.

    A name is another one where it is spelt in a place that no edit replaces.
    """
    places = {edit.start for edit in edits}
    old = {word for edit in edits for word in words(source.text[edit.start : edit.end])}
    left: set[str] = set()
    for scope in source.scopes:
        left |= scope.words
        spelt = [*scope.uses.items(), *((name, bound.names) for name, bound in scope.bindings.items())]
        left |= {
            name
            for name, nodes in spelt
            if name not in old or any(source.inner_starts[i] not in places for i in nodes)
        }
    kept = {part.lower() for name in left for part in parts(name)}
    apart = {part.lower() for name in old for part in parts(name)} - kept
    return frozenset(word for word in old | apart if len(word) >= _SHORTEST)
