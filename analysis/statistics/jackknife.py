"""The jackknife over clusters: a metric with each project left out in turn, for any form of metric.

    sums of 12 projects   ->   the metric without project 1, …, without project 12   ->   error, interval

It needs the projects' sums alone, and one formula: the metric's own.
"""

import numpy as np
from scipy import special

from analysis.statistics.bootstrap import Interval
from analysis.statistics.metrics import Floats, Metric, Sums


def leave_one_out(metric: Metric, sums: Sums) -> Floats:
    """The metric without each cluster: sums (P, …), or (P, …, B) of strata, → (P, …)."""
    return metric.of({name: sums[name].sum(axis=0) - sums[name] for name in metric.sums})


def standard_error(leave_one_out: Floats) -> float:
    """From P leave-one-out estimates θᵢ: √((P−1)/P Σ(θᵢ − θ̄)²) (Efron 1982); NaN for fewer than two."""
    n = len(leave_one_out)
    if n < 2:
        return float("nan")
    return float(np.sqrt((n - 1) / n * np.sum((leave_one_out - leave_one_out.mean()) ** 2)))


def interval(estimate: float, leave_one_out: Floats, level: float = 0.95) -> Interval:
    """estimate ± t · standard error, t with P − 1 degrees of freedom; none for fewer than two clusters.

    A cluster without which there is no estimate, since it holds all units, is left out.
    """
    finite = leave_one_out[np.isfinite(leave_one_out)]
    error = standard_error(finite)
    if np.isnan(error):
        return Interval(low=np.nan, high=np.nan, method="none", level=level)
    width = float(special.stdtrit(len(finite) - 1, (1 + level) / 2)) * error
    return Interval(low=estimate - width, high=estimate + width, method="jackknife", level=level)


def p_value(estimate: float, leave_one_out: Floats) -> float:
    """Two-sided p of estimate / standard error, t with P − 1 degrees of freedom.

    1 for no difference at all, and where there is no standard error.
    """
    finite = leave_one_out[np.isfinite(leave_one_out)]
    error = standard_error(finite)
    if estimate == 0 or np.isnan(error):
        return 1.0
    return float(2 * special.stdtr(len(finite) - 1, -abs(estimate) / error)) if error > 0 else 0.0
