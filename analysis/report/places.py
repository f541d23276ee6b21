"""The report's tables and figures of where a change falls."""

from collections.abc import Iterator

import pandas as pd

from analysis.comparing.where import SHARES
from analysis.figures.along import along, axes_of
from analysis.figures.style import Plot
from analysis.report.further_tables import Section, section
from analysis.results import BadResults, Results

SHARE = "{:.0%}"


def sections(results: Results, table: pd.DataFrame) -> Iterator[Section]:
    """A table for each metric: those that lead, then those that tell more of some scopes alone."""
    unit, known = results.task.unit, set(table["metric"])
    for one in (one for one in results.task.by_name.values() if one.name in known):
        rows = table[table["metric"] == one.name]
        bounds = ["low", "high"] if rows["low"].notna().any() else ["low_models", "high_models"]
        numbers = ["difference", *bounds]
        shown = ["n_units", SHARES[0], "reference", "value", *numbers, "relative", SHARES[1], "covers", "why"]
        shown = [name for name in shown if name in ("covers", "why") or rows[name].notna().any()]
        rows = rows.assign(scope=rows["scope"].map(results.task.label_of))
        rows = rows[[*results.groups, "scope", *shown]].rename(
            columns={"n_units": f"n_{unit.plural}", SHARES[0]: f"share_of_{unit.plural}"}
        )
        forms = dict.fromkeys(("reference", "value"), f"{{:.{one.digits}f}}")
        forms |= dict.fromkeys(numbers, f"{{:+z.{one.digits}f}}")
        forms |= {f"share_of_{unit.plural}": SHARE, SHARES[1]: SHARE, "relative": "{:+z.1%}"}
        note = (
            f"{one.label} [{one.unit}], rewritten − original text under the same model, at the highest "
            "intensity of each rewrite set. A rewritten text decides which units belong to a scope, and the "
            "same ones of the original are compared. reference: on the original text; where it is near its "
            "floor, little can be lost. relative: difference / reference. share of change: of what all units "
            "lose or gain together; it means little where that is about nothing."
        )
        yield section(f"Where it hurts: {one.label}, {one.unit}", note, rows, forms)


def pictures(results: Results, table: pd.DataFrame) -> Iterator[tuple[str, str, Plot, str]]:
    """Name, title, figure and caption: for each axis of scopes the metrics that lead, where there is any."""
    leads = [name for name in results.task.leads if name in set(table["metric"])][:2]
    for number, axis in enumerate(axes_of(results)):
        for name in leads:
            try:
                plot = along(results, table, axis, name)
            except BadResults:
                continue
            label = results.metric(name).label
            caption = (
                f"Rewritten − original text under the same model, highest intensity, by {axis}. The same "
                "units on both sides. Bars: 95 % intervals; grey ones are of these models alone."
            )
            yield f"where-{number + 1}-{name}", f"{label}: where the change falls, by {axis}", plot, caption
