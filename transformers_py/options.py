"""What can be asked for: rewrites found by module name, and their options checked.

check(["parentheses"]) -> [("parentheses", {"nested": False})]
"""

import dataclasses
import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from types import ModuleType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from transformers_py import rewrites as package
from transformers_py.sites.new_names import KEEP_TOKENS, KEEP_TOKENS_VERSION

Checked = list[tuple[str, dict[str, Any]]]


@cache
def names() -> tuple[str, ...]:
    """All rewrites: the modules of `transformers_py.rewrites`."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")))


@cache
def lookup(name: str) -> ModuleType:
    """The module of a rewrite. Raises ValueError that lists the valid names."""
    if name not in names():
        raise ValueError(f"unknown rewrite {name!r}{_hint(name, names())}; there are: {', '.join(names())}")
    return importlib.import_module(f"{package.__name__}.{name}")


def versions(rewrites: Sequence[str | Mapping[str, Mapping[str, Any]]]) -> dict[str, int]:
    """The version of each of the rewrites, and of `keep_tokens` if they make such names.

    Raises ValueError as `check`.
    """
    found: dict[str, int] = {name: lookup(name).VERSION for name, _ in check(rewrites)}
    return found | ({KEEP_TOKENS: KEEP_TOKENS_VERSION} if counts_subwords(rewrites) else {})


def counts_subwords(rewrites: Sequence[str | Mapping[str, Mapping[str, Any]]]) -> bool:
    """Whether new names should have as many subwords as the old ones, so that a tokenizer has to be known."""
    return any(values.get("style") == KEEP_TOKENS for _, values in check(rewrites))


def touches(name: str) -> Literal["tokens", "comments", "layout"]:
    """What of a text a rewrite changes: its tokens, its comments alone, or nothing but where lines end.

    Raises ValueError for an unknown rewrite.
    """
    what: Literal["tokens", "comments", "layout"] = getattr(lookup(name), "TOUCHES", "tokens")
    return what


def check(rewrites: Sequence[str | Mapping[str, Mapping[str, Any]]]) -> Checked:
    """The rewrites in canonical form, with all options filled in. Raises ValueError with every error."""
    checked: Checked = []
    errors: list[str] = []
    if isinstance(rewrites, str):
        raise ValueError(f"rewrites must be a list of names or of {{name: options}}, got {rewrites!r}")
    for request in rewrites:
        try:
            name, values = _name_and_options(request)
            if name in dict(checked):
                raise ValueError(f"rewrite {name!r} is listed twice")
            checked.append((name, dataclasses.asdict(make_options(name, values))))
        except ValueError as error:
            errors.append(str(error))
    errors += _mixed_documentation(checked)
    if errors:
        raise ValueError("; ".join(errors))
    return checked


def follows_documentation(rewrites: Sequence[str | Mapping[str, Mapping[str, Any]]]) -> bool:
    """Whether docstrings follow new names: "names + documentation", a class of its own beside what keeps each
    token but names, and never mixed with it in a set. Raises ValueError as `check`.
    """
    return any(values.get("documentation") == "follow" for _, values in check(rewrites))


def _mixed_documentation(checked: Checked) -> list[str]:
    """A set is of one class: all of its renamings that could are followed by documentation, or none."""
    found: dict[str, list[str]] = {}
    for name, values in checked:
        if "documentation" in values:
            found.setdefault(values["documentation"], []).append(name)
    if len(found) < 2:
        return []
    told = " and ".join(f"{value} in {', '.join(names)}" for value, names in sorted(found.items()))
    return [f"documentation is {told}: give all renamings of a set the same"]


def make_options(name: str, values: Mapping[str, Any]) -> Any:
    """The `Options` of a rewrite with these values. Raises ValueError for unknown options and values."""
    options = lookup(name).Options
    hints = _hints(options)
    unknown = [key for key in values if key not in hints]
    if unknown:
        raise ValueError(
            f"rewrite {name}: unknown option {unknown[0]!r}{_hint(str(unknown[0]), tuple(hints))}; "
            f"it has: {', '.join(hints) or 'none'}"
        )
    for key, value in values.items():
        if not _fits(value, hints[key]):
            raise ValueError(f"rewrite {name}: option {key} must be {_describe(hints[key])}, got {value!r}")
    try:
        return options(**values)
    except ValueError as error:
        raise ValueError(f"rewrite {name}: {error}") from None


def _name_and_options(request: object) -> tuple[str, Mapping[str, Any]]:
    if isinstance(request, str):
        return request, {}
    if isinstance(request, Mapping) and len(request) == 1:
        name, values = next(iter(request.items()))
        if isinstance(name, str) and isinstance(values or {}, Mapping):
            return name, values or {}
    raise ValueError(f"a rewrite must be a name or {{name: {{option: value}}}}, got {request!r}")


_hints = cache(get_type_hints)


def _fits(value: object, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin is Literal:
        return any(value == choice and type(value) is type(choice) for choice in get_args(hint))
    if origin in (Union, UnionType):
        return any(_fits(value, choice) for choice in get_args(hint))
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value) is (hint if isinstance(hint, type) else type(None))


def _describe(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(map(str, get_args(hint)))
    return getattr(hint, "__name__", str(hint))


def _hint(word: str, choices: Sequence[str]) -> str:
    close = get_close_matches(word, choices, 1)
    return f" (did you mean {close[0]!r}?)" if close else ""
