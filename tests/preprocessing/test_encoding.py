from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from preprocessing import encoding, shards, tokenizers, variants
from preprocessing.corpus import building
from preprocessing.encoding import Edit, Span
from preprocessing.lexer.tokens import KINDS, TokensConfig, lex, texts
from preprocessing.size import SizeRule
from preprocessing.tokenizers.bpe import Config
from preprocessing.variants import Emit, Emitted, Intensity, VariantRequest

TOKENS = TokensConfig()


@pytest.fixture
def tokenizer(small_corpus: Path, tmp_path: Path) -> Path:
    out = tmp_path / "tokenizer"
    out.mkdir()
    facts = tokenizers.build(Config(vocab_size=280), list(building.shard_paths(small_corpus)), TOKENS, out)
    assert facts["vocab_size"] == 280
    return out


def encoded(shard: Path, tokenizer: Path, out: Path, **more: object) -> shards.EncodedShard:
    out.mkdir()
    encoding.build(shard, tokenizer, TOKENS, out, **more)  # type: ignore[arg-type]
    return shards.open(out)


def each(data: shards.EncodedShard) -> Iterator[shards.EncodedSample]:
    return (data[index] for index in range(len(data)))


def test_decoded_tokens_are_the_tokens_of_the_text(
    small_corpus: Path, tokenizer: Path, tmp_path: Path
) -> None:
    trained = tokenizers.load(tokenizer)
    for shard in building.shard_paths(small_corpus):
        rows = pq.read_table(shard).to_pylist()
        data = encoded(shard, tokenizer, tmp_path / shard.stem)
        assert len(data) == len(data.samples) == len(rows)
        assert data.subwords.dtype == np.uint16
        for row, sample, index in zip(rows, each(data), data.samples.itertuples(), strict=True):
            tokens = lex(row["text"])
            bounds = zip(sample.token_starts[:-1], sample.token_starts[1:], strict=True)
            assert [trained.decode(sample.subwords[a:b].tolist()) for a, b in bounds] == texts(
                row["text"], tokens, TOKENS
            )
            assert sample.kinds.tolist() == tokens.kinds
            assert sample.origins.tolist() == list(range(len(tokens)))
            assert not sample.changes.any()
            ends = np.flatnonzero(trained.ends[sample.subwords]) + 1
            assert ends.tolist() == sample.token_starts[1:].tolist()
            assert (index.sample, index.split, index.outcome) == (row["sample"], row["split"], "original")


def analyse(text: str, key: str) -> Emit:
    """Rename `value`, also inside of the string, and insert a statement before the return."""

    def emit(request: VariantRequest) -> Emitted:
        if "f1" in text:
            return Emitted(text=text, edits=(), status="unchanged")
        places = [i for i in range(len(text)) if text.startswith("value", i) and text[i - 1] in " {"][:2]
        statement = text.index("return")
        edits = [(i, i + 5, "v") for i in places] + [(statement, statement, "pass; ")]
        rewritten = text
        for start, end, new in sorted(edits, reverse=True):
            rewritten = rewritten[:start] + new + rewritten[end:]
        return Emitted(text=rewritten, edits=edits, status="rewritten", sites={"demo": 1})

    return emit


def align(before: Sequence[Span], after: Sequence[Span], edits: Sequence[Edit]) -> Iterable[tuple[int, int]]:
    """Enough for `analyse`: two tokens are inserted before the return, all others follow one another."""
    inserted = next(i for i, (start, _, _) in enumerate(before) if start == edits[-1][0])
    for index in range(len(after)):
        if inserted <= index < inserted + 2:
            yield -1, encoding.INSERTED
            continue
        origin = index if index < inserted else index - 2
        start, end, _ = before[origin]
        renamed = any(start <= s and e <= end and s < e for s, e, _ in edits)
        yield origin, encoding.RENAMED if renamed else encoding.UNCHANGED


def test_alignment_is_carried_through(small_corpus: Path, tokenizer: Path, tmp_path: Path) -> None:
    shard = next(building.shard_paths(small_corpus))
    folder = tmp_path / "variant"
    folder.mkdir()
    rule = SizeRule.model_validate({"throw_out": {"max_bytes": 76}})
    request = VariantRequest(rewrites=("demo",), intensity=Intensity(rate=1.0), seed=1, size=rule)
    variants.build(shard, [request], [folder], analyse, TOKENS)
    original = encoded(shard, tokenizer, tmp_path / "original")
    variant = encoded(folder / "shard.parquet", tokenizer, tmp_path / "encoded", original=shard, align=align)
    kept = [row for row in pq.read_table(folder / "shard.parquet").to_pylist() if row["text"] is not None]
    assert [row["sample"] for row in kept] == variant.samples["sample"].tolist()
    position = {name: index for index, name in enumerate(original.samples["sample"])}
    for row, sample in zip(kept, each(variant), strict=True):
        before = original[position[row["sample"]]]
        aligned = sample.origins >= 0
        assert sample.origins[aligned].tolist() == list(range(len(before.kinds)))
        assert (sample.kinds[aligned] == before.kinds).all()
        renamed = [KINDS[kind] for kind in sample.kinds[sample.changes == encoding.RENAMED]]
        assert renamed == (
            ["name"] if row["outcome"] == "rewritten" else []
        )  # the string is too long to be seen
        assert ((sample.changes == encoding.INSERTED) == ~aligned).all()


def test_original_must_match(small_corpus: Path, tokenizer: Path, tmp_path: Path) -> None:
    first, second = building.shard_paths(small_corpus)
    (tmp_path / "out").mkdir()
    with pytest.raises((AssertionError, ValueError)):
        encoding.build(first, tokenizer, TOKENS, tmp_path / "out", original=second, align=align)
    with pytest.raises(FileNotFoundError):
        shards.open(tmp_path / "out")
