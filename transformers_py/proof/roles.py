"""What a proof is told of each edit by the rewrite that made it."""

from typing import NamedTuple


class Role(NamedTuple):
    """What a proof has to know of an edit besides the edit."""

    kind: str
    """How its rewrite is proved (PRESERVES)."""
    renames: str
    """What its rewrite renames (RENAMES), or ""."""
    group: int
    """Its place among edits at one offset: CLOSING, POINT, OPENING, REPLACING."""
    scope: int
    """The scope of its site."""
    closed: bool = False
    """Whether all that uses the names is in the text (`world: closed`), which is proved as a whole."""
    documented: bool = False
    """Whether docstrings follow its renaming."""
