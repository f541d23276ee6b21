"""What a task scores, unit by unit, becomes sums per sample and scope. Without torch.

    tokens.parquet                            samples.parquet
    sample token kind … nll_bits rank   ->    sample scope n_tokens nll_bits …

Sums are kept, not means: any set of samples can be put together afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa  # takes long to import, and planning needs descriptions alone

Inside = NDArray[np.bool_]
NO_PLACE = 255
"""The place of a unit that stands on one side of a pair alone."""
PLACE = "place"


@dataclass(frozen=True, kw_only=True)
class Sum:
    """`of` takes the columns in `needs`, (n,) each, and gives one value per unit.

    `whole`: these are whole numbers. `optional`: where no metric asked for a column that it needs, that
    column is null as a whole, and so is the sum.
    """

    name: str
    needs: tuple[str, ...]
    of: Callable[..., NDArray[np.generic]]
    whole: bool = False
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Scopes that a variant decides on: to which of them a unit of a rewritten text belongs, its partner in
    the original does too, whatever that one is like itself. So both sides of a pair hold the same units.

    needs: columns of a rewritten text's units. `places` takes its table with `sample` and these, the
    rewritten text of a sample by its name, and what becomes of comments; it gives each unit a code (n,),
    NO_PLACE where it has no partner. origin: the column with a partner's index in the sample. `scopes` takes
    codes.
    """

    needs: tuple[str, ...]
    places: Callable[[pa.Table, Callable[[str], str], Any], NDArray[np.uint8]]
    scopes: Callable[[NDArray[np.uint8]], Iterator[tuple[str, Inside]]]
    origin: str = "origin"


@dataclass(frozen=True, kw_only=True)
class Units:
    """The table that a task's scoring leaves: one row per unit, the rows of a sample together.

    file: its name. count: what the number of units is called in sums. places: the columns that say to which
    scopes a unit belongs; `scopes` takes them, (n,) each, and gives each scope and which units belong to it.
    sums: what is summed. A sum that a scoring doesn't hold yet is made of its table of units. paired: further
    scopes, which no scoring knows, as a variant decides on them.
    """

    file: str
    count: str
    places: tuple[str, ...]
    scopes: Callable[..., Iterator[tuple[str, Inside]]]
    sums: tuple[Sum, ...]
    paired: Paired | None = None

    def table_of(self, sums: Sequence[Sum] | None = None) -> pa.Schema:
        """One row per sample and scope: of how many units, and their sums."""
        import pyarrow as pa

        head = [(name, pa.string()) for name in ("sample", "project", "scope")]
        chosen = self.sums if sums is None else sums
        kinds = [(one.name, pa.int64() if one.whole else pa.float64()) for one in chosen]
        return pa.schema([*head, (self.count, pa.int64()), *kinds])

    def write(self, folder: Path, table: pa.Table) -> None:
        """Leaves the two tables of a scoring that is small enough to be held as a whole.

        table: one row per unit, the rows of a sample together, with the columns `sample` and `project`,
        `places` and what the sums need.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = table["sample"]
        projects = dict(zip(names.to_pylist(), table["project"].to_pylist(), strict=True))
        place = table.column_names.index("sample")
        table = table.set_column(place, "sample", names.cast(pa.dictionary(pa.int32(), pa.string())))
        pq.write_table(table, folder / self.file, compression="zstd")
        sums = self.summed(table, projects, self.sums)
        pq.write_table(sums, folder / "samples.parquet", compression="zstd")

    def summed(self, table: pa.Table, projects: Mapping[str, str], wanted: Sequence[Sum]) -> pa.Table:
        """Sums per sample and scope, in the order of the samples; scopes without a unit are left out.

        table: with the columns `sample` (a dictionary), `places` and what the sums need. projects: of every
        sample. A sum that needs a column with nulls, or one that isn't there, is null.
        """
        import pyarrow as pa

        sample = table.column("sample").combine_chunks()
        codes = sample.indices.to_numpy()
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        values = {one: values_of(table, one) for one in wanted}
        parts: list[dict[str, NDArray[Any]]] = []
        names = []
        for scope, inside in self.scopes(*(table.column(name).to_numpy() for name in self.places)):
            names.append(scope)
            n = np.add.reduceat(inside.astype(np.int64), starts)
            there = np.flatnonzero(n)
            totals = {
                one.name: np.add.reduceat(np.where(inside, value, 0), starts)[there]
                for one, value in values.items()
                if value is not None
            }
            parts.append(
                {
                    "sample": there,
                    "scope": np.full(len(there), len(names) - 1),
                    self.count: n[there],
                    **totals,
                }
            )
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        order = np.argsort(columns["sample"], kind="stable")  # scopes stay in their order
        found: dict[str, Any] = {name: column[order] for name, column in columns.items()}
        found["sample"] = sample.dictionary.take(pa.array(codes[starts[found["sample"]]]))
        found["project"] = [projects[name] for name in found["sample"].to_pylist()]
        found["scope"] = pa.array(names).take(pa.array(found["scope"]))
        schema = self.table_of(wanted)
        rows = len(order)
        return pa.table(
            [pa.array(found[f.name], f.type) if f.name in found else pa.nulls(rows, f.type) for f in schema],
            schema,
        )

    def summed_file(
        self,
        folder: Path,
        projects: Mapping[str, str],
        wanted: Sequence[Sum],
        place: Callable[[pa.Table], NDArray[np.uint8]] | None = None,
    ) -> pa.Table:
        """The same of a scoring's folder, some at a time: samples are written as a whole.

        place: of paired scopes, the code of each unit of a table that has `sample`.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        with pq.ParquetFile(folder / self.file) as opened:
            needed = [*self.places, *(name for one in wanted for name in one.needs)]
            known = [name for name in needed if name in opened.schema_arrow.names]
            columns = list(dict.fromkeys(["sample", *known]))
            groups = (opened.read_row_group(k, columns=columns) for k in range(opened.num_row_groups))
            parts = []
            for table in (group.unify_dictionaries() for group in groups):
                if place is not None:
                    table = table.append_column(PLACE, pa.array(place(table)))
                parts.append(self.summed(table, projects, wanted))
        return pa.concat_tables(parts) if parts else self.table_of(wanted).empty_table()

    def of_pairs(self) -> Units | None:
        """Units with the paired scopes alone."""
        if self.paired is None:
            return None
        return replace(self, places=(PLACE,), scopes=self.paired.scopes, paired=None)


def values_of(table: pa.Table | pa.RecordBatch, one: Sum) -> NDArray[Any] | None:
    """(n,) what is summed; None where a column that it needs has nulls, or isn't there."""
    names = table.schema.names
    if any(name not in names or table.column(name).null_count for name in one.needs):
        return None
    columns = [table.column(name).to_numpy(zero_copy_only=False) for name in one.needs]
    return one.of(*columns).astype(np.int64 if one.whole else np.float64)
