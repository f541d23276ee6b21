"""What the rewrites give is pinned: other texts need another version, since data sets are found by it.

`make golden` writes the pin anew.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from transformers_py import VERSION, Source, emit, names, versions

GOLDEN = Path(__file__).with_name("golden.json")
TEXT = '''"""Shapes and what they hold."""

import os.path
from math import pi as half_turn


class Shape:
    """A thing with corners."""

    corners = 4

    def area(self, scale=1.0, *rest):
        total = 0
        for side, height in rest:
            if not side:
                continue
            total += side * height if scale > 0 else -side
        return total * scale


def largest(shapes, key=None):
    def by_area(shape, /):
        found = shape.area()
        return found

    try:
        names = {s.corners: [c for c in os.path.join("a", "b")] for s in shapes}
    except (ValueError, TypeError) as problem:
        raise RuntimeError(f"no {problem}") from problem
    while names and (size := len(names)) > 1:
        print(size, half_turn); names.popitem()
    return max(shapes, key=key or by_area)
'''


def texts() -> dict[str, str]:
    """Digests of the sample under each rewrite alone, and under all together."""
    source = Source.analyse(TEXT)
    sets = {name: [name] for name in names()} | {"all": list(names())}
    return {name: _digest(source, rewrites) for name, rewrites in sets.items()}


def _digest(source: Source, rewrites: list[str]) -> str:
    made = [
        emit(source, rewrites, rate=rate, seed=seed, key="golden").text
        for rate in (0.3, 1.0)
        for seed in (1, 2)
    ]
    return sha256("\0".join(made).encode()).hexdigest()[:16]


def pinned_now() -> dict[str, Any]:
    """What golden.json has to say."""
    return {"version": VERSION, "versions": versions(names()), "texts": texts()}


def test_other_texts_have_another_version() -> None:
    pinned, now = json.loads(GOLDEN.read_text()), pinned_now()
    same = [name for name in names() if pinned["versions"].get(name) == now["versions"][name]]
    if pinned["version"] == VERSION:
        differ = [name for name in same if pinned["texts"][name] != now["texts"][name]]
        assert not differ, (
            f"{differ} give other texts: raise their VERSION (or that of the engine, if it is all of them), "
            "and run `make golden`"
        )
    assert pinned == now, "run `make golden`"


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(pinned_now(), indent=1) + "\n")
