"""Rewrites with their options, as they are written on a command line.

no_op, dead_branch{style: if_false}   →   ["no_op", {"dead_branch": {"style": "if_false"}}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from grid.spec.document import parse
from grid.spec.rewrite_sets import Entry
from preprocessing.errors import BadInput

SYNTAX = "write NAME or NAME{OPTION: VALUE, …}, with commas between them"


def read(text: str) -> list[Entry]:
    """The set of rewrites of a text; names and options are checked by `transformers_py.check`.

    Raises:
        BadInput: braces that don't match, or options that aren't a mapping.
    """
    return [_entry(part) for part in _parts(text)]


def _parts(text: str) -> Iterator[str]:
    """The text cut at its commas that stand outside of braces."""
    depth = start = 0
    for position, character in enumerate(text):
        depth += (character in "{[") - (character in "}]")
        if depth < 0:
            break
        if character == "," and depth == 0:
            yield text[start:position]
            start = position + 1
    if depth:
        raise BadInput(f"--rewrites {text}: a brace has no partner; {SYNTAX}")
    yield text[start:]


def _entry(part: str) -> Entry:
    name, brace, rest = part.strip().partition("{")
    name = name.strip().removesuffix(":")
    if not name:
        raise BadInput(f"--rewrites: a name is missing at {part!r}; {SYNTAX}")
    if not brace:
        return name
    if not rest.endswith("}"):
        raise BadInput(f"--rewrites {part.strip()}: {SYNTAX}")
    options: dict[str, Any] = parse("{" + rest, name=f"--rewrites {name}").data
    return {name: options}
