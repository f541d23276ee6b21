"""`augrid complete`: what a trained model expects at a place of a file, before and after rewriting it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

import tasks
from grid.store.finished import Store
from preprocessing.errors import BadInput
from preprocessing.lexer.tokens import Tokens, TokensConfig, lex, texts
from tasks import offers

if TYPE_CHECKING:
    from models.scoring.candidates import Completion, Context

NEAR = 8  # tokens before the place that are shown


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained model's task and folder, its tokenizer's, and what of a text it was shown."""

    name: str
    task: str
    folder: Path
    tokenizer: Path
    tokens: TokensConfig


def of_folder(folder: Path) -> Trained:
    """A model by its folder in a store: results/store/train/xx/xx….

    Raises:
        BadInput: no finished model is there, or its tokenizer is gone.
    """
    folder = folder.resolve()
    store = Store(folder.parents[2] if len(folder.parents) > 2 else folder)
    manifest = store.manifest("train", folder.name)
    if manifest is None:
        raise BadInput(f"{folder}: no trained model (a folder STORE/train/xx/KEY with its manifest.json)")
    asked = tasks.configured(manifest["document"]["parameters"].get("task"))[1].kind
    return _trained(store, asked, folder.name, manifest["inputs"]["tokenizer"]["keys"][0], str(folder))


def of_grid(spec: str, sets: Sequence[str], prefix: str | None, results: Path) -> Trained:
    """The model of a cell of a grid; without a cell, of the first baseline that is trained.

    Raises:
        BadInput: no such spec or cell, or nothing is trained yet.
    """
    from grid.commands import keeping
    from grid.plan.opening import open_grid

    grid, store = open_grid(spec, sets), Store(results / "store")
    if prefix is None:
        places = [n for n, cell in enumerate(grid.cells.cells) if cell.baseline]
    else:
        places = [keeping.find_cell(grid, prefix)[0]]
    for place in places:
        own = grid.plan.by_cell[place]
        if store.has("train", own.train.keys[0]):
            cell = grid.cells.cells[place]
            name = f"{grid.spec.name}, cell {cell.id}: " + ", ".join(value.text for value in cell.values)
            return _trained(store, grid.spec.task.kind, own.train.keys[0], own.tokenizer.keys[0], name)
    what = f"cell {prefix}" if prefix else "no baseline"
    raise BadInput(f"{spec}: {what} is {'not ' if prefix else ''}trained yet; first `augrid run {spec}`")


def _trained(store: Store, task: str, key: str, tokenizer: str, name: str) -> Trained:
    manifest = store.manifest("tokenizer", tokenizer)
    if manifest is None:
        raise BadInput(f"{name}: its tokenizer {tokenizer[:12]} is not in {store.root}")
    tokens = TokensConfig.model_validate(manifest["document"]["parameters"]["tokens"])
    return Trained(
        name=name,
        task=task,
        folder=store.path("train", key),
        tokenizer=store.path("tokenizer", tokenizer),
        tokens=tokens,
    )


def places(
    where: str,
    tokens: TokensConfig,
    rewrites: str,
    rate: float,
    seed: int,
    count_subwords: Callable[[str], int] | None = None,
) -> tuple[Context, Context]:
    """The token at FILE:LINE:COL, or the first one behind it, and the same token of the rewritten file.

    Raises:
        BadInput: no such file, place or rewrite; a file that is no Python.
    """
    import transformers_py
    from grid.spec import rewrite_syntax
    from models.scoring.candidates import Context, offset_of
    from preprocessing.corpus import decoding

    name, line, column = _parsed(where)
    entries = rewrite_syntax.read(rewrites) if rewrites.strip() else []
    try:
        text = decoding.decode(Path(name).read_bytes())
        cut = lex(text, tokens.comments)
        offset = offset_of(text, line, column)
        rewritten = transformers_py.rewrite(
            text, entries, rate=rate, seed=seed, count_subwords=count_subwords
        )
    except OSError as error:
        raise BadInput(f"{name}: {error.strerror or error}") from None
    except (ValueError, transformers_py.Unparseable) as error:
        raise BadInput(f"{where}: {error}") from None
    at = sum(start < offset and end <= offset for start, end in zip(cut.starts, cut.ends, strict=True))
    again = lex(rewritten.text, tokens.comments)
    comments = tokens.comments == "keep"
    original = Context(text=text, spelled=texts(text, cut, tokens), at=at, comments=comments)
    moved = _carried(at, cut, again, rewritten.edits)
    spelled = texts(rewritten.text, again, tokens)
    return original, Context(text=rewritten.text, spelled=spelled, at=moved, comments=comments)


def _before(context: Context) -> str:
    """The last tokens before the place, for people."""
    near = context.spelled[max(0, context.at - NEAR) : context.at]
    return ("… " if context.at > NEAR else "") + " ".join(near)


def _parsed(where: str) -> tuple[str, int, int]:
    name, line, column = [*where.rsplit(":", 2), "", ""][:3]
    if not name or not (line.isdecimal() and column.isdecimal()):
        raise BadInput(f"{where}: write FILE:LINE:COL (lines from 1, columns from 0)")
    return name, int(line), int(column)


def _carried(at: int, before: Tokens, after: Tokens, edits: Sequence[Any]) -> int:
    """The index of an original token in the rewritten text: every one has its place there."""
    from transformers_py import align

    pairs = align(list(before.spans()), list(after.spans()), edits)
    origins = [origin for origin, _ in pairs]
    return origins.index(at) if at < len(before) else len(after)


def show(where: str, trained: Trained, rewrites: str, rate: float, seed: int, console: Console) -> None:
    """Print the candidates on both contexts side by side.

    Raises:
        BadInput: as `places`; a model that can't be loaded, or can't read the text, or of a task that has no
            answer.
    """
    from grid.steps.variant import subword_counter

    complete = offers.find([trained.task], "complete", "show what a model expects at a place")
    pair = places(where, trained.tokens, rewrites, rate, seed, subword_counter(trained.tokenizer))
    try:
        with console.status("loading the model"):
            sides: list[Completion] = complete(
                model_folder=trained.folder, tokenizer=trained.tokenizer, contexts=pair
            )
    except (ValueError, OSError) as error:
        raise BadInput(str(error)) from None
    console.print(Text(trained.name, "bold"))
    for name, place in zip(("original ", "rewritten"), pair, strict=True):
        console.print(Text.assemble((f"{name}  ", "dim"), _before(place), (" ▮", "bold")), soft_wrap=True)
    console.print(_table(sides))
    for line in _verdict(pair, sides):
        console.print(line, markup=False, highlight=False)


def _table(sides: Sequence[Completion]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", justify="right")
    for title in ("original", "rewritten"):
        table.add_column(title, min_width=16)
        table.add_column("p", justify="right")
    for rank in range(max(len(side.candidates) for side in sides)):
        row: list[Text] = [Text(str(rank + 1), "dim")]
        for side in sides:
            if rank >= len(side.candidates):
                row += [Text(), Text()]
                continue
            candidate = side.candidates[rank]
            style = "bold green" if side.true and candidate.text == side.true.text else ""
            row += [Text(candidate.text, style), Text(f"{candidate.probability:.4f}", style)]
        table.add_row(*row)
    return table


def _verdict(pair: Sequence[Context], sides: Sequence[Completion]) -> list[str]:
    lines = []
    for name, side in zip(("original ", "rewritten"), sides, strict=True):
        if side.true is None:
            lines.append(f"{name}  the file ends here")
            continue
        rank = f"rank {side.rank}" if side.rank else "not among the ten"
        lines.append(f"{name}  {side.true.text} stands there: {rank}, p {side.true.probability:.4f}")
    if not all(side.exact for side in sides):
        lines.append("the search was cut off: better tokens may be missing")
    first, second = (place.spelled[: place.at] for place in pair)
    if first == second:
        lines.append("the rewrites changed nothing before this place")
    return lines
