"""The words, literals and habits of a file: what new names, values and comments are made of.

default_timeout, parseItems, __init__, i18n  ->  default · timeout · parse · items
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import libcst as cst

from transformers_py.sites.name_parts import parts
from transformers_py.sites.new_names import FORBIDDEN, NOUNS, Dice, NewNames, in_style
from transformers_py.sites.taken import Taken, untold
from transformers_py.source import Source, kept
from transformers_py.source.scopes import NameScope

_SHORT = frozenset(["db", "id", "io", "ip", "os", "ui"])
_NO_NOUNS = frozenset(
    """
    and are args arg can cls did does for from has init into kwargs kwds main new not obj off old self
    set str that the then this tmp use was with without
    """.split()  # noqa: SIM905
)
_FLAGS = frozenset(
    ["has", "can", "should", "use", "allow", "needs", "was", "did", "does", "will", "not", "want"]
)
_NOUNS_TOO = frozenset(
    """
    call change check copy count dump filter format handle list load map mark match measure process
    record release report search start store switch test update
    """.split()  # noqa: SIM905
)
"""Verbs that are nouns in the place of one."""
_QUALITIES = frozenset(
    """
    abs absolute active actual again alive all also always any argv automatic available back basic bad
    before being below best better big binary blocking both broken busy built chosen clean clear closed common
    constant correct current dead deep dict different direct dirty done double down dry each early
    either eager else empty enough even every exact existing external extra false far fast few final
    first fixed following found free fresh full generic given global gone good great greedy half hard
    held here hidden high how ignore identical idle incoming inner input inside internal int invalid
    just kept known large last late lazy least leading left less light local long lost loose low lower
    made main major many max min minor missing mixed more most much negative neither never new next nil
    nested non none nothing now null odd old once only open optional other out outer outgoing over own
    partial pending per plain positive pre pretty previous prior private proper public pure quick quiet
    quit random rare raw ready real recent recursive relative relevant remaining required reverse right
    rough round running safe same second secure seen sensitive sent short shown silent similar simple
    single slow small smart soft some soon special specific stable stale static still strict strong such
    sure third tiny tmp too top trailing true typical unique unknown until upper used useful usual valid
    various verbose very via weak well what when where which while who whole whose why wide wild wise
    working worse worst written wrong yes yet
    """.split()  # noqa: SIM905
)
"""Words that are no nouns, or say nothing as one."""
_ED = frozenset(["embed", "feed", "need", "seed", "shed", "speed"])
_LIKE_ADJECTIVES = frozenset(
    """
    alternative anomaly archive assembly callable cable directive drive executable family iterable
    native objective primitive reply supply table variable
    """.split()  # noqa: SIM905
)
_ENOUGH = 5
_MOST = 1000
"""So many names and literals of a file are looked at, since more say nothing new."""
_FORMS = {
    "int": ("{a}_count", "max_{a}", "{a}_size", "{a}_index", "min_{a}", "{a}_{b}", "{a}_limit"),
    "float": ("{a}_ratio", "{a}_scale", "{a}_weight", "{a}_time", "{a}_{b}"),
    "str": ("{a}_name", "{a}_text", "default_{a}", "{a}_prefix", "{a}_label", "{a}_{b}"),
    "bool": ("is_{a}", "has_{a}", "use_{a}", "{a}_done", "skip_{a}", "{a}_only"),
    "none": ("old_{a}", "last_{a}", "{a}_cache", "previous_{a}", "{a}_{b}"),
    "list": ("{a}_list", "{a}_items", "pending_{a}", "seen_{a}", "{a}_{b}"),
    "dict": ("{a}_map", "{a}_by_{b}", "{a}_options", "{a}_info"),
    "": ("new_{a}", "{a}_value", "{a}_{b}", "old_{a}", "other_{a}", "current_{a}", "{a}_copy"),
}
"""What people call a variable of a type, after what it has to do with."""
KINDS = tuple(kind for kind in _FORMS if kind)
_LITERALS: frozenset[type] = frozenset(
    [cst.Integer, cst.Float, cst.SimpleString, cst.Name, cst.List, cst.Dict]
)
_CONSTANTS = {"None": "none", "True": "bool", "False": "bool"}
_DEFAULTS = {
    "int": ("0", "1"),
    "float": ("0.0", "1.0"),
    "str": ('""',),
    "bool": ("False", "True"),
    "none": ("None",),
    "list": ("[]",),
    "dict": ("{}",),
}


@lru_cache(maxsize=16_384)
def words_of(name: str) -> tuple[str, ...]:
    """The whole words of a name, in lower case; none of names with digits, dunders, builtins, fragments."""
    if (
        name in FORBIDDEN
        or name.startswith("__")
        or not name.isascii()
        or not name.replace("_", "").isalpha()
    ):
        return ()
    found = tuple(part.lower() for part in parts(name) if part[0] != "_")
    return found if all(_is_word(word) for word in found) else ()


@lru_cache(maxsize=16_384)
def term_of(name: str) -> tuple[str, ...]:
    """What a name calls the thing that it stands for: a noun, and words before it. ("default", "timeout")

    Nothing of a name whose last word is none, or that says whether something is so (`has_rows`, `strict`).
    """
    found = words_of(name)
    if not found or found[0] in _FLAGS or not is_noun(found[-1]):
        return ()
    first = next(k for k, word in enumerate(found) if is_noun(word) or word not in _NO_MODIFIERS)
    return found[first:]


def is_noun(word: str) -> bool:
    """Whether a word may well be a noun, by lists and endings."""
    if word in _NO_NOUNS or (word in VERBS and word not in _NOUNS_TOO):
        return False
    if word.endswith("ed") and word not in _ED:
        return False
    if word.endswith(("able", "ible", "ful", "less", "ous", "ly", "ive")) and word not in _LIKE_ADJECTIVES:
        return False
    return word not in _QUALITIES


def _is_word(word: str) -> bool:
    return word in _SHORT or word in _FULL or (3 <= len(word) <= 14 and not set("aeiouy").isdisjoint(word))


@kept
def _nouns(source: Source) -> dict[tuple[int, frozenset[str]], list[str]]:
    """`nouns`, by scope and hidden words: those of the scopes that were asked for."""
    return {}


def nouns(source: Source, scope: NameScope, taken: Taken) -> list[str]:
    """At least five nouns of a scope's names: of variables, then attributes, then variables of all the file;
    where these are fewer, with some common ones."""
    known = _nouns(source)
    key = (scope.index, taken.hidden)
    if key not in known:
        found: dict[str, None] = {}
        for names in _tiers(source, scope):
            if len(found) < _ENOUGH:
                last = (term[-1] for name in names[:_MOST] if (term := term_of(name)))
                found |= dict.fromkeys(word for word in last if word not in taken.hidden)
        dice = Dice(" ".join(found))
        while len(found) < _ENOUGH:
            found[untold(lambda: dice.pick(NOUNS), taken)] = None
        known[key] = list(found)
    return known[key]


def _tiers(source: Source, scope: NameScope) -> Iterator[list[str]]:
    yield [name for name in scope.uses if name in scope.resolved and scope.resolved[name].scope.is_function]
    yield sorted(scope.words)
    yield _local_names(source)


@kept
def _local_names(source: Source) -> list[str]:
    """The local names of a file, in its order."""
    return [name for scope in source.scopes if scope.is_function for name in scope.bindings]


@kept
def literals(source: Source) -> dict[str, list[str]]:
    """The short literals of a file by kind, each as often as it stands there, in the order of the text."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    parents, nodes = source.parents, source.nodes
    for i, node in enumerate(nodes):
        if node.__class__ not in _LITERALS or (isinstance(node, cst.Name) and node.value not in _CONSTANTS):
            continue
        kind = "" if isinstance(nodes[parents[i]], (cst.Expr, cst.Annotation)) else _kind(node)
        if kind and len(found[kind]) < _MOST:
            found[kind].append(source.text[source.inner_starts[i] : source.inner_ends[i]])
    return found


def _kind(node: cst.CSTNode) -> str:
    if isinstance(node, cst.Integer):
        return "int" if len(node.value) <= 6 and node.value.isdigit() else ""
    if isinstance(node, cst.SimpleString):
        text = node.raw_value
        plain = not node.prefix and len(node.quote) == 1 and len(text) <= 24
        return "str" if plain and text.isascii() and text.isprintable() and "\\" not in text else ""
    if isinstance(node, cst.Name):
        return _CONSTANTS.get(node.value, "")
    if isinstance(node, cst.Float):
        return "float" if len(node.value) <= 6 else ""
    if isinstance(node, cst.List):
        return "" if node.elements or node.lpar else "list"
    return "dict" if isinstance(node, cst.Dict) and not (node.elements or node.lpar) else ""


def literal(source: Source, dice: Dice, taken: Taken, kind: str = "") -> tuple[str, str]:
    """(kind, text) of a literal such as the file has, of one kind if it is named."""
    own = literals(source)
    if not kind:
        sizes = [len(own[k]) + 2 for k in KINDS]
        at = dice.random() * sum(sizes)
        for k, size in zip(KINDS, sizes, strict=True):
            kind = k
            at -= size
            if at < 0:
                break
    value = dice.pick(own[kind] if own[kind] and dice.random() < 0.7 else _DEFAULTS[kind])
    return kind, dice.pick(_DEFAULTS[kind]) if taken.tells(value) else value


def near_name(
    source: Source, scope: NameScope, dice: Dice, taken: Taken, kind: str = "", stem: str = ""
) -> str:
    """A new name for a variable of a kind, recombined from the words of its neighbourhood.

    `stem` is a name that it should remind of.
    """
    near = nouns(source, scope, taken)
    style = _style(source, scope)
    own = [word for word in term_of(stem)[-1:] if word not in taken.hidden]
    for _ in range(12):
        first = dice.pick(own or near)
        second = dice.pick_other(near, first) if first in near else dice.pick(near)
        if first == second:
            continue
        name = dice.pick(_FORMS[kind]).format(a=first, b=second)
        name = in_style(name.split("_"), style)
        if name not in taken and name not in FORBIDDEN and not taken.tells(name):
            return name
    return NewNames(dice, taken).pseudo(style)


@kept
def _styles(source: Source) -> dict[int, str]:
    """`_style`, by scope: those of the scopes that were asked for."""
    return {}


def _style(source: Source, scope: NameScope) -> str:
    """A name in the way in which a scope, or its file, writes local names of several words."""
    known = _styles(source)
    if scope.index not in known:
        own = filter(_has_several_words, scope.bindings if scope.is_function else ())
        known[scope.index] = next(own, "") or _file_style(source)
    return known[scope.index]


@kept
def _file_style(source: Source) -> str:
    """`_style` where no name of the scope has several words."""
    return next(filter(_has_several_words, _local_names(source)), "old_name")


def _has_several_words(name: str) -> bool:
    return name[:1].islower() and ("_" in name.strip("_") or not name.islower())


@kept
def parameters(source: Source) -> list[str]:
    """The parameters of a file's functions that are whole words, as often as they stand there."""
    found = [
        name
        for scope in source.scopes
        if scope.kind == "function"
        for name, binding in scope.bindings.items()
        if "parameter" in binding.kinds and (words_of(name) or name in ("x", "y", "key", "value"))
    ]
    return [name for name in found if name not in FORBIDDEN and not name.startswith("_")][:_MOST]


def verbs(source: Source, taken: Taken) -> list[str]:
    """What the functions of a file do, by the first words of their names, or what functions do anywhere."""
    own = [verb for verb in _verbs(source) if verb not in taken.hidden]
    return own or [verb for verb in COMMON_VERBS if verb not in taken.hidden] or list(COMMON_VERBS)


@kept
def _verbs(source: Source) -> list[str]:
    """The first words of the functions of a file that are verbs."""
    names = (
        name
        for scope in source.scopes
        for name, binding in scope.bindings.items()
        if "function" in binding.kinds
    )
    return [found[0] for found in map(words_of, names) if len(found) > 1 and found[0] in VERBS]


def phrase(words: Sequence[str]) -> str:
    """Words as a person would write them in a sentence: abbreviations are spelt out."""
    return " ".join(_FULL.get(word, word) for word in words)


COMMON_VERBS = ("get", "make", "find", "check", "read", "update")
VERBS = frozenset(
    """
    add append apply assign build calculate call change check choose clean clear close collect compare
    compute connect convert copy count create delete describe draw dump emit encode ensure escape
    evaluate execute expand extract fetch fill filter find finish fix flush format generate get handle
    insert iterate join keep list load look make map mark match measure merge move normalize open parse
    pick pop prepare print process push put read receive record refresh register release remove rename
    render repeat replace report reset resolve restore return run save scan schedule search select send
    set setup show skip sort split start stop store strip switch take test trim update use validate
    verify visit wait walk wrap write
    """.split()  # noqa: SIM905
)
_NO_MODIFIERS = (_NO_NOUNS | VERBS) - _NOUNS_TOO
_FULL = {
    "attr": "attribute",
    "attrs": "attributes",
    "cfg": "config",
    "cmd": "command",
    "ctx": "context",
    "cur": "current",
    "def": "definition",
    "dest": "destination",
    "dir": "directory",
    "doc": "documentation",
    "elem": "element",
    "env": "environment",
    "err": "error",
    "exc": "exception",
    "expr": "expression",
    "func": "function",
    "idx": "index",
    "info": "information",
    "iter": "iterator",
    "len": "length",
    "num": "number",
    "param": "parameter",
    "params": "parameters",
    "pos": "position",
    "prev": "previous",
    "proc": "process",
    "prop": "property",
    "props": "properties",
    "ref": "reference",
    "req": "request",
    "res": "result",
    "resp": "response",
    "seq": "sequence",
    "spec": "specification",
    "temp": "temporary",
    "val": "value",
    "vals": "values",
    "var": "variable",
    "vars": "variables",
}
