"""A user stands in a folder whose packages have the names of ours, and of what we use: none is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from preprocessing import interpreter

OURS = ("grid", "models", "analysis", "tasks", "preprocessing", "transformers_py")
THEIRS = ("pandas", "torch", "joblib", "libcst", "ipykernel_launcher", "secrets")
SPEC = """\
name: mini
corpus:
  source: {kind: directory, path: code}
  keep: {min_bytes: 1}
  split: {by: file, train: 0.5, valid: 0.25, test: 0.25, seed: 1}
  shards: 1
rewrites: {rename: [rename_variable]}
tokenizer: {kind: bpe, vocab_size: 300}
models: {small: {kind: ngram, order: 2}}
training: {batch_tokens: 64, window: 16, max_steps: 2}
axes:
  rewrites: [rename]
  intensity: [1.0]
  train_on: [original]
  model: [small]
  seed: [1]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a spec, code, and modules that end whoever imports them."""
    for name in OURS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('imported {name} from here')")
    for name in THEIRS:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('imported {name} from here')")
    (tmp_path / "mini.yaml").write_text(SPEC)
    (tmp_path / "code").mkdir()
    for n in range(8):
        text = f"def area_{n}(width, height):\n    total = width * height\n    return total\n"
        (tmp_path / "code" / f"m{n}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    return tmp_path


def augrid(*arguments: str) -> str:
    """Run the command as its script does: Python looks for modules beside the script, and not here."""
    command = [sys.executable, "-P", "-m", "grid", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_steps(here: Path) -> None:
    """Steps, those that are started ahead, and the processes that clean a corpus for one of them."""
    assert "cells: 2 done" in augrid("run", "mini.yaml", "--slots", "1", "--no-report")


@pytest.mark.slow
def test_two_processes_of_a_training_the_report_and_notebooks(here: Path) -> None:
    sets = ("--set", "models.small={kind: gru, d_model: 8}", "--set", "training.devices=2")
    assert "cells: 2 done" in augrid("run", "mini.yaml", *sets)
    augrid("report", "mini.yaml", *sets, "--notebooks")
    assert len(list((here / "results" / "mini" / "notebooks").iterdir())) == 4


@pytest.mark.parametrize(
    "arguments",
    [
        ("rewrite", "code", "--rewrites", "rename_variable", "--out", "new", "--jobs", "2"),
        ("preprocess", "code", "new", "--jobs", "2", "--set", "corpus.keep={min_bytes: 1}"),
    ],
    ids=lambda arguments: str(arguments[0]),
)
def test_processes_of_a_command(here: Path, arguments: tuple[str, ...]) -> None:
    augrid(*arguments)
    assert any((here / "new").iterdir())


def test_where_pip_installed_us_nothing_goes_before_the_standard_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("site.getsitepackages", lambda: [str(interpreter.ROOT)])
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert "PYTHONPATH" not in interpreter.environment()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", str(tmp_path)]))
    assert interpreter.environment()["PYTHONPATH"] == str(tmp_path)
