"""`augrid corpus`: prints the data section of a paper, and saves it as JSON, Markdown and two tables."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from grid.commands import steps_ahead
from grid.plan.opening import Grid
from grid.plan.planner import CellSteps
from grid.store.finished import Store


class Rows(NamedTuple):
    """A small table: title, names of columns, rows of texts."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def show(grid: Grid, root: Path, console: Console, *, leaks: bool, slots: int | None) -> int:
    """Build what is missing of the corpus and its encoding, then print and save the facts. Exit code.

    Raises:
        BadInput: as a run of the grid.
    """
    found = list(steps_ahead.distinct(grid, "corpus", ("corpus",)))
    keys = {steps.corpus.keys[0] for _, steps in found}
    keys |= {key for _, steps in found for key in _encoded(grid, steps)}
    code = steps_ahead.finish(grid, root, keys, console, slots)
    if code:
        return code
    store = Store(root / "store")
    sections = [{"axes": axes, **facts(grid, store, steps, leaks=leaks)} for axes, steps in found]
    folder = steps_ahead.folder(grid, root)
    (folder / "corpus.json").write_text(json.dumps(sections, indent=1), encoding="utf-8")
    _write_csv(
        folder / "lengths.csv", ("corpus", "unit", "split", "from", "to", "samples"), _lengths(sections)
    )
    _write_csv(folder / "vocabulary.csv", ("corpus", "n_tokens", "tokens", "identifiers"), _growth(sections))
    texts = []
    for section in sections:
        name = ", ".join(filter(None, [grid.spec.name, _named(section)]))
        texts.append(f"# Data of {name}\n\n" + "\n".join(map(markdown, tables(section))))
        for rows in tables(section):
            console.print(_table(rows), "")
    (folder / "corpus.md").write_text("\n".join(texts), encoding="utf-8")
    for file in ("corpus.json", "corpus.md", "lengths.csv", "vocabulary.csv"):
        console.print(str(folder / file), markup=False, highlight=False)
    return 0


def facts(grid: Grid, store: Store, steps: CellSteps, *, leaks: bool) -> dict[str, Any]:
    """What the data section says of one corpus, with subwords by split and, if asked, leaks."""
    from preprocessing.corpus import description
    from preprocessing.corpus.building import CorpusConfig

    key = steps.corpus.keys[0]
    folder = store.path("corpus", key)
    config = CorpusConfig.model_validate(grid.plan.steps[key].parameters["config"])
    found = {"split_by": config.split.by, **description.describe(folder)}
    manifests = [store.manifest("encode", encoded) or {} for encoded in _encoded(grid, steps)]
    for split, counts in found["splits"].items():
        parts_of = [m.get("facts", {}).get("splits", {}).get(split, {}) for m in manifests]
        counts["subwords"] = sum(part.get("subwords", 0) for part in parts_of)
    if leaks:
        found["leaks"] = description.leaks(folder, config.near)
    return found


def tables(section: Mapping[str, Any]) -> Iterator[Rows]:
    """The facts of one corpus as tables."""
    splits = section["splits"]
    columns = ("projects", "samples", "lines", "tokens", "identifiers", "subwords", "bytes")
    rows = [(name, *(f"{counts.get(c, 0):,}" for c in columns)) for name, counts in splits.items()]
    yield Rows(f"Splits, by {section['split_by']}", ("split", *columns), rows)
    lengths = section["percentiles"]
    names = tuple(dict.fromkeys(p for values in lengths.values() for p in values))
    yield Rows(
        "Lengths of samples",
        ("", *names),
        [(what, *(f"{values[p]:,.0f}" for p in names)) for what, values in lengths.items() if values],
    )
    words = section["vocabulary"]
    yield Rows(
        "Vocabulary",
        ("distinct tokens", "distinct identifiers"),
        [(f"{words['tokens']:,}", f"{words['identifiers']:,}")],
    )
    yield Rows("Licences", ("licence", "samples"), [(k, f"{n:,}") for k, n in section["licenses"].items()])
    yield Rows("Left out", ("reason", "files"), [(k, f"{n:,}") for k, n in section["excluded"].items()])
    if "leaks" in section:
        found = section["leaks"]
        share = f"{found['sample_share']:.2%}"
        numbers = (str(len(found["projects"])), str(len(found["near_duplicates"])), share)
        headings = (
            "projects in several splits",
            "near duplicates across splits",
            "held-out samples with one",
        )
        yield Rows("Leaks", headings, [numbers])


def _named(section: Mapping[str, Any]) -> str:
    return ", ".join(f"{axis} {value}" for axis, value in section["axes"].items())


def _lengths(sections: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[object]]:
    for section in sections:
        for unit, by_split in section["lengths"].items():
            for split, bins in by_split.items():
                yield from ((_named(section), unit, split, *values) for values in bins)


def _growth(sections: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[object]]:
    for section in sections:
        yield from ((_named(section), *point) for point in section["vocabulary"]["growth"])


def _write_csv(file: Path, columns: Sequence[str], rows: Iterator[Sequence[object]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([columns, *rows])


def markdown(rows: Rows) -> str:
    """A table with its title, in Markdown."""
    lines = [f"## {rows.title}", "", f"| {' | '.join(rows.columns)} |"]
    lines += [f"|{' --- |' * len(rows.columns)}", *(f"| {' | '.join(row)} |" for row in rows.rows)]
    return "\n".join(lines) + "\n"


def _table(rows: Rows) -> Table:
    table = Table(title=rows.title, title_justify="left", box=None, pad_edge=False)
    for n, column in enumerate(rows.columns):
        table.add_column(column, justify="left" if n == 0 else "right")
    for row in rows.rows:
        table.add_row(*row)
    return table


def _encoded(grid: Grid, steps: CellSteps) -> list[str]:
    """Keys of the shards of a corpus as its tokenizer encodes them."""
    return [
        step.key
        for step in grid.plan.steps.values()
        if step.kind == "encode"
        and "variant" not in step.roles
        and step.inputs["tokenizer"].keys == steps.tokenizer.keys
        and step.inputs["corpus"].keys[0] == steps.corpus.keys[0]
    ]
