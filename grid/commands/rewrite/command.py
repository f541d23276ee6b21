"""`augrid rewrite`: rewrites applied to files, folders and JSONL, shown as a diff or written elsewhere."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

import transformers_py
from grid.commands.rewrite.inputs import File, ResultWriter, check_column, check_targets, files, pieces
from grid.commands.rewrite.one_piece import Done, RewriteOrder
from grid.commands.rewrite.workers import Limits, rewritten
from grid.spec import rewrite_syntax
from preprocessing.corpus import decoding
from preprocessing.errors import BadInput

LIMITS = Limits()
_NO_TOKENIZER = (
    "keep_tokens has no tokenizer here: the parts of a new name have as many letters as those of the old, "
    "while in a grid a new name has as many subwords of the grid's tokenizer"
)
_STYLES = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the command line asks for, not checked yet. Without a rate or a count all sites are rewritten,
    and without `out` and `report` the diff is shown.
    """

    paths: Sequence[Path]
    rewrites: str
    rate: float | None = None
    count: int | None = None
    growth_limit: float | None = None
    seed: int = 1
    column: str = "code"
    diff: bool = False
    out: Path | None = None
    report: Path | None = None

    def order(self, entries: Sequence[Any]) -> RewriteOrder:
        """What worker processes need of it; `entries` are its rewrites, read and checked."""
        return RewriteOrder(
            rewrites=entries,
            rate=1.0 if self.rate is None and self.count is None else self.rate,
            count=self.count,
            growth_limit=self.growth_limit,
            seed=self.seed,
            column=self.column,
            diff=self.diff or (self.out is None and self.report is None),
        )


def run(request: Request, console: Console, *, jobs: int, limits: Limits = LIMITS) -> int:
    """Rewrite all programs of the request. Returns 0, or 1 when a file is unreadable or a proof failed.

    What can't be parsed, or takes too much time or memory, is copied as it is, with a line that says why.

    Raises:
        BadInput: no path, unknown rewrites, a bad intensity, or a place that can't be written.
    """
    entries, found = _checked(request)
    if transformers_py.counts_subwords(entries):
        console.print(Text(f"note: {_NO_TOKENIZER}", "yellow"), soft_wrap=True)
    order = request.order(entries)
    facts: list[dict[str, Any]] = []
    with ExitStack() as stack:
        writer = ResultWriter(request.out, stack) if request.out is not None else None
        for done in stack.enter_context(
            _shown(rewritten(pieces(found), order, jobs, limits), found, console)
        ):
            facts.append(done.facts)
            _tell(console, done)
            if writer is not None and done.data is not None:
                writer.write(done.piece.file, done.data)
    summary = _summary(facts)
    if request.report is not None:
        _save(request.report, {"request": _request(order), "summary": summary, "files": facts})
    console.print(_sentence(summary), markup=False, highlight=False)
    return 1 if {"unreadable", "disproved"} & set(summary["status"]) else 0


def list_rewrites(console: Console) -> None:
    """Print name, what it does, growth, proof and options of every rewrite."""
    from transformers_py import catalogue

    table = Table(box=None, pad_edge=False, show_lines=False, expand=True)
    table.add_column("rewrite", no_wrap=True)
    table.add_column("what it does", ratio=3)
    table.add_column("tokens\nper site")
    table.add_column("proof", no_wrap=True)
    table.add_column("options (the first is the default)", ratio=3)
    for entry in catalogue.entries():
        options = "; ".join(
            f"{o.name}: {' | '.join(map(str, dict.fromkeys([o.default, *o.choices])))}" for o in entry.options
        )
        row = (entry.name, entry.summary, str(entry.growth), entry.proof, options)
        table.add_row(*map(Text, row))
    console.print(table)


def explain(
    where: str, rewrites: str, *, rate: float | None = None, count: int | None = None, seed: int = 1
) -> list[str]:
    """What rewrites (all, if none is named) could do at FILE:LINE, and why they leave alone the rest.

    With a rate or a count also which sites are applied, as `run` applies them to a whole file.

    Raises:
        BadInput: no such file or line, a text that can't be parsed, unknown rewrites.
    """
    name, _, line = where.rpartition(":")
    if not name or not line.isdecimal():
        raise BadInput(f"--explain {where}: write FILE:LINE")
    entries = rewrite_syntax.read(rewrites) if rewrites.strip() else list(transformers_py.names())
    try:
        text = decoding.decode(Path(name).read_bytes())
        key = sha256(text.encode()).hexdigest()
        chosen: dict[str, Any] = {"rate": rate, "count": count, "seed": seed, "key": key}
        return transformers_py.explain(text, int(line), entries, **chosen)
    except OSError as error:
        raise BadInput(f"{name}: {error.strerror or error}") from None
    except (ValueError, transformers_py.Unparseable) as error:
        raise BadInput(f"--explain {where}: {error}") from None


def _checked(request: Request) -> tuple[list[Any], list[File]]:
    """The rewrites and the files of a request; all its problems at once."""
    rate, count = request.rate, request.count
    problems = []
    if not request.paths:
        problems.append("name at least one file or folder")
    missing = [path for path in request.paths if not path.exists()]
    problems += [f"{path}: no such file or folder" for path in missing]
    if rate is not None and count is not None:
        problems.append("--rate and --count exclude each other")
    if rate is not None and not 0 <= rate <= 1:
        problems.append(f"--rate {rate:g}: must be from 0 to 1")
    if count is not None and count < 0:
        problems.append(f"--count {count}: must not be negative")
    try:
        transformers_py.check_growth_limit(request.growth_limit)
    except ValueError as error:
        problems.append(f"--growth-limit: {error}")
    entries: list[Any] = []
    try:
        entries = rewrite_syntax.read(request.rewrites) if request.rewrites.strip() else []
        transformers_py.check(entries)
    except BadInput as error:
        problems += str(error).splitlines()
    except ValueError as error:
        problems.append(f"--rewrites: {error}")
    if not request.rewrites.strip():
        problems.append(f"--rewrites: name at least one of {', '.join(transformers_py.names())}")
    found = files([path for path in request.paths if path not in missing])
    problems += check_column(found, request.column)
    problems += check_targets(found, request.out) if request.out is not None else []
    if problems:
        raise BadInput("\n".join(problems))
    return entries, found


@contextmanager
def _shown(done: Iterator[Done], found: Sequence[File], console: Console) -> Iterator[Iterator[Done]]:
    """On a terminal with a progress bar; how many lines JSONL files have isn't known."""
    if not console.is_terminal:
        yield done
        return
    total = None if any(file.is_jsonl for file in found) else len(found)
    with Progress(console=console, transient=True) as progress:
        yield iter(progress.track(done, total=total, description="rewriting"))


def _tell(console: Console, done: Done) -> None:
    facts = done.facts
    if facts["status"] in ("skipped", "unreadable"):
        reason = ": ".join(part for part in (facts["reason"], facts["detail"]) if part)
        line = f"warning: {facts['file']}: {facts['status']}: {reason}"
        console.print(Text(line, "yellow"), soft_wrap=True)
    if "disproved" in facts:
        found = facts["disproved"]
        where = f"{found['rewrite'] or 'several rewrites'} at {found['site'] or 'several sites'}"
        console.print(Text(f"disproved: {facts['file']}: {where}: {found['problem']}", "red"), soft_wrap=True)
    for line in done.diff:
        style = "bold" if line.startswith(("+++", "---")) else _STYLES.get(line[:1], "")
        console.print(Text(line, style), soft_wrap=True)


def _request(order: RewriteOrder) -> dict[str, Any]:
    rewrites = [[name, options] for name, options in transformers_py.check(order.rewrites)]
    given = {
        "rate": order.rate,
        "count": order.count,
        "growth_limit": order.growth_limit,
        "seed": order.seed,
    }
    versions = {"version": transformers_py.VERSION, "versions": transformers_py.versions(order.rewrites)}
    notes = [_NO_TOKENIZER] if transformers_py.counts_subwords(order.rewrites) else []
    return {"rewrites": rewrites, **given, **versions, "notes": notes}


def _summary(facts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    sites: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for fact in facts:
        sites.update(fact.get("sites", {}))
        refusals.update(fact.get("refusals", {}))
        sizes.update({name: n for name, n in fact.items() if name.startswith(("tokens_", "bytes_"))})
    status = Counter(fact["status"] for fact in facts)
    reasons = Counter(fact["reason"] for fact in facts if fact.get("reason"))
    return {
        "status": dict(sorted(status.items())),
        "reasons": reasons,
        "sites": sites,
        "refusals": refusals,
        **sizes,
    }


def _sentence(summary: Mapping[str, Any]) -> str:
    n = sum(summary["status"].values())
    counts = ", ".join(f"{number} {status}" for status, number in summary["status"].items())
    sentence = f"{n} files: {counts}; {sum(summary['sites'].values())} sites"
    before = summary.get("tokens_before", 0)
    if before:
        sentence += f"; {before:,} → {summary['tokens_after']:,} tokens"
    return sentence


def _save(report: Path, content: Mapping[str, Any]) -> None:
    try:
        report.write_text(json.dumps(content, indent=1), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{report}: can't be written: {error.strerror or error}") from None
