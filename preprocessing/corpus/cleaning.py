"""One raw file becomes samples, or reasons why it does not. A pure function, so that files can be
cleaned in parallel.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from preprocessing.corpus import decoding, duplicates
from preprocessing.corpus.duplicates import NearConfig
from preprocessing.corpus.functions import FunctionsConfig, functions
from preprocessing.errors import BadSource
from preprocessing.fetching.raw import Excluded, RawFile
from preprocessing.frozen import Frozen
from preprocessing.lexer.tokens import lex

MAX_FILE_BYTES = 16 * 2**20
# SPDX identifiers of licences that ask for no more than a notice: a list of our own, no legal advice.
PERMISSIVE = frozenset(
    [
        "0BSD",
        "AFL-2.1",
        "AFL-3.0",
        "Apache-1.1",
        "Apache-2.0",
        "Artistic-2.0",
        "BSD-1-Clause",
        "BSD-2-Clause",
        "BSD-2-Clause-Patent",
        "BSD-3-Clause",
        "BSD-3-Clause-Clear",
        "BSL-1.0",
        "BlueOak-1.0.0",
        "CC0-1.0",
        "ECL-2.0",
        "HPND",
        "ISC",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "MulanPSL-2.0",
        "NCSA",
        "PSF-2.0",
        "PostgreSQL",
        "Python-2.0",
        "Python-2.0.1",
        "UPL-1.0",
        "Unlicense",
        "W3C",
        "X11",
        "ZPL-2.0",
        "ZPL-2.1",
        "Zlib",
        "bzip2-1.0.6",
    ]
)
_GENERATED = re.compile(
    r"auto(?:matically|-|\s)*generated|(?:file|code|module) (?:is|was) (?:\w+ )?generated"
    r"|generated (?:by|from|using) |do not (?:edit|modify)|machine[- ]generated",
    re.IGNORECASE,
)
_GENERATED_LINES = 15  # such a remark stands at the top


class KeepConfig(Frozen):
    """Which samples stay. Bytes are those of the text in UTF-8; tokens are counted without comments.

    Lines: the limits of Chen et al. 2021 (Codex, section 3.1), who leave out files with an average
    above 100 or a maximum above 1,000 characters. `generated`: false leaves out what says in a comment
    or docstring of its first 15 lines that it was generated. `licenses`: `any`, `permissive`, or a list
    of SPDX identifiers.
    """

    min_bytes: int = Field(default=1, ge=0)
    max_bytes: int = Field(default=1_000_000, ge=1, le=MAX_FILE_BYTES)
    max_line_chars: int | None = Field(default=1_000, ge=1)
    max_mean_line_chars: int | None = Field(default=100, ge=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_samples: int | None = Field(default=None, ge=1)
    generated: bool = False
    licenses: Literal["any", "permissive"] | tuple[str, ...] = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One source text that passed the filters."""

    project: str
    path: str
    license: str
    date: str
    given_split: str
    text: str
    docstring: str | None
    n_tokens: int
    n_bytes: int
    signature: bytes = b""

    @property
    def name(self) -> str:
        """16 hex digits, from project, path and text."""
        return hashlib.sha256(f"{self.project}\0{self.path}\0{self.text}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class CleaningRules:
    """All that decides what becomes of a file; `functions` and `near` are None if they aren't asked for."""

    keep: KeepConfig = field(default_factory=KeepConfig)
    functions: FunctionsConfig | None = None
    near: NearConfig | None = None


def clean(raw: RawFile | Excluded, rules: CleaningRules) -> Iterator[Sample | Excluded]:
    """The samples of one file, and what of it stays out."""
    project, path = _printable(raw.project), _printable(raw.path)
    if isinstance(raw, Excluded):
        yield Excluded(project=project, path=path, reason=raw.reason, detail=raw.detail)
        return
    try:
        check_license(raw.license, rules.keep)
        text = decoding.decode(raw.data)
        if rules.functions is None:
            yield _sample(raw, path, text, None, rules)
            return
        lex(text)
        decoding.check_syntax(text)
        found = list(functions(text, rules.functions))
    except BadSource as bad:
        yield Excluded(project=project, path=path, reason=bad.reason, detail=bad.detail)
        return
    for function in found:
        where = f"{path}:{function.name}"
        try:
            yield _sample(raw, where, function.text, function.docstring, rules)
        except BadSource as bad:
            reason = "not_standalone" if bad.reason in ("syntax_error", "untokenizable") else bad.reason
            yield Excluded(project=project, path=where, reason=reason, detail=bad.detail)


def _sample(raw: RawFile, path: str, text: str, docstring: str | None, rules: CleaningRules) -> Sample:
    """Check one text, cheap checks first."""
    keep = rules.keep
    n_bytes = len(text.encode())
    if n_bytes < keep.min_bytes:
        raise BadSource("too_small", f"{n_bytes:,} bytes; keep.min_bytes is {keep.min_bytes:,}")
    if n_bytes > keep.max_bytes:
        raise BadSource("too_large", f"{n_bytes:,} bytes; keep.max_bytes is {keep.max_bytes:,}")
    _check_lines(text, keep)
    tokens = lex(text)
    if not len(tokens):
        raise BadSource("no_tokens", "nothing but blank lines and comments")
    if keep.max_tokens and len(tokens) > keep.max_tokens:
        raise BadSource("too_many_tokens", f"{len(tokens):,} tokens; keep.max_tokens is {keep.max_tokens:,}")
    decoding.check_syntax(text)
    return Sample(
        project=_printable(raw.project),
        path=path,
        license=raw.license,
        date=raw.date,
        given_split=raw.split,
        text=text,
        docstring=docstring,
        n_tokens=len(tokens),
        n_bytes=n_bytes,
        signature=duplicates.signature(text, tokens, rules.near) if rules.near else b"",
    )


def _check_lines(text: str, keep: KeepConfig) -> None:
    lines = text.splitlines() or [""]
    longest = max(map(len, lines))
    mean = sum(map(len, lines)) / len(lines)
    if keep.max_line_chars and longest > keep.max_line_chars:
        detail = f"{longest:,} characters; keep.max_line_chars is {keep.max_line_chars:,}"
        raise BadSource("long_line", detail)
    if keep.max_mean_line_chars and mean > keep.max_mean_line_chars:
        detail = f"{mean:.0f} characters on average; keep.max_mean_line_chars is {keep.max_mean_line_chars:,}"
        raise BadSource("long_lines", detail)
    if not keep.generated:
        for line in lines[:_GENERATED_LINES]:
            if line.lstrip().startswith(("#", '"', "'")) and _GENERATED.search(line):
                raise BadSource("generated", line.strip()[:100])


def check_license(expression: str, keep: KeepConfig) -> None:
    """Raises BadSource (`license`) unless an SPDX expression can be met with the licences asked for."""
    if keep.licenses == "any":
        return
    allowed = PERMISSIVE if keep.licenses == "permissive" else frozenset(keep.licenses)
    plain = expression.replace("(", " ").replace(")", " ")
    # Inside brackets OR is not looked at: then every licence that is named must be allowed.
    choices = plain.split(" OR ") if plain == expression else [plain.replace(" OR ", " AND ")]
    if not any(all(name.strip() in allowed for name in choice.split(" AND ")) for choice in choices):
        raise BadSource("license", expression or "unknown")


def _printable(name: str) -> str:
    """File names needn't be UTF-8; tables must."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
