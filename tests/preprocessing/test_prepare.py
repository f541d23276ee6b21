import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from preprocessing import shards, tokenizers
from preprocessing.__main__ import main
from preprocessing.errors import BadInput
from preprocessing.prepare import PrepareConfig, prepare

FILES = {f"p{n}/a.py": f"def f{n}(a):\n    return a + {n}\n" for n in range(6)} | {"p0/bad.py": "("}


def test_from_a_folder_to_shards_and_lines(
    make_folder: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("corpus: {shards: 2}\ntokenizer: {kind: bpe, vocab_size: 270}\n")
    out = tmp_path / "out"
    assert main([str(make_folder(FILES)), str(out), "--spec", str(spec)]) == 0
    printed = capsys.readouterr().out
    assert "train: 4 samples" in printed
    assert "left out: 1 untokenizable" in printed
    encoded = [shards.open(folder) for folder in sorted((out / "encoded").iterdir())]
    assert sum(len(shard) for shard in encoded) == 6
    trained = tokenizers.load(out / "tokenizer")
    assert all(np.max(shard.subwords) < trained.vocab_size for shard in encoded)
    assert len((out / "lines" / "train.txt").read_text().splitlines()) == 4
    assert json.loads((out / "facts.json").read_text())["corpus"]["excluded"] == {"untokenizable": 1}


def test_workers_change_nothing(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    config = PrepareConfig(corpus={"shards": 3})
    written = []
    for workers in (1, 2):
        out = tmp_path / f"out{workers}"
        prepare(make_folder(FILES), out, config, workers=workers)
        written.append({path.relative_to(out): path.read_bytes() for path in out.rglob("*.*")})
    assert written[0] == written[1]
    assert {str(path) for path in written[0] if path.parts[0] == "lines"} == {
        f"lines/{name}.txt" for name in ("train", "valid", "test")
    }


@pytest.mark.parametrize(
    "spec, message",
    [
        ("corpus: {shard: 2}", "shard"),
        ("tokenizer: {kind: bqe}", "bqe"),
        ("corpus: [", "expected"),
        ("corpus: {keep: {min_bytes: 100000}}", "no sample is left"),
    ],
)
def test_bad_specs(
    make_folder: Callable[..., Path],
    tmp_path: Path,
    spec: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "spec.yaml").write_text(spec)
    assert main([str(make_folder(FILES)), str(tmp_path / "out"), "--spec", str(tmp_path / "spec.yaml")]) == 2
    assert message in capsys.readouterr().err


def test_output_must_be_empty(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not an empty folder"):
        prepare(make_folder(FILES), make_folder({"x": ""}, "out"), PrepareConfig())
    with pytest.raises(BadInput, match="can't write"):
        prepare(make_folder(FILES), Path("/proc/out"), PrepareConfig())


def test_a_full_disk_is_said_and_leaves_nothing_behind(
    make_folder: Callable[..., Path], tmp_path: Path
) -> None:
    source = make_folder({f"p{n}/a.py": f"x = {n}\n" + "import os\n" * n for n in range(60)})
    out = tmp_path / "out"
    out.mkdir()
    for kilobytes in (8, 24, 40, 64):  # it is full at different stages
        small = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(out)]
        if os.geteuid() or subprocess.run(small, check=False).returncode:
            pytest.skip("a small disk needs root, and leave to mount one")
        try:
            command = [sys.executable, "-m", "preprocessing", str(source), str(out)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
            assert "No space left on device" in done.stderr
            assert not list(out.iterdir())
        finally:
            subprocess.run(["umount", str(out)], check=True)


def test_what_the_container_has_not_is_not_imported() -> None:
    code = (
        "import sys, preprocessing.prepare; sys.exit(bool({'torch', 'libcst', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
