"""What people write in a comment above or behind a statement, in whole words of its own names.

self.default_timeout = 3  ->  set the default timeout        rows.append(row)  ->  append the row
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from transformers_py.sites.new_names import ADJECTIVES, NOUNS, Dice
from transformers_py.sites.taken import Taken, untold
from transformers_py.sites.vocabulary import VERBS, nouns, phrase, term_of, words_of
from transformers_py.source import Source, kept

_SAID = {
    "assign": (
        "set the {w}",
        "keep the {w}",
        "the {w} for later",
        "{w} as it is now",
        "start with the {w}",
        "the {w} to use",
        "needed below",
        "keep this for later",
    ),
    "augment": ("update the {w}", "add to the {w}", "adjust the {w}", "one step further"),
    "call": ("now the {w}", "this takes care of the {w}", "last step for the {w}", "the next step"),
    "verb": ("{v} the {w}", "{v} the {w} first", "now {v} the {w}"),
    "return": (
        "return the {w}",
        "ready with the {w}",
        "done with the {w}",
        "nothing left to do",
        "that is all",
    ),
    "raise": (
        "complain about the {w}",
        "no way to go on without the {w}",
        "can't handle the {w}",
        "give up here",
    ),
    "if": ("check the {w}", "special case for the {w}", "depends on the {w}", "corner case", "special case"),
    "for": (
        "go through the {w}",
        "loop over the {w}",
        "look at each {e}",
        "one {e} after the other",
        "one by one",
    ),
    "while": ("go on with the {w}", "repeat for the {w}", "check the {w} again", "repeat"),
    "with": ("use the {w} in here", "needs the {w}", "only in here"),
    "try": ("the {w} may fail", "try the {w} first", "careful with the {w}", "this may fail"),
    "function": ("handle the {w}", "helper for the {w}", "everything about the {w}", "helper"),
    "class": ("what is known about the {w}", "holds the {w}", "everything for the {w}", "helper class"),
    "import": ("for the {w}", "see the {w}", "needed below"),
    "other": ("about the {w}", "see the {w}", "for the {w}", "nothing else to do"),
}
"""`w` are the words of a name, `v` a function's verb, `e` what a loop calls each of its values."""
_MISLEADING = {
    "assign": (
        "no use of the {w} after this",
        "always empty at this point",
        "no change of the {w} from here on",
        "only a copy of the {w}",
        "reset to the default {w}",
    ),
    "augment": ("same {w} as before", "has no effect on the {w}", "undo the last change of the {w}"),
    "call": (
        "has no effect on the {w}",
        "only prints the {w}",
        "removes the {w} again",
        "does nothing by default",
    ),
    "verb": ("doesn't {v} the {w} yet", "never touches the {w}", "only prints the {w}"),
    "return": ("always returns None", "still the unsorted {w}", "never reached"),
    "raise": ("never reached", "ignore the {w} silently", "fall back to the default {w}"),
    "if": (
        "always true here",
        "the {w} can't be empty here",
        "skipped with the {w} at hand",
        "only for debugging",
    ),
    "for": (
        "runs exactly once",
        "backwards through the {w}",
        "stops at the first {e}",
        "skips every other {e}",
    ),
    "while": ("runs at most once", "counts down the {w}", "never entered without the {w}"),
    "with": ("keeps the {w} open", "opens the {w} for writing", "doesn't use the {w}"),
    "try": ("the {w} can't fail", "errors of the {w} are ignored", "retries the {w} three times"),
    "function": ("deletes the {w}", "not used any more", "only called in tests", "sorts the {w} in place"),
    "class": ("not used any more", "only holds constants", "immutable"),
    "import": ("not used any more", "only for the tests"),
    "other": ("not needed any more", "has no effect on the {w}"),
}
_LAST = "so far, so good"


@dataclass(frozen=True, slots=True)
class _Topic:
    """What a statement is about: the first that is there of these nouns is its object."""

    verb: str
    nouns: tuple[str, ...]
    each: str = ""


def comment(
    source: Source, node: cst.CSTNode, dice: Dice, taken: Taken, *, misleading: bool, own: bool = True
) -> str:
    """A phrase about a statement; `own`: with words of its names, if it has some, and else with none.

    It starts with a capital where the file's comments mostly do.
    """
    kind = _kind(node)
    topic = _topic(source, node, kind, taken) if own else _Topic("", ())
    said = _MISLEADING if misleading else _SAID
    forms = [form for form in said["verb" if topic.verb else kind] if "{e}" not in form or topic.each]
    plain = [form for form in forms if "{" not in form]

    def drawn() -> str:
        if not own:
            words = f"{dice.pick(ADJECTIVES)} {dice.pick(NOUNS)}"
        elif topic.nouns:
            words = dice.pick(topic.nouns)
        elif plain:
            return dice.pick(plain)
        else:
            words = phrase([dice.pick(nouns(source, source.scoping.of[source.index[id(node)]], taken))])
        return dice.pick(forms).format(w=words, v=topic.verb, e=topic.each)

    text = untold(drawn, taken)
    text = _LAST if taken.tells(text) else text
    return text[:1].upper() + text[1:] if _capitals(source) else text


def _topic(source: Source, node: cst.CSTNode, kind: str, taken: Taken) -> _Topic:
    """The verb of what is called or defined, and nouns: those of its own name, of what it is given, and else
    of what it belongs to; for other statements nouns of the names that stand in it."""
    part: cst.CSTNode = node.body[0] if isinstance(node, cst.SimpleStatementLine) else node
    if isinstance(part, cst.ClassDef):
        return _Topic("", _said([part.name.value], taken))
    if isinstance(part, cst.FunctionDef):
        given = [param.name.value for param in part.params.params]
        scope = source.scoping.of[source.index[id(node)]]
        class_name = getattr(source.nodes[scope.node], "name", None) if scope.kind == "class" else None
        around = [class_name.value] if isinstance(class_name, cst.Name) else []
        return _done(part.name.value, [given, around], taken)
    if isinstance(part, cst.Expr):
        call = part.value.expression if isinstance(part.value, cst.Await) else part.value
        if isinstance(call, cst.Call):
            given = [name for arg in call.args for name in _names(source, arg.value)]
            of = _names(source, call.func.value) if isinstance(call.func, cst.Attribute) else ()
            return _done(_called(call), [given, [*of][::-1]], taken)
    names = list(_names(source, _head(part), imports=kind == "import"))
    if kind in ("assign", "augment"):  # self.rows = x: rows
        names.reverse()
    each = _said(_names(source, part.target), taken) if isinstance(part, cst.For) else ()
    return _Topic("", _said(names, taken)[:2], each[0] if each else "")


def _done(name: str, objects: Sequence[Sequence[str]], taken: Taken) -> _Topic:
    """What a function does, by its name or to the first of the objects that have a noun: what it is given and
    what it belongs to. Without a verb it is about the latter."""
    found = words_of(name)
    verb = found[0] if found and found[0] in VERBS and found[0] not in taken.hidden else ""
    rest = _said(["_".join(found[1:])] if verb else [name], taken)
    told = (nouns for names in (objects if verb else objects[1:]) if (nouns := _said(names, taken)))
    found_nouns = rest or next(told, ())[:1]
    return _Topic(verb if found_nouns else "", found_nouns)


def _said(names: Iterable[str], taken: Taken) -> tuple[str, ...]:
    """The terms of names, each once, at most three words of them, as they are spelt out in a sentence."""
    terms = (term_of(name)[-3:] for name in names if name not in taken.hidden)
    return tuple(dict.fromkeys(phrase(term) for term in terms if term and taken.hidden.isdisjoint(term)))


def _called(call: cst.Call) -> str:
    function = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    return function.value if isinstance(function, cst.Name) else ""


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


def _names(source: Source, node: cst.CSTNode, *, imports: bool = False) -> Iterator[str]:
    """Names below a node, or its own, that may stand for a thing: not those of functions that are called, of
    keywords, or (but for `imports`) of what is imported."""
    first = source.index[id(node)]
    top = source.scopes[0].bindings
    for i in range(first, source.lasts[first]):
        inner = source.nodes[i]
        if not isinstance(inner, cst.Name) or _is_called(source, i):
            continue
        binding = top.get(inner.value)
        if binding is None or not binding.kinds & {"import", "import_as"} or imports:
            yield inner.value


def _is_called(source: Source, i: int) -> bool:
    """Whether a name is that of a function that is called, or of a keyword; classes count as things."""
    node, parent = source.nodes[i], source.nodes[source.parents[i]]
    assert isinstance(node, cst.Name)
    if isinstance(parent, cst.Arg):
        return parent.keyword is node
    if isinstance(parent, cst.Attribute) and parent.attr is node:
        above = source.nodes[source.parents[source.parents[i]]]
        return isinstance(above, cst.Call) and above.func is parent
    return isinstance(parent, cst.Call) and parent.func is node and node.value[:1].islower()


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
