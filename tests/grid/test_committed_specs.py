"""Every spec of configs/ runs from start to end in miniature: to its cells, tables and report."""

import io
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from analysis.report import page
from grid import executors, hosts
from grid.commands.run import DONE, Run
from grid.plan.opening import open_grid

CONFIGS = Path(__file__).parents[2] / "configs"
SPECS = sorted([*CONFIGS.glob("grid/*.yaml"), *CONFIGS.glob("corpora/*.yaml")])
SMALL = [
    *("corpus.keep.min_bytes=300", "corpus.keep.max_bytes=1000", "corpus.keep.max_samples=16"),
    *("corpus.shards=1", "tokenizer.vocab_size=280"),
    *("training.batch_tokens=32", "training.window=16", "training.max_steps=2", "training.validate_every=1"),
    *("training.valid_tokens=100", "evaluation.max_expansions=5"),
]
OFFLINE = (
    "corpus.source={kind: union, sources: "
    "[{kind: stdlib, projects: modules}, {kind: directory, path: CODE, license: MIT}]}"
)
"""In the place of sources that ask PyPI: nothing is downloaded here. Modules are the projects, so that there
are as many as packages would be."""
LESS = {
    "quickstart": ["models.gru.d_model=8", "axes.seed=[1]", "axes.intensity=[1.0]"],
    "lampion": ["models.gru.d_model=8", "axes.intensity=[{count: 5}]", "evaluation.metrics=[entropy]"],
    "study": [
        *("models.open.d_model=8", "models.closed.d_model=8", "axes.seed=[1]", "exclude=[]"),
        *("axes.intensity=[1.0]", "axes.train_on=[original+augmented]", "evaluation.metrics=[entropy]"),
        OFFLINE,
    ],
    "files-20k": ["models.gru.d_model=8", "evaluation.metrics=[entropy]", OFFLINE],
}
"""What is smaller in a spec: fewer values of an axis, never fewer rewrites or models."""
CELLS = {"quickstart": 11, "lampion": 11, "study": 33, "files-20k": 2}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all."""
    return tmp_path_factory.mktemp("committed")


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code")
    for n in range(4):
        lines = [f"    total = total * width + {k} - height" for k in range(n, n + 10)]
        text = "\n".join([f"def area_{n}(width, height):", "    total = 0", *lines, "    return total\n"])
        (folder / f"m{n}.py").write_text(text)
    return folder


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("file", SPECS, ids=lambda file: file.stem)
def test_a_committed_spec_runs_to_its_report(file: Path, root: Path, code: Path) -> None:
    runs_to_its_report(file, root, code, None)


@pytest.mark.slow
def test_a_committed_spec_runs_in_processes_of_this_machine(tmp_path: Path, code: Path) -> None:
    runs_to_its_report(CONFIGS / "corpora" / "files-20k.yaml", tmp_path, code, "local")


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("hosts/*.yaml")), ids=lambda file: file.stem)
def test_a_committed_hosts_file_has_slots_for_all_that_trains_nothing(file: Path) -> None:
    place = hosts.load(str(file))
    assert place.executor == file.stem
    assert {"corpus", "variant", "encode"} <= {kind for slot in place.make_slots() for kind in slot.kinds}


def runs_to_its_report(file: Path, root: Path, code: Path, place: str | None) -> None:
    sets = [text.replace("CODE", str(code)) for text in [*SMALL, *LESS[file.stem]]]
    executor, slots = executors.lookup(place or "inprocess", hosts.load(place))
    grid, out = open_grid(str(file), sets), io.StringIO()
    console = Console(file=out, width=200)
    run = Run(grid=grid, root=root, slots=slots, executor=executor, console=console, report=False)
    assert run.run() == DONE, out.getvalue()
    written = page.make(root / grid.spec.name)
    assert {path.suffix for path in written} >= {".html", ".pdf", ".png", ".csv", ".tex"}
    cells = pd.read_parquet(root / grid.spec.name / "cells.parquet")
    assert len(cells) == CELLS[file.stem]
    assert set(cells["status"]) == {"done"}
    assert set(cells["rewrites"].dropna()) == set(grid.spec.rewrites)
    assert set(cells["model"]) == set(grid.spec.models)
