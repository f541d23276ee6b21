"""Statements for code that never runs, in shapes of the file's own or of few forms over its names.

in `def f(items, limit): ...`:  total_count = items or limit
"""

from transformers_py.sites import shapes
from transformers_py.sites.new_names import FORBIDDEN, Dice, NewNames
from transformers_py.sites.taken import Taken
from transformers_py.source import Source, kept
from transformers_py.source.edits import NAMED, Site
from transformers_py.source.scopes import DYNAMIC, NameScope

_UNUSABLE = (DYNAMIC | FORBIDDEN | {"_"}) - {"self"}


def dead_statement(source: Source, site: Site, body: str, dice: Dice, taken: Taken) -> str:
    """The statement of a site: "near" the file's own, "plausible" or "pass"."""
    scope = source.scopes[site.scope]
    if body == "near":
        return shapes.statement(source, scope, site.start, dice, taken)
    return "pass" if body == "pass" else plausible(source, scope, dice, taken)


def plausible(source: Source, scope: NameScope, dice: Dice, taken: Taken) -> str:
    """One short simple statement; it binds at most one name, which isn't in `taken`."""
    usable = _usable_names(source)
    known = usable.get(scope.index)
    if known is None:
        known = usable[scope.index] = [name for name in scope.uses if _is_usable(scope, name)]
    known = [name for name in known if taken.may_read(scope, name)] if taken.hidden else known
    new = NewNames(dice, taken).pseudo(_local_style(dice.pick(known)) if known else "value")
    if not known:
        return f"{new} = {int(dice.random() * 100)}"
    first = dice.pick(known)
    second = f"{NAMED}{dice.pick_other(known, first)}{NAMED}"
    first = f"{NAMED}{first}{NAMED}"
    shadowed = source.scoping.local_names
    forms = (
        f"{new} = {first}",
        f"{new} = {first}, {second}",
        f"{new} = [{first}]" if "print" in shadowed else f"print({first})",
        f"{new} = [{first}]",
        f"{new} = [{second}]" if "str" in shadowed else f"{new} = str({first})",
        f"{new} = {first} or {second}",
    )
    return dice.pick(forms)


@kept
def _usable_names(source: Source) -> dict[int, list[str]]:
    """Names that inserted statements may read, by scope: those of the scopes that were asked for."""
    return {}


def _local_style(name: str) -> str:
    """What a local variable would be called: neither like a constant or a class, nor private."""
    name = name.strip("_")
    return name.lower() if name[:1].isupper() else name


def _is_usable(scope: NameScope, name: str) -> bool:
    """Names that keep their spelling: parameters and globals, but no local variables; builtins say little."""
    if name in _UNUSABLE or name in scope.declared or name.startswith("__"):
        return False
    binding = scope.resolved.get(name)
    return binding is None or not binding.scope.is_function or binding.kinds == {"parameter"}
