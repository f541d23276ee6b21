"""How figures look: sizes of paper templates, a palette for all eyes, and saving as PDF, PNG and CSV."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

SIZES_IN = {
    "acm": {"one": 3.33, "two": 7.0},
    "ieee": {"one": 3.5, "two": 7.16},
    "neurips": {"one": 5.5, "two": 5.5},
}
"""Widths in inches of a figure over one or two columns, by template."""

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#A6761D", "#332288", "#999933")
"""Okabe & Ito's colours without the yellow that white paper swallows, and two of Tol's."""
MARKERS = "osD^vPX<>phd"
DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1, 1, 1)))
TEXT_PT = 7.5

RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": TEXT_PT,
    "axes.titlesize": TEXT_PT,
    "axes.labelsize": TEXT_PT,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "figure.titlesize": 8,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "#444444",
    "grid.linewidth": 0.4,
    "grid.color": "#dddddd",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.pad": 2.5,
    "ytick.major.pad": 2.5,
    "axes.titlepad": 3.5,
    "axes.labelpad": 2.5,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.6,
    "pdf.fonttype": 42,  # TrueType: publishers refuse Type 3
    "svg.fonttype": "path",
    "savefig.dpi": 300,
    "figure.constrained_layout.use": True,
    "axes.unicode_minus": True,
}


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A figure and the tidy table of what is drawn in it; `alt` says in words what it shows."""

    figure: Figure
    data: pd.DataFrame
    alt: str

    def _repr_png_(self) -> bytes:
        """What a notebook shows for a plot."""
        image = io.BytesIO()
        with mpl.rc_context(RC):
            self.figure.savefig(image, format="png", dpi=150)
        return image.getvalue()

    def save(self, folder: Path, name: str) -> list[Path]:
        """Writes name.pdf (vector), name.png (300 dpi) and name.csv; returns the paths."""
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / f"{name}.{kind}" for kind in ("pdf", "png", "csv")]
        with mpl.rc_context(RC):
            self.figure.savefig(files[0], metadata={"CreationDate": None, "Producer": None})
            self.figure.set_layout_engine("none")  # it is laid out now: the same in both files
            self.figure.savefig(files[1], metadata={"Software": None})
        self.data.to_csv(files[2], index=False)
        return files


@contextmanager
def style() -> Iterator[None]:
    """The look of the paper for what is drawn inside; nothing outside changes."""
    with sns.axes_style("whitegrid"), mpl.rc_context(RC):
        yield


@dataclass(frozen=True, kw_only=True)
class Look:
    """Colour, marker and dashes of one level: twelve levels differ in at least two of them, in grey too."""

    color: str
    marker: str
    dashes: Any
    hollow: bool = False

    @property
    def face(self) -> str:
        """What the marker is filled with: white where the colour stands for another level, too."""
        return "white" if self.hollow else self.color

    @property
    def edge(self) -> str:
        """The marker's rim, which parts it from its neighbours."""
        return self.color if self.hollow else "white"


def looks(levels: Sequence[Any]) -> dict[Any, Look]:
    """One look per level, in the order given."""
    return {
        level: Look(
            color=PALETTE[i % len(PALETTE)],
            marker=MARKERS[i % len(MARKERS)],
            dashes=DASHES[(i // len(PALETTE) + i) % len(DASHES)],
            hollow=i >= len(PALETTE),
        )
        for i, level in enumerate(levels)
    }


def seaborn_looks(marks: dict[Any, Look]) -> dict[str, dict[Any, Any]]:
    """The same as seaborn takes them: palette and dashes by level."""
    return {
        "palette": {level: look.color for level, look in marks.items()},
        "dashes": {level: "" if look.dashes == "-" else look.dashes[1] for level, look in marks.items()},
    }


def width_in(template: str, columns: str) -> float:
    """The width of a figure; raises ValueError with the valid names."""
    if template not in SIZES_IN or columns not in ("one", "two"):
        raise ValueError(
            f"template must be one of {', '.join(SIZES_IN)}, columns one or two; not {template}, {columns}"
        )
    return SIZES_IN[template][columns]
