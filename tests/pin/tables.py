"""Two tables, value by value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Table:
    """Columns by name. `key`: the columns that say which row is which; without it rows go by their place."""

    columns: Mapping[str, Sequence[Any]]
    key: tuple[str, ...] = ()

    def __len__(self) -> int:
        return max((len(values) for values in self.columns.values()), default=0)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """How two tables compare. `different`: the first difference, or ""; `values`: compared ones."""

    name: str
    rows: int = 0
    columns: int = 0
    values: int = 0
    different: str = ""
    notes: list[str] = field(default_factory=list)


def compared(name: str, base: Table | None, head: Table | None) -> Finding:
    """Compares what both have; what only one has is a note (HEAD), or a difference (BASE)."""
    if base is None:
        return Finding(name=name, notes=[f"{name} only in HEAD"])
    if head is None:
        return Finding(name=name, different="only in BASE")
    columns = [column for column in base.columns if column in head.columns]
    new = [column for column in head.columns if column not in base.columns]
    notes = [f"columns only in HEAD: {', '.join(new)}"] if new else []
    gone = [column for column in base.columns if column not in head.columns]
    old_rows, new_rows = _rows(base, columns), _rows(head, columns)
    both = [row for row in old_rows if row in new_rows]
    lost = [row for row in old_rows if row not in new_rows]
    if more := len(new_rows) - len(both):
        notes.append(f"{more} rows only in HEAD")
    found = [f"column {gone[0]} only in BASE"] if gone else []
    found += [f"{len(lost)} rows only in BASE, the first {_shown(base, lost[0])}"] if lost else []
    differences = 0
    for column in columns:
        before, after = base.columns[column], head.columns[column]
        for row in both:
            old, new_value = before[old_rows[row]], after[new_rows[row]]
            if repr(old) != repr(new_value):  # exact for floats, and NaN equals NaN
                differences += 1
                found = found or [f"{column} of {_shown(base, row)}: {_short(old)} → {_short(new_value)}"]
    count = f" ({differences} values differ)" if differences > 1 else ""
    return Finding(
        name=name,
        rows=len(both),
        columns=len(columns),
        values=len(both) * len(columns),
        different="".join(found[:1]) + count,
        notes=notes,
    )


def _rows(table: Table, columns: Sequence[str]) -> dict[Any, int]:
    """What a row is known by → where it stands."""
    key = [table.columns[column] for column in table.key if column in columns]
    if key and len(key) == len(table.key):
        rows = {values: row for row, values in enumerate(zip(*key, strict=True))}
        if len(rows) == len(table):
            return rows
    return {row: row for row in range(len(table))}


def _shown(table: Table, row: Any) -> str:
    return f"row {row}" if isinstance(row, int) else " ".join(map(str, row))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
