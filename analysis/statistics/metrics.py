"""A metric is a function of sums over units: a task names the sums, a form says what is made of them.

    nll_bits 310, n_tokens 100   ->   Ratio(numerator="nll_bits", denominator="n_tokens")   ->   3.1

Sums of any units can be added up, so one formula serves a sample, a test set, and all projects but one. The
forms:

    Ratio           factor · Σ numerator / Σ denominator
    Difference      (Σ plus − Σ minus) / Σ denominator
    PowerOfTwo      2 to the power of Σ numerator / Σ denominator
    ByBin           Σ over bins |Σ first − Σ second| / Σ count
    MostConfident   Σ numerator / Σ count, over the units with the highest values
    Worst           Σ numerator / Σ denominator, each unit as it is under the worst of several draws

ByBin and MostConfident order the units by a value between 0 and 1. Their sums are arrays over strata: units
with the lowest values first, then the next, and so on (`strata.py`). This module needs NumPy alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Sums = Mapping[str, Floats]
"""Sums by name, all of one shape: (…), or (…, B) over strata."""


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """factor · Σ numerator / Σ denominator: a mean over units, or with factor 2 an F1."""

    numerator: str
    denominator: str
    factor: float = 1.0
    kind: Literal["ratio"] = "ratio"

    @property
    def sums(self) -> tuple[str, ...]:
        """The sums that it is made of."""
        return self.numerator, self.denominator

    def of(self, sums: Sums) -> Floats:
        """(…) → (…); not finite where the denominator is 0."""
        with np.errstate(invalid="ignore", divide="ignore"):
            value: Floats = self.factor * sums[self.numerator] / sums[self.denominator]
        return value


@dataclass(frozen=True, kw_only=True)
class Difference:
    """(Σ plus − Σ minus) / Σ denominator: by how much one thing exceeds another, per unit."""

    plus: str
    minus: str
    denominator: str
    kind: Literal["difference"] = "difference"

    @property
    def sums(self) -> tuple[str, ...]:
        """The sums that it is made of."""
        return self.plus, self.minus, self.denominator

    def of(self, sums: Sums) -> Floats:
        """(…) → (…); not finite where the denominator is 0."""
        with np.errstate(invalid="ignore", divide="ignore"):
            value: Floats = (sums[self.plus] - sums[self.minus]) / sums[self.denominator]
        return value


@dataclass(frozen=True, kw_only=True)
class PowerOfTwo:
    """2 to the power of Σ numerator / Σ denominator: bits per unit as a perplexity."""

    numerator: str
    denominator: str
    kind: Literal["power_of_two"] = "power_of_two"

    @property
    def sums(self) -> tuple[str, ...]:
        """The sums that it is made of."""
        return self.numerator, self.denominator

    def of(self, sums: Sums) -> Floats:
        """(…) → (…); infinite beyond floats."""
        exponents = np.asarray(Ratio(numerator=self.numerator, denominator=self.denominator).of(sums))
        # One by one: NumPy's own powers differ in the last bit, by processor.
        powers = [2.0**x if x < 1024 else x * np.inf for x in exponents.ravel().tolist()]
        return np.array(powers).reshape(exponents.shape)


@dataclass(frozen=True, kw_only=True)
class ByBin:
    """Σ over bins |Σ first − Σ second| / Σ count, bins of equally many units in the order of `by`.

    With confidences and right answers, by confidence, it is the expected calibration error (Nguyen & O'Connor
    2015, whose bins hold equally many). `by` is the sum whose value for a single unit orders the units.
    """

    first: str
    second: str
    count: str
    by: str
    bins: int
    kind: Literal["by_bin"] = "by_bin"

    @property
    def sums(self) -> tuple[str, ...]:
        """The sums that it is made of, each over strata."""
        return self.first, self.second, self.count

    def of(self, sums: Sums) -> Floats:
        """(…, B) → (…); NaN without units. A stratum at the border of two bins is shared out."""
        return _of_strata(sums, self.sums, self.count, self._error)

    def by_chance(self, sums: Sums) -> Floats:
        """(…, B) → (…): about what it is where `second` of a unit is 1 with probability `first`, else 0.

        The bias of a binned calibration error: the mean of |normal|, √(2/π) σ, in each bin, with units taken
        as independent and as alike within a bin.
        """
        return _of_strata(sums, self.sums, self.count, self._noise)

    def _error(self, below: Sums) -> float:
        first, second = self._binned(below)
        return float(np.abs(first - second).sum() / below[self.count][-1])

    def _noise(self, below: Sums) -> float:
        first, n = self._binned(below)[0], float(below[self.count][-1])
        mean = np.clip(first * self.bins / n, 0.0, 1.0)
        return float(np.sqrt(2 / np.pi * mean * (1 - mean) * n / self.bins).sum() / n)

    def _binned(self, below: Sums) -> list[Floats]:
        """(bins,) of `first` and of `second`."""
        n = below[self.count]
        borders = np.linspace(0.0, n[-1], self.bins + 1)
        return [np.diff(np.interp(borders, n, below[name])) for name in (self.first, self.second)]


@dataclass(frozen=True, kw_only=True)
class MostConfident:
    """Σ numerator / Σ count over the share `coverage` of the units that has the highest values of `by`."""

    numerator: str
    count: str
    by: str
    coverage: float
    kind: Literal["most_confident"] = "most_confident"

    @property
    def sums(self) -> tuple[str, ...]:
        """The sums that it is made of, each over strata."""
        return self.numerator, self.count

    def of(self, sums: Sums) -> Floats:
        """(…, B) → (…); NaN without units. A stratum at the border is shared out."""
        return _of_strata(sums, self.sums, self.count, self._share)

    def _share(self, below: Sums) -> float:
        n = below[self.count]
        left_out = np.interp((1 - self.coverage) * n[-1], n, below[self.numerator])
        return float((below[self.numerator][-1] - left_out) / (self.coverage * n[-1]))


@dataclass(frozen=True, kw_only=True)
class Worst:
    """Σ numerator / Σ denominator, where each unit counts as it is under the worst of several draws.

    With a numerator that is 1 for what is right, a unit counts if it is right under all of them: robust pass
    and worst of s (Wang et al. 2023).
    """

    numerator: str
    denominator: str
    kind: Literal["worst"] = "worst"

    @property
    def sums(self) -> tuple[str, ...]:
        """The sums that it is made of."""
        return self.numerator, self.denominator

    def of(self, sums: Sums) -> Floats:
        """(…) → (…), of sums over units at their worst (see `Metric.worst`)."""
        return Ratio(numerator=self.numerator, denominator=self.denominator).of(sums)


Form = Ratio | Difference | PowerOfTwo | ByBin | MostConfident | Worst


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What a task measures: `unit` is the unit of measurement, `form` says how it is made of sums.

    `higher_is_better`: None where neither direction is, as of a mean confidence. `digits`: decimals that it
    is shown with. `differences` between cells are told in every report, or where somebody asks for them, or
    never: then it is a number of each cell alone. `searched`: it rests on searches for the rank of a unit;
    one that is cut off counts as wrong.
    """

    name: str
    label: str
    unit: str
    form: Form
    higher_is_better: bool | None = True
    digits: int = 3
    differences: Literal["reported", "on_request", "never"] = "reported"
    searched: bool = False

    @property
    def sums(self) -> tuple[str, ...]:
        """The sums that it is made of."""
        return self.form.sums

    @property
    def by(self) -> str | None:
        """The sum that orders the units, for a metric that is made of strata."""
        return self.form.by if isinstance(self.form, ByBin | MostConfident) else None

    @property
    def of_draws(self) -> bool:
        """Whether it needs several draws of the same units, so that one scoring alone has no value."""
        return isinstance(self.form, Worst)

    def of(self, sums: Sums) -> Floats:
        """Its value from sums: (…) → (…), and (…, B) → (…) for a metric that is made of strata."""
        return self.form.of(sums)

    def without_each(self, sums: Sums) -> Floats:
        """Its value without each cluster: sums (P, …), or (P, …, B) of strata, → (P, …)."""
        return self.of({name: sums[name].sum(axis=0) - sums[name] for name in self.sums})

    def worst(self, draws: Floats) -> Floats:
        """(s, n) values of n units under s draws → (n,), each unit's worst."""
        worst: Floats = draws.max(axis=0) if self.higher_is_better is False else draws.min(axis=0)
        return worst


def _of_strata(sums: Sums, names: tuple[str, ...], count: str, value: Callable[[Sums], float]) -> Floats:
    """(…, B) → (…): `value` of the sums below each border of the strata, which start at 0."""
    counts = np.asarray(sums[count])
    rows = {name: np.reshape(sums[name], (-1, counts.shape[-1])) for name in names}
    values = np.full(len(rows[count]), np.nan)
    for i, n in enumerate(rows[count]):
        there = n > 0
        if there.any():
            values[i] = value(
                {name: np.cumsum(np.insert(row[i][there], 0, 0.0)) for name, row in rows.items()}
            )
    return values.reshape(counts.shape[:-1])
