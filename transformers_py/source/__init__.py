r"""One analysis of a source text: parsed once, walked once for spans and scopes, then asked by every rewrite.

Source.analyse("x = f(a)\n").text_of(node)  ->  the exact characters of any node of the tree
"""

import ast
from collections.abc import Callable
from functools import cached_property, wraps
from typing import Any, TypeVar

from transformers_py.source.cpython import parse_quietly, undisturbed
from transformers_py.source.nodes import NodeTable
from transformers_py.source.scopes import NameScope, Scopes, find_scopes

_T = TypeVar("_T")
CountSubwords = Callable[[str], int]


class Source(NodeTable):
    """A text with the table of its nodes, and its scopes.

    What is expensive and not always needed is made when first asked for; what other modules make of a source
    they keep in it (`kept`).
    """

    def __init__(self, text: str, count_subwords: CountSubwords | None = None) -> None:
        super().__init__(text)
        self.made: dict[Callable[..., Any], Any] = {}
        """What modules above this one have made of the source, by the function that makes it."""
        self.count_subwords = count_subwords
        self.own_end = len(text)
        """Where the text ends of which sites are wanted, if others that use it stand behind it."""

    @classmethod
    def analyse(cls, text: str, count_subwords: CountSubwords | None = None) -> "Source":
        """Parse and walk the text. Raises Unparseable; a BOM at the start is kept and stepped over.

        `count_subwords` says how many subwords a name has, for new names of the style `keep_tokens`; without
        it, their parts have as many letters as those of the old names.
        """
        with undisturbed():
            source = cls(text, count_subwords)
            assert source.scopes
            return source

    @cached_property
    def scoping(self) -> Scopes:
        """Scopes, bindings and hazards."""
        return find_scopes(self)

    @property
    def scopes(self) -> list[NameScope]:
        """All scopes, the module's first, in the order of the text."""
        return self.scoping.scopes

    @cached_property
    def ast(self) -> ast.Module:
        """CPython's own tree of the text."""
        return parse_quietly(self.text.removeprefix("\ufeff"))


def kept(make: Callable[[Source], _T]) -> Callable[[Source], _T]:
    """A function of a source, whose result is made once and kept with the source."""

    @wraps(make)
    def get(source: Source) -> _T:
        made = source.made
        if make not in made:
            made[make] = make(source)
        found: _T = made[make]
        return found

    return get
