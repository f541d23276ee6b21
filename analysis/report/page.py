"""Writes figures, tables and one self-contained report.html into a results folder."""

import base64
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from analysis.comparing.comparisons import Comparison, compare
from analysis.comparing.pairing import KINDS
from analysis.comparing.token_by_token import Scan, scan
from analysis.comparing.where import where
from analysis.figures import (
    ablation,
    cost,
    curves,
    dose,
    growth,
    heat_map,
    learning,
    scatter,
    trade_off,
    transfer,
    variance,
)
from analysis.figures.style import Plot
from analysis.report import (
    cell_pages,
    difference_tables,
    further_tables,
    latex,
    marked_code,
    methods,
    places,
    sentences,
)
from analysis.results import BadResults, Results, describe, flat

OPEN_ROWS = 40
"""Longer tables are closed when the report is opened."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure as the report shows it."""

    name: str
    title: str
    caption: str
    alt: str
    uri: str


@dataclass(kw_only=True)
class Page:
    """What the template shows, and the files written on the way."""

    results: Results
    found: Scan
    places: pd.DataFrame
    examples: list[dict[str, Any]]
    jobs: list[dict[str, Any]]
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    pictures: list[Picture] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def metrics(self, kind: str) -> list[str]:
        """The metrics that a comparison of this kind tells of, those that lead first."""
        known = set(self.comparisons[kind].table["metric"])
        return [name for name in self.results.reported if name in known]

    @property
    def figures_folder(self) -> Path:
        return self.results.folder / "figures"

    def add(self, name: str, title: str, plot: Plot, caption: str) -> None:
        files = plot.save(self.figures_folder, name)
        self.files += files
        uri = data_uri(files[1])
        self.pictures.append(Picture(name=name, title=title, caption=caption, alt=plot.alt, uri=uri))


def make(folder: Path | str) -> list[Path]:
    """Writes figures/ and report.html of a results folder and returns what was written.

    Raises `BadResults` before anything is written where the folder can't be used.
    """
    results = Results(folder)
    page = Page(
        results=results,
        found=scan(results),
        places=where(results),
        examples=_grouped(marked_code.examples(results)),
        jobs=cell_pages.jobs(results),
    )
    for kind in KINDS:
        comparison = compare(results, kind, metrics=results.reported)
        if len(comparison.table):
            page.comparisons[kind] = comparison
    _draw(page)
    for kind, comparison in page.comparisons.items():
        for name in page.metrics(kind):
            page.files += _save(page, comparison, name, f"table-{kind}-{name}")
    html = results.folder / "report.html"
    html.write_text(render(page), encoding="utf-8")
    return [*page.files, html]


def render(page: Page) -> str:
    """The report as one HTML text without outside references."""
    results = page.results
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        name=results.name,
        run=results.run,
        sentences=sentences.sentences(results, page.comparisons),
        primary=bool(results.primary),
        caveats=sentences.caveats(results, page.comparisons),
        pictures=page.pictures,
        differences=[
            _difference_table(page, kind, name) for kind in page.comparisons for name in page.metrics(kind)
        ],
        sections=[
            *places.sections(results, page.places),
            *further_tables.all_sections(results, page.comparisons, page.found, page.places.empty),
        ],
        examples=page.examples,
        cells=cell_pages.grouped(cell_pages.per_cell(results)),
        jobs=cell_pages.grouped(page.jobs),
        methods=methods.paragraph(results, page.comparisons, page.found),
        bibtex=methods.BIBTEX,
        facts=list(_facts(results)),
        counts=list(_counts(results)),
        missing=[
            {
                "cell": row["cell"],
                "what": describe(row, results.axes),
                "status": row["status"],
                "error": row["error"],
            }
            for _, row in results.missing.iterrows()
        ],
        unit=results.task.unit,
        flips=bool(page.found.ranked),
        validation=results.task.validation,
        n_cells=len(results.cells),
        n_done=len(results.done),
    )


def _grouped(shown: Iterator[marked_code.Example]) -> list[dict[str, Any]]:
    """Examples of one rewrite set and model together."""
    return [
        {"title": title, "examples": list(group)}
        for title, group in itertools.groupby(shown, lambda example: example.title)
    ]


def data_uri(image: Path) -> str:
    """The PNG as a data: address, so that the page needs no other file."""
    return "data:image/png;base64," + base64.b64encode(image.read_bytes()).decode("ascii")


def _save(page: Page, comparison: Comparison, metric_name: str, name: str) -> list[Path]:
    """Writes a table as name.md, name.tex and name.csv."""
    results, folder = page.results, page.figures_folder
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{name}.{kind}" for kind in ("md", "tex", "csv")]
    files[0].write_text(difference_tables.markdown(results, comparison, metric_name), encoding="utf-8")
    files[1].write_text(
        latex.latex(results, comparison, metric_name, label=name.removeprefix("table-")), encoding="utf-8"
    )
    difference_tables.differences(results, comparison, metric_name).to_csv(files[2], index=False)
    return files


def _draw(page: Page) -> None:
    results, task = page.results, page.results.task
    for name in page.metrics("baseline") if "baseline" in page.comparisons else ():
        comparison = page.comparisons["baseline"]
        units = task.label_of(task.comparable[comparison.scope])
        units = units[:1].upper() + units[1:]
        if curves.misleads(comparison, name):
            page.add(
                f"differences-baseline-{name}",
                f"{results.metric(name).label}: {KINDS['baseline']}, over intensity",
                curves.differences(results, comparison, name),
                f"{units} of the common samples. Differences, for the values move more because each "
                "intensity has other samples than because of the rewriting. "
                f"{_bars(results, comparison, name)}".rstrip(),
            )
            continue
        page.add(
            f"curves-{name}",
            f"{results.metric(name).label} on rewritten text, over intensity",
            curves.curves(results, comparison, name),
            f"{units} of the common samples. Lines: means over seeds; small dots: the seeds. Bars: 95 % "
            "interval of the paired difference to the baseline, drawn around the value: where it doesn't "
            "reach the black tick, the baseline on the same samples, the difference is clear. "
            f"{_bars(results, comparison, name)}Dashed: the baseline on all original samples, for each seed.",
        )
    first = results.metric(task.leads[0])
    better = {True: "above zero is better", False: "below zero is better", None: "zero is no difference"}
    for kind in ("training", "clean"):
        if kind in page.comparisons and first.name in page.metrics(kind):
            page.add(
                f"differences-{kind}",
                f"{first.label}: {KINDS[kind]}",
                curves.differences(results, page.comparisons[kind], first.name),
                f"Paired differences with 95 % intervals; {better[first.higher_is_better]}. "
                f"{_bars(results, page.comparisons[kind], first.name)}".rstrip(),
            )
    for about in places.pictures(results, page.places):
        page.add(*about)
    if len(page.places):
        page.files.append(page.figures_folder / "table-where.csv")
        page.places.to_csv(page.files[-1], index=False)
    for name, title, draw, caption in _overviews(page):
        try:
            page.add(name, title, draw(), caption)
        except BadResults:
            continue  # nothing to draw: a grid without rewritten cells, or models that report no curve


def _bars(results: Results, comparison: Comparison, metric_name: str) -> str:
    """What the bars of a figure hold for."""
    rows = comparison.table[comparison.table["metric"] == metric_name]
    covers = " or ".join(sorted(set(rows["covers"]) - {""}))
    told = ""
    if covers:
        told = (
            f"They are of {covers}; thin bars hold together for all points of the figure, and are cut off at "
        )
        told += "its border. "
    if (rows["low"].isna() & rows["low_models"].notna()).any():
        told += f"Grey bars: of {difference_tables.MODELS} alone. "
    return told + difference_tables.unclaimed(rows) + difference_tables.these_projects(results)


def _overviews(page: Page) -> Iterator[tuple[str, str, Callable[[], Plot], str]]:
    results, comparison = page.results, page.comparisons.get("baseline")
    yield from _of_designs(page)
    yield (
        "kinds",
        f"Change of bits per {results.task.unit.singular}, by kind of token",
        lambda: heat_map.heat_map(results, page.found),
        "Models trained on original text, highest intensity, aligned tokens, means over seeds. Red is worse.",
    )
    yield (
        "scatter",
        "Original against rewritten text, sample by sample",
        lambda: scatter.scatter(results),
        "A point per sample and cell: models trained on original text, highest intensity.",
    )
    yield (
        "growth",
        "Growth and thrown-out samples",
        lambda: growth.growth(results),
        "All splits. Growth: tokens of the samples that were kept.",
    )
    yield "learning", "Learning curves", lambda: learning.learning(results), "One line per trained model."
    if comparison is not None:
        yield (
            "cost",
            "Cost and benefit of training",
            lambda: cost.cost(results, comparison),
            "A point per model, training mix and seed: mean over rewrites and intensities.",
        )


def _of_designs(page: Page) -> Iterator[tuple[str, str, Callable[[], Plot], str]]:
    """What training gives, costs and is worth elsewhere, and what each intensity does."""
    results, training, clean = page.results, page.comparisons.get("training"), page.comparisons.get("clean")
    if training is not None and clean is not None:
        yield (
            "gain-and-cost",
            "Gain on rewritten text against cost on ordinary code",
            lambda: trade_off.trade_off(results, training, clean),
            "A point per set of rewrites at its highest intensity, tested with what it was trained with. "
            "Upwards is a gain, to the right a cost, with 95 % intervals, which are cut off at the border "
            f"(grey: of {difference_tables.MODELS} alone). Above the dashed line a training gives more than "
            "it costs.",
        )
    if training is not None:
        yield (
            "transfer",
            "Trained on one set of rewrites, tested on another",
            lambda: transfer.transfer(results, training),
            "Differences to the model trained on original text, on the same rewritten text; highest "
            "intensities. Framed: the diagonal, where one generator made both. Underlined: the 95 % interval "
            f"excludes zero. {sentences.transferred(results, training)}",
        )
    robustness = page.comparisons.get("robustness")
    if robustness is not None:
        yield (
            "variance",
            "Variance by source",
            partial(variance.variance, results, robustness),
            "Shares of what was drawn in the variance of a difference, at the highest intensity; residual: "
            "what the sources share. An estimate can be negative: then it is small.",
        )
    if robustness is not None:
        for number, axis in enumerate(ablation.further_axes(results), 1):
            yield (
                f"ablation-{number}",
                f"Over {axis}",
                partial(ablation.ablation, results, robustness, axis),
                f"{KINDS['robustness'].capitalize()}, at the highest intensity, with 95 % intervals (grey: "
                f"of {difference_tables.MODELS} alone).",
            )
    yield (
        "dose",
        "Over the intensity, on the samples that all intensities kept",
        lambda: dose.dose(results),
        "The same model, rewritten − original text. Left: differences; right: the slope of each line; with "
        "95 % intervals. All points of a line are of the same samples.",
    )


def _difference_table(page: Page, kind: str, metric_name: str) -> dict[str, Any]:
    comparison = page.comparisons[kind]
    heads, rows = difference_tables.cells(page.results, comparison, metric_name)
    return {
        "title": f"{page.results.metric(metric_name).label}: {KINDS[kind]}",
        "overview": sentences.overview(page.results, comparison, metric_name),
        "note": difference_tables.caption(page.results, comparison, metric_name),
        "heads": heads,
        "rows": rows,
        "open": metric_name == page.results.task.leads[0] and len(rows) <= OPEN_ROWS,
    }


def _facts(results: Results) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    run = results.run
    yield (
        "Run",
        [
            (key.replace("_", " "), str(run[key]))
            for key in ("command", "started", "finished", "wall_s", "seeds", "format")
            if run.get(key) is not None
        ],
    )
    for key in ("corpus", "versions", "git", "host"):
        if run.get(key):
            yield key.capitalize(), [(" · ".join(path), _told(value)) for path, value in flat(run[key])]


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _counts(results: Results) -> Iterator[dict[str, Any]]:
    """What became of the samples, what was refused, how many sites were rewritten, how natural that is."""
    cells = results.cells[~results.cells["baseline"].astype(bool)]
    one = cells.drop_duplicates(["rewrites", "intensity", "seed"])[["cell", "rewrites", "intensity"]]
    for title, table, by, sums in (
        ("Samples of the augmented data, by outcome", results.variants, ["outcome", "reason"], ["n_samples"]),
        ("Refused", results.refusals, ["rewrite", "reason"], ["n"]),
        ("Sites", results.sites, ["rewrite"], ["n_applied", "n_available"]),
    ):
        rows = table.merge(one, on="cell")
        if rows.empty:
            continue
        keys = ["rewrites", "intensity", *by]
        summed = rows.groupby(keys, dropna=False, sort=False)[sums].sum(min_count=1).reset_index()
        yield further_tables.section(title, "Summed over seeds and splits.", summed, {})
    if len(results.naturalness):
        yield further_tables.naturalness(results.naturalness.merge(one, on="cell"))
