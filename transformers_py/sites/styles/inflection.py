"""Another form of a word, as ReCode's: items -> item, count -> counted, filter_rows -> filtering_rows."""

from collections.abc import Iterator

from transformers_py.sites.name_parts import Roll, with_other_words

_IRREGULAR = {
    "child": "children",
    "index": "indices",
    "vertex": "vertices",
    "matrix": "matrices",
    "datum": "data",
    "man": "men",
    "person": "people",
    "foot": "feet",
    "find": "found",
    "make": "made",
    "get": "got",
    "take": "taken",
    "give": "given",
    "keep": "kept",
    "build": "built",
    "send": "sent",
    "read": "reading",
    "write": "written",
    "split": "splitting",
    "cut": "cutting",
    "run": "running",
    "begin": "begun",
    "choose": "chosen",
    "is": "was",
    "has": "had",
    "do": "done",
}
_BACK = {form: word for word, form in _IRREGULAR.items()}
_VOWELS = "aeiou"
_DOUBLING = frozenset("set get put map pop sum cut fit tag log dim max min bit pin tab sub top".split())  # noqa: SIM905


def candidates(old: str, roll: Roll) -> Iterator[str]:
    """One word of the name in another form; words of one or two letters have none."""
    return with_other_words(old, forms, roll)


def forms(word: str) -> list[str]:
    """Other forms of a small word: plural or singular, -ed, -ing, or an irregular one of the table."""
    irregular = [table[word] for table in (_IRREGULAR, _BACK) if word in table]
    if irregular or len(word) < 3:
        return irregular
    if word.endswith("ing") or (word.endswith("ed") and word[-3] not in _VOWELS):
        stem = word.removesuffix("ing").removesuffix("ed")
        return [f"{stem}s"] if len(stem) > 2 else []
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return [_singular(word)]
    return [_plural(word), _stem(word, "ed"), _stem(word, "ing")]


def _plural(word: str) -> str:
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return f"{word}es"
    if word.endswith("y") and word[-2] not in _VOWELS:
        return f"{word[:-1]}ies"
    return f"{word}s"


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith(("sses", "xes", "zes", "ches", "shes")) else word[:-1]


def _stem(word: str, ending: str) -> str:
    if word.endswith("e"):
        return word + ending[1:] if ending == "ed" else word[:-1] + ending
    if word.endswith("y") and word[-2] not in _VOWELS and ending == "ed":
        return f"{word[:-1]}ied"
    return word + (word[-1] if word in _DOUBLING else "") + ending
