"""Speed of a row of a table, and of a report over many cells: `python -m benchmarks.analysis [--json FILE]`.

The folder is as large on disk as a grid's would be, token tables included. The report is made by a process of
its own, as a user's is: its time is from start to end, and its memory the peak of that process. CPU is user +
system time, which says more than wall time where others use the machine too.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from analysis.results import Results
from analysis.statistics.crossed import Layout
from analysis.statistics.measures import Pairs, measure
from analysis.statistics.metrics import Metric, Ratio
from tests.simulation.folder import Simulation, write

ROWS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=1000, help="at least so many rewritten cells")
    parser.add_argument("--tokens", type=int, default=50_000_000, help="about so many token rows in all")
    parser.add_argument(
        "--folder", type=Path, help="keep the simulated results folder here, or use the one there"
    )
    parser.add_argument("--json", type=Path, help="write what was measured to this file")
    chosen = parser.parse_args()
    found: dict[str, Any] = {"machine": _machine(), "row": _row()}
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary) / "grid"
        if not folder.exists():
            write(folder, _grid(chosen.cells, chosen.tokens))
        found["report"] = _report(folder)
    text = json.dumps(found, indent=1) + "\n"
    print(text, end="")
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(text, encoding="utf-8")


def _machine() -> dict[str, Any]:
    """What was measured on; no names of hosts."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "numpy": np.__version__,
    }


def _row() -> dict[str, Any]:
    """One row of a table: interval, tests and effect sizes of 2,000 samples of 22 projects, three seeds."""
    rng, samples, seeds = np.random.default_rng(0), 2000, 3
    project = np.tile(np.sort(rng.integers(0, 22, size=samples)), seeds)
    n = np.tile(rng.integers(50, 400, size=samples).astype(float), seeds)
    sums = {"bits_b": n * rng.gamma(4, 0.5, size=len(n)), "n_a": n, "n_b": n}
    sums["bits_a"] = sums["bits_b"] + n * rng.normal(0.1, 0.3, size=len(n))
    cell, sample = np.repeat(np.arange(seeds), samples), np.tile(np.arange(samples), seeds)
    pairs = Pairs(cell=cell, project=project, sample=sample, sums=sums)
    metric = Metric(name="m", label="", unit="", form=Ratio(numerator="bits", denominator="n"))
    times = []
    for _ in range(ROWS):
        start = time.process_time()
        measure(pairs, metric, "n", Layout.of, margin=None, resamples=2000, seed=0, level=0.95)
        times.append(1000 * (time.process_time() - start))
    return {"samples": samples, "rows": ROWS, "cpu_ms_median": round(float(np.median(times)), 2)}


def _report(folder: Path) -> dict[str, Any]:
    results = Results(folder)
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "analysis", folder], check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "cells": len(results.cells),
        "token_rows": results.n_tokens_rows,
        "wall_s": round(wall, 1),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "peak_gib": round(used.ru_maxrss / 2**20, 2),
    }


def _grid(cells: int, tokens: int) -> Simulation:
    intensities, seeds, models, mixes = 5, 3, 3, 3
    rewrites = max(1, -(-cells // (intensities * seeds * models * mixes)))
    per_table = tokens / (2 * rewrites * intensities * seeds * models * mixes)
    return Simulation(
        rewrites=[f"rewrite_{i}" for i in range(rewrites)],
        intensities=[0.1, 0.25, 0.5, 0.75, 1.0],
        train_on=["original", "augmented", "original+augmented"],
        models=["gru", "gpt", "ngram"],
        seeds=[1, 2, 3],
        projects=20,
        samples_per_project=5,
        tokens_per_sample=max(10, round(per_table / 100)),
        effects={},
    )


if __name__ == "__main__":
    main()
