"""A grid in miniature, and jobs of probe steps for tests of the scheduler, the executors and the driver."""

import itertools
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from grid.keys import digest
from grid.plan.graph import Artifacts, Step
from grid.plan.jobs import Job

Chain = Callable[..., Job]
MiniGrid = Callable[..., Path]
FUNCTION = """\
def area_{n}(width, height):
    total = width * height + {n}
    for step in range(total):
        if step > {n}:
            total = total - step
    return total
"""


@pytest.fixture(scope="session")
def mini_grid() -> MiniGrid:
    """Writes some code and the spec of a grid over it into a folder, and returns the spec's file.

    code: texts by file name, or how many small ones; changes: sections of the spec in the place of these.
    """

    def make(folder: Path, code: Mapping[str, str] | int = 8, **changes: Any) -> Path:
        if isinstance(code, int):
            code = {f"m{n}.py": FUNCTION.format(n=n) * (1 + n % 3) for n in range(code)}
        (folder / "code").mkdir()
        for name, text in code.items():
            (folder / "code" / name).write_text(text)
        sections = {
            "name": "mini",
            "corpus": {
                "source": {"kind": "directory", "path": str(folder / "code")},
                "keep": {"min_bytes": 1},
                "split": {"by": "file", "train": 0.5, "valid": 0.25, "test": 0.25, "seed": 1},
                "shards": 1,
            },
            "rewrites": {"rename": ["rename_variable"], "parens": ["parentheses"]},
            "tokenizer": {"kind": "bpe", "vocab_size": 300},
            "models": {"small": {"kind": "gru", "d_model": 8}, "bigram": {"kind": "ngram", "order": 2}},
            "training": {"batch_tokens": 64, "window": 16, "max_steps": 6, "validate_every": 3},
            "axes": {"rewrites": ["rename", "parens"], "intensity": [1.0], "seed": [1]},
        }
        file = folder / f"{changes.get('name', 'mini')}.yaml"
        YAML().dump(sections | changes, file)
        return file

    return make


@pytest.fixture
def probe_job() -> Chain:
    def make(name: str, *needs: Job, **parameters: Any) -> Job:
        read = tuple(Artifacts("probe", tuple(s.key for s in need.steps), need.id) for need in needs)
        roles = tuple(f"need{n}" for n in range(len(needs)))
        key = digest([name, parameters])
        step = Step("probe", key, name, {"name": name, **parameters}, roles, read, {})
        return Job(f"probe-{name}", "probe", (step,), tuple(sorted(need.id for need in needs)))

    return make


@pytest.fixture
def jumping_clock(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Environment of processes whose clock jumps years ahead and back, four times a second."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: the clock can't be made to jump")
    library, clock = tmp_path / "jumping_clock.so", tmp_path / "clock"
    source = Path(__file__).with_name("jumping_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    over = threading.Event()

    def jump() -> None:
        for years in itertools.cycle((0, 10, -20, 1, -1)):
            clock.with_suffix(".new").write_text(str(years * 365 * 24 * 3600))
            clock.with_suffix(".new").replace(clock)
            if over.wait(0.25):
                return

    jumping = threading.Thread(target=jump)
    jumping.start()
    yield {**os.environ, "LD_PRELOAD": str(library), "AUGRID_CLOCK": str(clock)}
    over.set()
    jumping.join()
