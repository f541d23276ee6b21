"""New names keep the order of variables in closures, whichever of them are taken."""

from itertools import chain

import pytest

from transformers_py import Source, emit
from transformers_py.sites.closures import Between, closure_bounds

THREE = "def f(m):\n    a, z, c = 1, 2, m\n    def g(): return z, m, a\n    return g, c\n"


def test_each_stays_between_its_neighbours() -> None:
    assert closure_bounds(Source.analyse(THREE)) == {
        (1, "a"): Between("", "m"),
        (1, "m"): Between("m", "z"),
        (1, "z"): Between("z", None),
    }


@pytest.mark.parametrize(
    "text",
    [
        "def f(a):\n    b = a\n    return lambda: b\n",
        "def f(a):\n    b = a\n    return b\n",
        "x = 1\ndef f():\n    return [x for y in x]\n",
    ],
)
def test_one_alone_goes_anywhere(text: str) -> None:
    assert not closure_bounds(Source.analyse(text))


def test_what_a_class_spells_out_is_where_cpython_sorts_it() -> None:
    text = "class B:\n    def f(self):\n        __m = A = x = 1\n        return lambda: (__m, A, x)\n"
    bounds = closure_bounds(Source.analyse(text))
    assert {name: between for (_, name), between in bounds.items()} == {
        "A": Between("", "_B__m"),
        "__m": Between("_B__m", "x"),
        "x": Between("x", None),
    }


def test_two_comprehensions_with_one_captured_name_are_left_alone() -> None:
    text = "def f(a):\n    return [lambda: i for i in a], [lambda: i for i in a]\n"
    done = emit(Source.analyse(text), ["rename_variable"], rate=1.0, seed=1)
    assert (done.text, done.refusals) == (text, {"rename_variable:no_name": 2})


@pytest.mark.parametrize("style", ["pseudo", "random", "generic", "keep_tokens", "numbered", "synonym"])
def test_the_order_holds_at_every_intensity(style: str) -> None:
    renamed = set()
    for seed, count in chain.from_iterable(((seed, count) for count in range(1, 4)) for seed in range(8)):
        done = emit(Source.analyse(THREE), [{"rename_variable": {"style": style}}], count=count, seed=seed)
        spaces: dict[str, object] = {}
        exec(done.text, spaces)
        made, _ = spaces["f"](5)  # type: ignore[operator]
        assert [cell.cell_contents for cell in made.__closure__] == [1, 5, 2]
        renamed.add(made.__code__.co_freevars)
    assert len(renamed) > 1 or style in ("generic", "numbered", "synonym")
