"""`augrid preprocess`: a folder of files prepared with the corpus, tokens and tokenizer of some spec."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from grid.spec import document as documents
from grid.spec.document import Document, parse
from grid.spec.findings import Findings
from grid.spec.schema import Spec, find, schema, section_type
from preprocessing.errors import BadInput, suggest

SECTIONS = ("corpus", "tokens", "tokenizer")


def prepare(source: Path, out: Path, spec: str | None, sets: Sequence[str], jobs: int) -> Iterator[str]:
    """Prepare the files below `source` into `out` (preprocessing.prepare); lines that say what came of it.

    `spec` may be a whole spec or one that has no more than these sections; its source isn't used.

    Raises:
        BadInput: the spec, the folders, or nothing that is left after the filters.
    """
    from preprocessing import prepare as steps

    text = documents.read(find(spec), sets) if spec is not None else _without_file(sets)
    config = steps.PrepareConfig.model_validate(_sections(text, source))
    if not source.is_dir():
        raise BadInput(f"{source}: no such folder")
    try:
        facts = steps.prepare(source, out, config, workers=jobs)
    except OSError as error:
        raise BadInput(f"{error.filename or out}: {error.strerror or error}") from None
    for name, counts in facts["corpus"]["splits"].items():
        yield f"{name}: " + ", ".join(f"{value:,} {what}" for what, value in counts.items())
    left = ", ".join(f"{n:,} {reason}" for reason, n in facts["corpus"]["excluded"].items())
    yield f"left out: {left or 'nothing'}"
    yield str(out)


def _without_file(sets: Sequence[str]) -> Document:
    text = parse("{}", name="(no spec)")
    for assignment in sets:
        text.set(assignment)
    return text


def _sections(text: Document, source: Path) -> dict[str, Any]:
    """The three sections with defaults filled in, all their mistakes at once."""
    findings = Findings(text)
    for key in text.data:
        if key not in Spec.model_fields:
            findings.add((key,), f"no such key{suggest(key, Spec.model_fields)}")
    here = {"kind": "directory", "path": str(source)}
    given = {name: text.data[name] for name in SECTIONS if name in text.data}
    corpus = given.setdefault("corpus", {})
    if isinstance(corpus, dict):
        given["corpus"] = {**corpus, "source": here}
    valid: dict[str, Any] = {}
    for name in given:
        try:
            valid[name] = section_type(name).validate_python(given[name])
        except ValidationError as error:
            findings.add_errors(error, schema(), below=(name,))
    findings.raise_if_any()
    return {**valid, "corpus": valid["corpus"].model_dump(mode="json")}
