"""Texts of a figure that cover one another when it is drawn."""

import itertools
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.figures import style


def shown(figure: Figure) -> list[Text]:
    """The texts of a figure that aren't empty."""
    found = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    return [text for text in found if text.get_text().strip()]


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts that cover one another when the figure is drawn."""
    canvas: Any = FigureCanvasAgg(figure)
    with style.style():
        canvas.draw()
    axes = [axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
    ticks = [(axis.get_view_interval(), tick) for axis in axes for tick in axis.get_major_ticks()]
    beyond = {tick.label1 for (low, high), tick in ticks if not low <= tick.get_loc() <= high}
    boxes = [
        (text.get_text(), text.get_window_extent(canvas.get_renderer()))
        for text in shown(figure)
        if text.get_visible() and not text.get_rotation() % 90 and text not in beyond
    ]
    return [(a, b) for (a, one), (b, other) in itertools.combinations(boxes, 2) if one.overlaps(other)]
