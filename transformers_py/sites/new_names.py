"""Makers of new names: readable, random, numbered, as long as the old one, or a form of it (styles/).

pseudo: total_count -> merged_index    random: total -> qkzvhw    generic: total -> var_1
"""

import builtins
import keyword
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from struct import Struct
from typing import Literal, Protocol, TypeVar, get_args

from transformers_py.sites import styles
from transformers_py.sites.name_parts import parts
from transformers_py.sites.taken import Taken
from transformers_py.source import CountSubwords

_T = TypeVar("_T")

ADJECTIVES = """
    active actual base best cached checked clean closed common current deep default direct done double
    early empty exact extra fast final first fixed free fresh full global good inner joined known large
    last late left local long lower main major masked max merged min minor mixed new next nested old
    open outer parsed partial plain prior public quick rare raw ready real recent right rough round safe
    same second sent short shown simple single small sorted source split stable strict strong target
    third tiny top total true unique upper used valid weak whole wide working
""".split()  # noqa: SIM905
NOUNS = """
    amount area array batch bit block body bound box branch buffer bucket bytes case cell chain change
    char check chunk code column content context copy core corner count cursor data date day delta depth
    detail digit draft edge element entry event factor field file flag frame gap graph group guess head
    height hint index info input item join key kind label layer leaf length level limit line link list
    load lock map mark mask match member message method mode model name node note number object offset
    option order output owner packet page pair part path pattern phase piece place plan point pool port
    prefix price query queue range rank rate ratio reason record region result role root route row rule
    sample scale scan scope score seed segment set shape share shift side sign size slice slot source
    space span stage state status step stop store stream string sum symbol table tag task term text tick
    time token total trace track tree type unit update user value vector version view weight width
    window word work zone
""".split()  # noqa: SIM905
LETTERS = "abcdefghijklmnopqrstuvwxyz"
KEEP_TOKENS = "keep_tokens"
"""The style of names that have as many subwords as the old ones."""
KEEP_TOKENS_VERSION = 9
"""Raised whenever other names of this style are drawn; since 9 a grid's tokenizer counts their subwords."""
FORBIDDEN = frozenset([*dir(builtins), *keyword.kwlist, *keyword.softkwlist, "self", "cls"])

_EIGHT = Struct(">8I")
Style = Literal["pseudo", "random", "generic", "numbered", "swap", "keep_tokens", styles.Derived]
"""What the renaming rewrites offer; `swap` makes no names, but lets those there are exchange their places."""
STEMS = ("var", "arg", "func")
_DERIVED = frozenset(get_args(styles.Derived))
_CANDIDATES = 60


class Randomness(Protocol):
    """What names are drawn from: `random.Random` (only its `random()` is stable) or `Dice`."""

    def random(self) -> float: ...


class Dice:
    """A short stream of random numbers from a text, ten times as cheap to start as `random.Random`."""

    def __init__(self, name: str) -> None:
        self._state = sha256(name.encode())
        self._drawn: list[int] = []

    def random(self) -> float:
        """A number from 0 to below 1."""
        if not self._drawn:
            self._drawn = [*_EIGHT.unpack(self._state.digest())]
            self._drawn.reverse()
            self._state.update(b"+")
        return self._drawn.pop() / 2**32

    def pick(self, choices: Sequence[_T]) -> _T:
        """One of the choices."""
        return choices[int(self.random() * len(choices))]

    def pick_other(self, choices: Sequence[_T], first: _T) -> _T:
        """One of the choices, which are all different, but not `first` if there is another."""
        number = int(self.random() * max(len(choices) - 1, 1))
        return choices[number + (len(choices) > 1 and number >= choices.index(first))]


class NewNames:
    """Draws new names that are in no text of `taken`, in builtins or among the keywords, and never twice.

    None of them tells what `taken` hides.
    """

    def __init__(
        self, rng: Randomness, taken: Collection[str], count_subwords: CountSubwords | None = None
    ) -> None:
        self._random = rng.random
        self._taken = taken
        self._hidden = taken if isinstance(taken, Taken) and taken.hidden else None
        self._given: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._count = count_subwords
        self._fits: Callable[[str], bool] = _anywhere

    def draw(
        self, style: str, old: str, generic: str = "var", fits: Callable[[str], bool] | None = None
    ) -> str:
        """A new name for `old` in any style but `swap`, one that `fits`; "" where none was found."""
        self._fits = fits or _anywhere
        if style in _DERIVED:
            candidates = styles.lookup(style).candidates(old, self._random)
            return next((name for name in islice(candidates, _CANDIDATES) if self._take(name)), "")
        if style == "numbered":
            return self.numbered(old, generic)
        if style == "generic":
            return self.generic(old, generic)
        if style == "random":
            return self.random(old)
        if style == KEEP_TOKENS:
            return self.keep_tokens(old)
        assert style == "pseudo", f"unknown style {style}"
        return self.pseudo(old)

    def pseudo(self, old: str) -> str:
        """One to three English words in the style of `old`: its case, its privacy, about its length."""
        private = "_" if old.startswith("_") else ""
        words = _count_words(old)
        for attempt in range(1000):
            chosen = [self._pick(ADJECTIVES) for _ in range(words - 1)] + [self._pick(NOUNS)]
            if attempt >= 8:
                chosen.insert(0, self._pick(ADJECTIVES))
            name = private + in_style(chosen, old)
            if self._take(name):
                return name
        return self.generic(old, "value")

    def random(self, old: str, shortest: int = 6) -> str:
        """Lower-case letters, as many as `old` has and at least `shortest`; privacy is kept."""
        private = "_" if old.startswith("_") else ""
        length = max(shortest, len(old) - len(private))
        for _ in range(1000):
            name = private + "".join(self._pick(LETTERS) for _ in range(length))
            if self._take(name):
                return name
        return ""

    def generic(self, old: str, stem: str) -> str:
        """`stem_1`, `stem_2`, ...: the next number that is free; "" if it doesn't fit."""
        private = "_" if old.startswith("_") else ""
        number = self._numbers.get(stem, 0)
        while True:
            number += 1
            name = f"{private}{stem}_{number}"
            if not self._fits(name):
                return ""
            if self._take(name):
                self._numbers[stem] = number
                return name

    def numbered(self, old: str, stem: str) -> str:
        """`arg_1`, `var_2`, `func_3`, ...: one numbering for all names of a text, as AdvTest's."""
        private = "_" if old.startswith("_") else ""
        number = self._numbers.get("", 0)
        while True:
            number += 1
            name = f"{private}{stem}_{number}"
            if not self._fits(name):
                return ""
            used = (f"{start}{other}_{number}" for other in STEMS for start in ("", "_"))
            if not any(name in self._taken or name in self._given for name in used) and self._take(name):
                self._numbers[""] = number
                return name

    def keep_tokens(self, old: str) -> str:
        """A name with as many subwords as `old`, or "" when none of 200 candidates has exactly that number.

        Without `count_subwords`, one whose parts have the lengths and cases of those of `old`.
        """
        if self._count is None:
            return self._same_shape(old)
        wanted = self._count(old)
        for attempt in range(200):
            name = self._by_words(old) if attempt % 2 == 0 else self._shape(old)
            if self._count(name) == wanted and self._take(name):
                return name
        return ""

    def _by_words(self, old: str) -> str:
        words = max(1, sum(1 for part in parts(old) if part[0].isalpha()))
        chosen = [self._pick(ADJECTIVES) for _ in range(words - 1)] + [self._pick(NOUNS)]
        return ("_" if old.startswith("_") else "") + in_style(chosen, old)

    def _same_shape(self, old: str) -> str:
        for _ in range(60):
            name = self._shape(old)
            if self._take(name):
                return name
        return ""

    def _shape(self, old: str) -> str:
        """Each letter part of `old` replaced by a word of its length (or letters), its case kept."""
        out: list[str] = []
        for part in parts(old):
            if not part[0].isalpha():
                out.append(part)
                continue
            same = _BY_LENGTH.get(len(part))
            word = self._pick(same) if same else "".join(self._pick(LETTERS) for _ in part)
            out.append(word.upper() if part.isupper() else word.capitalize() if part[0].isupper() else word)
        return "".join(out)

    def _pick(self, choices: list[str] | str) -> str:
        return choices[int(self._random() * len(choices))]

    def _take(self, name: str) -> bool:
        if name in self._taken or name in self._given or name in FORBIDDEN or not name.isidentifier():
            return False
        if name.startswith("__") or not self._fits(name):
            return False
        if self._hidden is not None and self._hidden.tells(name):
            return False
        self._given.add(name)
        return True


def _anywhere(name: str) -> bool:
    return True


@lru_cache(maxsize=4096)
def _count_words(old: str) -> int:
    return max(1, min(3, sum(1 for part in parts(old) if part[0].isalpha())))


def in_style(words: list[str], old: str) -> str:
    """Words put together as the words of an old name are: snake_case, camelCase, CamelCase or CAPITALS."""
    body = old.strip("_")
    if len(body) > 1 and body.isupper():
        return "_".join(words).upper()
    if "_" not in body and not body.islower() and body[:1].islower():
        return words[0] + "".join(word.capitalize() for word in words[1:])
    if body[:1].isupper() and not body.isupper():
        return "".join(word.capitalize() for word in words)
    return "_".join(words)


def _by_length() -> dict[int, list[str]]:
    lengths: dict[int, list[str]] = {}
    for word in sorted({*ADJECTIVES, *NOUNS}):
        lengths.setdefault(len(word), []).append(word)
    return {length: words for length, words in lengths.items() if len(words) >= 8}


_BY_LENGTH = _by_length()
