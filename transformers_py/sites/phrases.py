"""What people write in a comment above or behind a statement, in whole words of its own names.

self.default_timeout = 3  ->  set the default timeout        for row in rows:  ->  go through the rows
"""

from collections.abc import Iterator

import libcst as cst

from transformers_py.sites.new_names import ADJECTIVES, NOUNS, Dice
from transformers_py.sites.vocabulary import VERBS, nouns, phrase, words_of
from transformers_py.source import Source, kept

_SAID = {
    "assign": (
        "set the {w}",
        "keep the {w}",
        "the {w} for later",
        "{w} as it is now",
        "start with this {w}",
        "the {w} to use",
        "needed below",
    ),
    "augment": ("update the {w}", "add to the {w}", "adjust the {w}", "one step further"),
    "call": ("now the {w}", "this takes care of the {w}", "make sure of the {w}", "last step for the {w}"),
    "verb": ("{v} the {w}", "{v} the {w} first", "now {v} the {w}"),
    "return": (
        "return the {w}",
        "ready with the {w}",
        "done with the {w}",
        "give back the {w}",
        "nothing left to do",
    ),
    "raise": (
        "complain about the {w}",
        "no way to go on without the {w}",
        "can't handle this {w}",
        "give up here",
    ),
    "if": (
        "check the {w}",
        "only if there is a {w}",
        "special case for the {w}",
        "depends on the {w}",
        "corner case",
    ),
    "for": ("go through the {w}", "look at each {w}", "loop over the {w}", "one {w} after the other"),
    "while": ("as long as the {w} allows", "repeat until the {w} is done", "go on with the {w}"),
    "with": ("only while the {w} is open", "use the {w} in here", "the {w} is closed again afterwards"),
    "try": ("the {w} may fail", "try the {w} first", "careful with the {w}"),
    "function": ("handle the {w}", "helper for the {w}", "everything about the {w}", "deals with the {w}"),
    "class": ("what is known about the {w}", "holds the {w}", "everything for the {w}"),
    "import": ("for the {w}", "only the {w} is needed", "see the {w}"),
    "other": ("about the {w}", "see the {w}", "for the {w}"),
}
"""`w` are the words of a name, `v` the verb that a function's name starts with."""
_MISLEADING = {
    "assign": (
        "the {w} isn't used after this",
        "always empty at this point",
        "the {w} never changes",
        "only a copy of the {w}",
        "reset to the default {w}",
    ),
    "augment": ("the {w} stays the same", "has no effect on the {w}", "undo the last change of the {w}"),
    "call": (
        "has no effect on the {w}",
        "only prints the {w}",
        "removes the {w} again",
        "does nothing by default",
    ),
    "verb": ("doesn't {v} the {w} yet", "never touches the {w}", "only prints the {w}"),
    "return": (
        "always returns None",
        "the {w} is still unsorted here",
        "returns an empty {w}",
        "never reached",
    ),
    "raise": ("never reached", "ignore the {w} silently", "fall back to the default {w}"),
    "if": (
        "always true here",
        "the {w} can't be empty here",
        "skipped when there is a {w}",
        "only for debugging",
    ),
    "for": (
        "runs exactly once",
        "backwards through the {w}",
        "stops at the first {w}",
        "skips every other {w}",
    ),
    "while": ("runs at most once", "counts down the {w}", "never entered with an empty {w}"),
    "with": ("the {w} stays open", "opens the {w} for writing", "doesn't use the {w}"),
    "try": ("the {w} can't fail", "errors of the {w} are ignored", "retries the {w} three times"),
    "function": ("deletes the {w}", "not used any more", "only called in tests", "sorts the {w} in place"),
    "class": ("not used any more", "only holds constants", "immutable"),
    "import": ("not used any more", "only for the tests"),
    "other": ("not needed any more", "has no effect on the {w}"),
}


def comment(source: Source, node: cst.CSTNode, dice: Dice, *, misleading: bool, own: bool = True) -> str:
    """A phrase about a statement; `own`: with words of its names, or at least of its function.

    It starts with a capital where the file's comments mostly do.
    """
    kind = _kind(node)
    names = [name for name in _names(source, node, kind) if words_of(name)] if own else []
    names = [name for name in names if words_of(name)[0] not in VERBS or len(words_of(name)) > 1] or names
    verb = ""
    if names:
        found = words_of(dice.pick(names[:2]))
        if kind in ("call", "function") and len(found) > 1 and found[0] in VERBS:
            verb, found = found[0], found[1:]
        words = phrase(found[-3:])
    elif own:
        words = phrase([dice.pick(nouns(source, source.scoping.of[source.index[id(node)]]))])
    else:
        words = f"{dice.pick(ADJECTIVES)} {dice.pick(NOUNS)}"
    said = _MISLEADING if misleading else _SAID
    forms = said["verb" if verb else kind]
    text = dice.pick(forms).format(w=words, v=verb)
    return text[:1].upper() + text[1:] if _capitals(source) else text


def _kind(node: cst.CSTNode) -> str:
    if isinstance(node, cst.SimpleStatementLine):
        small = node.body[0]
        if isinstance(small, cst.Expr):
            return "call" if isinstance(small.value, (cst.Call, cst.Await)) else "other"
        return _SMALL.get(small.__class__, "other")
    return _COMPOUND.get(node.__class__, "other")


_SMALL: dict[type, str] = {
    cst.Assign: "assign",
    cst.AnnAssign: "assign",
    cst.AugAssign: "augment",
    cst.Return: "return",
    cst.Raise: "raise",
    cst.Import: "import",
    cst.ImportFrom: "import",
}
_COMPOUND: dict[type, str] = {
    cst.If: "if",
    cst.For: "for",
    cst.While: "while",
    cst.With: "with",
    cst.Try: "try",
    cst.TryStar: "try",
    cst.FunctionDef: "function",
    cst.ClassDef: "class",
}


def _names(source: Source, node: cst.CSTNode, kind: str) -> Iterator[str]:
    """Names of a statement: what it is about first, then the others of its head."""
    part: cst.CSTNode = node.body[0] if isinstance(node, cst.SimpleStatementLine) else node
    if isinstance(part, (cst.FunctionDef, cst.ClassDef)):
        yield part.name.value
        return
    first = source.index[id(_head(part))]
    top = source.scopes[0].bindings
    found: list[str] = []
    for inner in source.nodes[first : source.lasts[first]]:
        if isinstance(inner, cst.Name):
            binding = top.get(inner.value)
            if binding is None or not binding.kinds & {"import", "import_as"} or kind == "import":
                found.append(inner.value)
    yield from found[::-1] if kind in ("assign", "augment") else found  # self.rows = x: rows


def _head(part: cst.CSTNode) -> cst.CSTNode:
    """The part of a statement that says what it is about."""
    if isinstance(part, cst.Assign):
        return part.targets[0]
    if isinstance(part, (cst.AnnAssign, cst.AugAssign)):
        return part.target
    if isinstance(part, cst.For):
        return part.iter
    if isinstance(part, (cst.If, cst.While)):
        return part.test
    if isinstance(part, cst.With):
        return part.items[0]
    if isinstance(part, (cst.Try, cst.TryStar)):
        return part.body.body[0]
    return part.subject if isinstance(part, cst.Match) else part


@kept
def _capitals(source: Source) -> bool:
    """Whether the comments of a file mostly start with a capital letter."""
    starts = [line.split("#", 1)[1].lstrip("#! ")[:1] for line in source.text.splitlines() if "#" in line]
    return 2 * sum(start.isupper() for start in starts) > sum(start.isalpha() for start in starts)
