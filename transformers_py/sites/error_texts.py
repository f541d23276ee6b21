"""Whether a module looks at errors whose texts spell the names of variables, functions or parameters.

try: f()
except TypeError as error: print(error)     ->  "f() missing 1 required positional argument: 'limit'"
"""

from collections.abc import Collection

import libcst as cst

from transformers_py.source import Source, kept
from transformers_py.source.cpython import words

OF_VARIABLES = ("NameError", "UnboundLocalError")
OF_CALLS = ("TypeError",)
REASONS = {"error_texts": "the module looks at errors whose texts have such names in them"}

_EXPECTING = frozenset(["raises", "assertRaises", "assertRaisesRegex", "suppress"])


def are_looked_at(source: Source, errors: Collection[str]) -> bool:
    """Whether the module catches one of these errors under a name, or a test in it expects one."""
    if not _caught(source).isdisjoint(errors):
        return True
    return not source.words.isdisjoint(errors) and not source.words.isdisjoint(_EXPECTING)


@kept
def _caught(source: Source) -> frozenset[str]:
    """The words of all types of errors that are caught under a name."""
    found: set[str] = set()
    for node in source.nodes:
        if isinstance(node, (cst.ExceptHandler, cst.ExceptStarHandler)) and node.name and node.type:
            found.update(words(source.text_of(node.type)))
    return frozenset(found)
