"""One program rewritten in a worker process: its new bytes, and the facts about it for the report."""

from __future__ import annotations

import difflib
import io
import json
import tokenize
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import transformers_py
from grid.commands.rewrite.inputs import Piece
from preprocessing.corpus import decoding
from preprocessing.errors import BadSource
from preprocessing.lexer.tokens import lex
from transformers_py.selection import selected

Disproves = Callable[[Sequence[Any], int], bool]


@dataclass(frozen=True, kw_only=True)
class RewriteOrder:
    """What is asked for; the same for all pieces."""

    rewrites: Sequence[Any]
    rate: float | None
    count: int | None
    seed: int
    column: str
    diff: bool
    growth_limit: float | None = None


@dataclass(kw_only=True)
class Done:
    """`data` is None where the piece could not be read at all. `status` in facts is rewritten, unchanged,
    disproved, skipped (with a reason; data is the original) or unreadable.
    """

    piece: Piece
    data: bytes | None
    facts: dict[str, Any]
    diff: list[str] = field(default_factory=list)


def rewrite(piece: Piece, order: RewriteOrder) -> Done:
    """Rewrite one piece. What can't be rewritten keeps its bytes."""
    try:
        raw = piece.file.path.read_bytes() if piece.raw is None else piece.raw
    except OSError as error:
        return Done(piece=piece, data=None, facts=_facts(piece, "unreadable", error.strerror or str(error)))
    try:
        original = _Line(raw, order.column) if piece.line else _File(raw)
        return _rewritten(piece, original, raw, order)
    except BadSource as error:
        return Done(piece=piece, data=raw, facts=_facts(piece, "skipped", error.reason, error.detail))
    except transformers_py.Unparseable as error:
        return Done(piece=piece, data=raw, facts=_facts(piece, "skipped", error.reason, error.detail))
    except (MemoryError, RecursionError) as error:
        return Done(piece=piece, data=raw, facts=_facts(piece, "skipped", "too_deep", type(error).__name__))


def untouched(piece: Piece, reason: str, detail: str) -> Done:
    """A piece that is skipped without a look inside."""
    try:
        raw = piece.file.path.read_bytes() if piece.raw is None else piece.raw
    except OSError as error:
        return Done(piece=piece, data=None, facts=_facts(piece, "unreadable", error.strerror or str(error)))
    return Done(piece=piece, data=raw, facts=_facts(piece, "skipped", reason, detail))


def _facts(piece: Piece, status: str, reason: str, detail: str = "") -> dict[str, Any]:
    return {"file": piece.label, "status": status, "reason": reason, "detail": detail}


class _File:
    """A whole file (`utf-8-sig` writes a BOM back)."""

    def __init__(self, data: bytes) -> None:
        self.text = decoding.decode(data)
        self.encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)

    def encode(self, text: str) -> bytes:
        return text.encode(self.encoding)


class _Line:
    """A line of a JSONL file; all its other columns stay as they are."""

    def __init__(self, data: bytes, column: str) -> None:
        self.column = column
        try:
            self.row = json.loads(data)
        except ValueError as error:
            raise BadSource("not_json", str(error)) from None
        text = self.row.get(column) if isinstance(self.row, dict) else None
        if not isinstance(text, str):
            raise BadSource("no_code", f"no text in column '{column}'")
        self.text = decoding.decode(text)

    def encode(self, text: str) -> bytes:
        return json.dumps({**self.row, self.column: text}, ensure_ascii=False).encode() + b"\n"


def _rewritten(piece: Piece, original: _File | _Line, raw: bytes, order: RewriteOrder) -> Done:
    text = original.text
    source = transformers_py.Source.analyse(text)
    key = sha256(text.encode()).hexdigest()
    seeded: dict[str, Any] = {"seed": order.seed, "key": key}
    limit = order.growth_limit
    done = transformers_py.emit(
        source, order.rewrites, rate=order.rate, count=order.count, growth_limit=limit, **seeded
    )
    facts: dict[str, Any] = {
        "file": piece.label,
        "status": done.status,
        "sites": dict(done.sites),
        "available": dict(done.available),
        "refusals": dict(done.refusals),
    }
    data = raw
    if done.status == "rewritten":
        try:
            data = original.encode(done.text)
        except UnicodeEncodeError as error:
            raise BadSource("not_encodable", str(error)) from None
    elif done.status == "disproved":
        asked = {"rate": order.rate, "count": order.count, **seeded}
        facts["disproved"] = {"problem": done.problem, **_blamed(source, order.rewrites, asked)}
    for name, size in (("tokens", len(lex(text))), ("bytes", len(raw))):
        facts[f"{name}_before"] = size
    facts |= {"tokens_after": len(lex(done.text)), "bytes_after": len(data)}
    diff = _diff(piece.label, text, done.text) if order.diff and done.text != text else []
    return Done(piece=piece, data=data, facts=facts, diff=diff)


def _diff(label: str, before: str, after: str) -> list[str]:
    names = (label, f"{label} (rewritten)")
    return list(difflib.unified_diff(before.splitlines(), after.splitlines(), *names, lineterm=""))


def _blamed(source: Any, rewrites: Sequence[Any], asked: dict[str, Any]) -> dict[str, str]:
    """Rewrite and site behind a failed proof, looked for in each rewrite alone, then in all together."""
    seeded = {name: asked[name] for name in ("seed", "key")}

    def disproves(part: Sequence[Any], count: int) -> bool:
        return bool(transformers_py.emit(source, part, count=count, **seeded).status == "disproved")

    for part in [*([rewrite] for rewrite in rewrites), rewrites]:
        n = first_bad(part, len(selected(source, part, **asked)), disproves)
        if n:
            name, offset = selected(source, part, count=n, **seeded)[n - 1]
            return {"rewrite": name, "site": place(source.text, offset)}
    return {"rewrite": "", "site": ""}


def first_bad(part: Sequence[Any], total: int, disproves: Disproves) -> int:
    """The smallest count of sites whose proof fails, 0 if that of all `total` holds."""
    if not total or not disproves(part, total):
        return 0
    good, bad = 0, total
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (good, middle) if disproves(part, middle) else (middle, bad)
    return bad


def place(text: str, offset: int) -> str:
    """ "line:column" of an offset, both from 1."""
    before = text[:offset].splitlines(keepends=True) or [""]
    if before[-1].endswith(("\n", "\r")):
        before.append("")
    return f"{len(before)}:{len(before[-1]) + 1}"
