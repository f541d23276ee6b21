"""Speed of the bootstrap and of a report over many cells: `python -m benchmarks.analysis --cells 1000`.

The folder is as large on disk as a grid's would be, token tables included. CPU is user + system time of this
process, which says more than wall time where others use the machine too.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from analysis import report
from analysis.bootstrap import bootstrap
from analysis.results import Results
from analysis.simulation import Simulation, write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=1000, help="at least so many rewritten cells")
    parser.add_argument("--tokens", type=int, default=50_000_000, help="about so many token rows in all")
    parser.add_argument(
        "--folder", type=Path, help="keep the simulated results folder here, or use the one there"
    )
    chosen = parser.parse_args()
    _bootstrap()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary) / "grid"
        if not folder.exists():
            _timed(
                f"simulation of {chosen.cells} cells",
                lambda: write(folder, _grid(chosen.cells, chosen.tokens)),
            )
        results = Results(folder)
        print(f"{len(results.cells)} cells, {results.n_tokens_rows:,} token rows")
        _timed("report", lambda: report.make(folder))
    print(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def _bootstrap() -> None:
    rng = np.random.default_rng(0)
    sums = rng.gamma(2, size=(10_000, 2))
    _timed(
        "10,000 resamples of 10,000 samples",
        lambda: bootstrap(sums, lambda totals: totals[:, :1] / totals[:, 1:], resamples=10_000),
    )


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


def _timed(name: str, work: object) -> None:
    assert callable(work)
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    print(
        f"{name}: {time.perf_counter() - wall:.2f} s wall, {time.process_time() - cpu:.2f} s CPU", flush=True
    )


if __name__ == "__main__":
    main()
