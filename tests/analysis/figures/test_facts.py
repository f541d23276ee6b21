import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.figures import facts
from analysis.figures.style import Plot


def sizes(**more: object) -> pd.DataFrame:
    rows = [
        {"rewrites": name, "intensity": intensity, "seed": seed, "samples": 10, "rewritten": 0.5,
         "thrown_out": 0.1 * seed, "growth": 1.5, "growth_p95": 2.0} | more
        for name in ("rename", "dead")
        for intensity in ("1", "0.5", "count 5")
        for seed in (1, 2)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def lengths(corpus: str = "") -> pd.DataFrame:
    rows = [
        (corpus, unit, split, 2**n, 2 ** (n + 1), n % 3)
        for unit in ("tokens", "lines", "bytes")
        for split in ("train", "test")
        for n in range(8)
    ]
    return pd.DataFrame(rows, columns=["corpus", "unit", "split", "from", "to", "samples"])


def vocabulary() -> pd.DataFrame:
    read = [0, 10, 100, 1000, 10_000]
    return pd.DataFrame(
        {"corpus": "", "n_tokens": read, "tokens": [n**0.5 for n in read], "identifiers": read}
    )


def texts(plot: Plot) -> list[str]:
    return [text.get_text() for text in plot.figure.legends[0].get_texts()]


def test_growth_has_a_line_for_each_set_and_intensities_in_order() -> None:
    plot = facts.growth(sizes())
    assert [tick.get_text() for tick in plot.figure.axes[0].get_xticklabels()] == ["0.5", "1", "count 5"]
    assert texts(plot)[:2] == ["rename", "dead"]
    assert len(plot.figure.axes) == 3
    line = plot.figure.axes[2].lines[0]
    assert np.asarray(line.get_ydata()) == pytest.approx([15.0] * 3)  # the mean over two seeds


def test_growth_names_what_else_differs() -> None:
    table = pd.concat([sizes(**{"size.throw_out.max_growth": limit}) for limit in (2, 3)])
    assert texts(facts.growth(table))[:2] == ["rename, 2", "dead, 2"]


def test_lengths_add_up_to_all_samples() -> None:
    plot = facts.lengths(lengths())
    for ax in plot.figure.axes:
        assert all(np.asarray(line.get_ydata())[-1] == pytest.approx(100) for line in ax.lines)
    assert texts(plot) == ["train", "test"]
    two = facts.lengths(pd.concat([lengths("a"), lengths("b")]))
    assert texts(two) == ["a: train", "a: test", "b: train", "b: test"]


def test_vocabulary_names_the_exponent() -> None:
    assert texts(facts.vocabulary(vocabulary())) == [
        "distinct tokens, β = 0.50",
        "distinct identifiers, β = 1.00",
    ]


def test_a_process_of_its_own_draws_what_is_there(tmp_path: Path) -> None:
    sizes().to_csv(tmp_path / "sizes.csv", index=False)
    command = [sys.executable, "-m", "analysis.figures.facts", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    names = [str(tmp_path / "figures" / f"growth.{kind}") for kind in ("pdf", "png", "csv")]
    assert done.stdout.splitlines() == names
    (tmp_path / "lengths.csv").write_text("no,such\n1,2\n")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {tmp_path}")
