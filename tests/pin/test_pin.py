"""What is computed stays what it is, to the bit, until somebody means to change it.

`make golden` writes the pin anew. Its diff belongs in the commit that changes what is computed, and whose
message says why.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest

from tests.pin import pinned, plans, texts, tiny, values
from tests.pin.tables import Table, compared

PYTHON = (3, 11)
written_by = pytest.mark.skipif(
    sys.version_info[:2] != PYTHON,
    reason=f"pinned with Python {PYTHON[0]}.{PYTHON[1]}: what is proved and how code is read depends on it",
)


def check(pins: Iterable[tuple[str, list[str]]], *, bits: bool = True) -> None:
    found = []
    for subject, lines in pins:
        differ = list(pinned.differences(pinned.read(subject), lines, bits=bits))
        more = [f"… and {len(differ) - 20} more"] if len(differ) > 20 else []
        found += [f"tests/pin/golden/{subject}.txt:", *differ[:20], *more] if differ else []
    told = "\n".join(found)
    assert not found, f"{told}\nif this is meant: `make golden`, and say why in the commit"


def test_cells_steps_and_keys_of_the_committed_specs() -> None:
    check(plans.pins())


@written_by
def test_texts_of_all_rewrites() -> None:
    check(texts.pins())


@written_by
@pytest.mark.filterwarnings("ignore:.*scalar divide:RuntimeWarning")  # a reference of no right identifier
def test_tables_of_a_tiny_grid_and_what_analysis_makes_of_them(tmp_path: Path) -> None:
    same = values.numerics() == pinned.NUMERICS.read_text().strip()
    check(tiny.pins(tmp_path), bits=same)  # on another kind of processor: sums, to five digits


def test_a_pin_sees_the_last_bit() -> None:
    before = pa.chunked_array([[0.1, 0.25, None]])
    after = pa.chunked_array([[0.1, 0.25000000000000006, None]])
    was, now = values.line("table, column", before), values.line("table, column", after)
    assert list(pinned.differences([was], [now])) == [f"− {was}", f"+ {now}"]
    assert list(pinned.differences([was], [now], bits=False)) == []
    more = values.line("table, column", pa.chunked_array([[0.1, 0.2501, None]]))
    assert list(pinned.differences([was], [more], bits=False)) == [f"− {was}", f"+ {more}"]
    nan = values.line("table, column", pa.chunked_array([[0.1, 0.25, float("nan")]]))
    assert list(pinned.differences([was], [nan])) == [f"− {was}", f"+ {nan}"]


def test_a_pin_names_what_is_new_gone_or_moved() -> None:
    assert list(pinned.differences(["a: 1", "b: 2"], ["a: 1", "c: 3"])) == ["− b: 2", "+ c: 3"]
    assert list(pinned.differences(["a: 1", "b: 2"], ["b: 2", "a: 1"])) == [
        "the lines stand in another order"
    ]
    assert list(pinned.differences(["file rewrite 1 2"], ["file rewrite 1 3"])) == [
        "− file rewrite 1 2",
        "+ file rewrite 1 3",
    ]


BASE = Table(columns={"name": ["a", "b"], "value": [0.25, float("nan")]}, key=("name",))


def test_commits_that_say_the_same_in_another_order_with_more_beside_it_are_equal() -> None:
    columns: dict[str, list[object]] = {
        "new": [1, 2, 3],
        "value": [7.0, float("nan"), 0.25],
        "name": ["c", "b", "a"],
    }
    found = compared("table", BASE, Table(columns=columns, key=("name",)))
    assert not found.different
    assert (found.rows, found.columns, found.values) == (2, 2, 4)
    assert found.notes == ["columns only in HEAD: new", "1 rows only in HEAD"]
    assert compared("table", None, BASE).notes == ["table only in HEAD"]


@pytest.mark.parametrize(
    "columns, different",
    [
        ({"name": ["a", "b"], "value": [0.25000000000000006, float("nan")]}, "0.25 → 0.25000000000000006"),
        ({"name": ["a", "b"], "value": [0.25, None]}, "value of b: nan → None"),
        ({"name": ["a", "b"], "value": [0.25, 0.0]}, "value of b: nan → 0.0"),
        ({"name": ["a"], "value": [0.25]}, "1 rows only in BASE, the first b"),
        ({"name": ["a", "b"]}, "column value only in BASE"),
    ],
)
def test_commits_that_differ_say_where(columns: dict[str, list[object]], different: str) -> None:
    assert different in compared("table", BASE, Table(columns=columns, key=("name",))).different


def test_a_table_that_is_gone_is_a_difference() -> None:
    assert compared("table", BASE, None).different == "only in BASE"
