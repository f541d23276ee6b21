"""Functions that nobody calls, put together from a file's own parameters, statements and words.

def scale_width(factor, value): ...  and  limit = factor * 2  stand in the file
->  def scale_limit(value):
        other_limit = value * 2
        return other_limit
"""

from collections.abc import Sequence

from transformers_py.sites.new_names import FORBIDDEN, Dice
from transformers_py.sites.shapes import SELF, Shape, shapes
from transformers_py.sites.taken import Taken
from transformers_py.sites.vocabulary import literal, near_name, nouns, parameters, verbs
from transformers_py.source import Source, kept
from transformers_py.source.cpython import words
from transformers_py.source.scopes import NameScope

_GUARDS = ("if not {a}:", "if {a} is None:", "if not {a}:")
_PLAIN = ("{a} or {b}", "[{a}, {b}]", "{a}, {b}", "{b} if {a} is None else {a}")


@kept
def _usable(source: Source) -> dict[str, list[Shape]]:
    """Shapes for a function of its own, by kind: with no name in them that is a local variable somewhere."""
    local = source.scoping.local_names
    found: dict[str, list[Shape]] = {"assign": [], "return": []}
    for shape in shapes(source):
        if shape.kind in found and SELF.isdisjoint(shape.names) and local.isdisjoint(shape.kept):
            found[shape.kind].append(shape)
    return found


def function(source: Source, scope: NameScope, dice: Dice, taken: Taken) -> tuple[str, list[str]]:
    """(name and parameters, lines of the body) of a function; a line that starts with `>` is indented.

    It reads its parameters, its own variables and globals, and binds names that are new in the file.
    """
    usable = _usable(source)
    name = _name(source, scope, dice, taken)
    given = _parameters(source, scope, dice, taken)
    known = [*given]
    lines: list[str] = []
    for _ in range(dice.pick((0, 1, 1, 2))):
        text, target = _assignment(source, scope, usable["assign"], known, dice, taken)
        if text:
            lines.append(text)
            known.append(target)
    returns = [shape for shape in usable["return"] if not shape.tells(taken)]
    last = _filled(dice.pick(returns), known, "", dice) if returns else ""
    if not last or (lines and dice.random() < 0.5):
        plain = dice.pick(_PLAIN).format(a=known[-1], b=known[0])
        last = f"return {plain if len(known) == len(given) > 1 else known[-1]}"
    said = set(words(" ".join((*lines, last))))
    unsaid = [parameter for parameter in given if parameter not in said]
    if unsaid or dice.random() < 0.25:
        asked = unsaid[0] if unsaid else given[0]
        back = given[0] if dice.random() < 0.5 else literal(source, dice, taken)[1]
        lines = [dice.pick(_GUARDS).format(a=asked), f">return {back}", *lines]
        said |= {asked, back}
    head = ", ".join(parameter for parameter in given if parameter in said)
    return f"{name}({head})", [*lines, last]


def _parameters(source: Source, scope: NameScope, dice: Dice, taken: Taken) -> list[str]:
    """One to three different names of parameters, such as the file's functions have."""
    pool = [*parameters(source), *nouns(source, scope, taken)]
    found: list[str] = []
    for _ in range(12):
        name = dice.pick(pool)
        if name not in found and name not in FORBIDDEN and not taken.tells(name):
            found.append(name)
        if len(found) == 3 or (found and dice.random() < 0.5):
            break
    return found or ["value"]


def _name(source: Source, scope: NameScope, dice: Dice, taken: Taken) -> str:
    """A verb of the file's functions, and a word of the neighbourhood."""
    for _ in range(6):
        name = f"{dice.pick(verbs(source, taken))}_{dice.pick(nouns(source, scope, taken))}"
        if name not in taken and not taken.tells(name):
            return name
    return near_name(source, scope, dice, taken)


def _assignment(
    source: Source,
    scope: NameScope,
    pool: Sequence[Shape],
    known: list[str],
    dice: Dice,
    taken: Taken,
) -> tuple[str, str]:
    """(statement, the variable that it sets), both "" where none fits."""
    if not pool:
        return "", ""
    shape = dice.pick(pool)
    target = near_name(source, scope, dice, taken, "", shape.names[shape.bound.index(True)])
    if target in known or shape.tells(taken):
        return "", ""
    text = _filled(shape, known, target, dice)
    return (text, target) if text else ("", "")


def _filled(shape: Shape, known: list[str], target: str, dice: Dice) -> str:
    """A shape over known variables, each once, or "" where it reads more."""
    chosen: dict[str, str] = {}
    placed: list[str] = []
    for name, bound in zip(shape.names, shape.bound, strict=True):
        if not bound and name not in chosen:
            others = [other for other in known if other not in chosen.values()]
            if not others:
                return ""
            chosen[name] = name if name in others else dice.pick(others)
        placed.append(target if bound else chosen[name])
    return shape.with_names(placed)
