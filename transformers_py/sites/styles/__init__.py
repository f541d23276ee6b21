"""Styles of new names that start from the old one; the name in YAML is the module's name.

A style is a module with one function

    def candidates(old: str, roll: Roll) -> Iterator[str]:
        '''New names for `old`, the best first; those that are taken or no identifiers are passed over.'''

Where none of them is free, the name stays as it is and is counted as `no_name`.
"""

import importlib
from functools import cache
from types import ModuleType
from typing import Literal

Derived = Literal["abbreviation", "inflection", "letter_case", "snake_camel", "synonym", "typing_error"]


@cache
def lookup(style: str) -> ModuleType:
    """The module of a style."""
    return importlib.import_module(f"{__name__}.{style}")
