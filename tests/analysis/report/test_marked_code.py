"""Examples: every character of both texts is shown, marks say what changed, odd tables are refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.report.marked_code import Example, examples
from analysis.results import BadResults, Results
from tests.simulation.texts import ORIGINAL, REWRITTEN


@pytest.fixture(scope="module")
def shown(results: Results) -> list[Example]:
    return list(examples(results))


def rewrite(folder: Path, change: Any) -> Results:
    rows = pq.read_table(folder / "examples.parquet").to_pylist()
    change(rows[0])
    pq.write_table(pa.Table.from_pylist(rows), folder / "examples.parquet")
    return Results(folder)


def test_three_for_each_rewrite_set_and_model(shown: list[Example]) -> None:
    assert len(shown) == 3 * 3 * 2
    assert [example.choice for example in shown[:3]] == ["largest rise", "median", "largest fall"]
    assert shown[0].title == "rename, 1, original, small"
    assert shown[0].about == "+2.50 bits per token over its 18 tokens, one of 40 rewritten samples"
    assert shown[0].origin == "geometry: geometry/<area>.py, licence MIT"


def test_no_character_is_lost(shown: list[Example]) -> None:
    for example in shown:
        texts = ["".join(piece.text for piece in side.pieces) for side in example.sides]
        assert texts == [ORIGINAL, REWRITTEN]


def test_marks_say_what_happened(shown: list[Example]) -> None:
    original, rewritten = ({piece.text: piece for piece in side.pieces} for side in shown[0].sides)
    assert rewritten["unused"].marks == "ins"
    assert rewritten["unused"].title == "inserted, 7.5 bits"
    assert rewritten["size_3"].marks == "ren up3"
    assert "+7.5)" in rewritten["size_3"].title
    assert original["total"].marks == "up3"
    assert rewritten["width"].marks == "up1"
    fell = {piece.text: piece for piece in shown[2].sides[1].pieces}
    assert "down" in fell["size_3"].marks


def test_what_changed_most_is_listed(shown: list[Example]) -> None:
    tokens = [token for token, *_ in shown[0].most]
    assert tokens[:2] == ["size_3", "size_3"]
    assert "unused" not in tokens
    assert all(change.startswith("+") for *_, change in shown[0].most)


def test_a_fall_that_is_none_is_not_called_so(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    results = rewrite(copy, lambda row: row.update(choice="largest fall", change_bits=0.1))
    assert next(examples(results)).choice == "smallest rise"


def test_a_folder_without_examples_is_read(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "examples.parquet").unlink()
    (copy / "jobs.parquet").unlink()
    assert list(examples(Results(copy))) == []
    assert Results(copy).jobs == []


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda row: row.update(cell="0"), "no cell '0' in this grid"),
        (lambda row: row["original"]["tokens"][3].update(end=10**6), "a token of the original text"),
        (lambda row: row["rewritten"]["tokens"][1].update(start=0), "a token of the rewritten text"),
        (lambda row: row["rewritten"]["tokens"][1].update(bits=float("nan")), "bits is not a number"),
        (lambda row: row["original"]["tokens"][1].update(kind=77), "kind 77"),
    ],
)
def test_odd_tables_are_refused(folder: Path, tmp_path: Path, change: Any, message: str) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    with pytest.raises(BadResults, match=message):
        list(examples(rewrite(copy, change)))


def test_marks_are_explained_and_texts_escaped_in_the_page(folder: Path, tmp_path: Path) -> None:
    from analysis.report import page

    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    page.make(copy)
    html = (copy / "report.html").read_text(encoding="utf-8")
    assert 'class="t ren up3" title="renamed, ' in html
    assert "inserted</span>: dashed underline" in html
    assert "&lt;b&gt;&#34;&amp;&#34;" in html
    assert '<b>"&"' not in html
    assert "geometry/&lt;area&gt;.py" in html
    assert "step 450: &lt;loss&gt; 4.1" in html
    assert "No log: it was done by another run." in html
    assert json.loads((copy / "run.json").read_text())["format"] == 1
