"""The methods paragraph and its BibTeX, filled in from what was done: ready to paste."""

from analysis.comparing.comparisons import Comparison
from analysis.comparing.token_by_token import Scan
from analysis.report.difference_tables import percent
from analysis.results import Results
from analysis.statistics.bootstrap import RESAMPLES
from analysis.statistics.measures import MARGIN


def paragraph(results: Results, comparisons: dict[str, Comparison], found: Scan) -> str:
    """What was compared, over what, with which statistics; `found` in tables of tokens, if there are any."""
    if not comparisons:
        return "No comparison was made."
    table = next(iter(comparisons.values())).table
    projects = sorted(table["n_projects"].unique())
    across = f"{projects[0]} to {projects[-1]}" if len(projects) > 1 else str(projects[0])
    seeds = ", ".join(str(seed) for seed in sorted(results.cells["seed"].unique()))
    return (
        f"{results.task.pairing} Samples that a variant's size rule threw out are left out on both sides. "
        f"Metrics are functions of sums over {results.task.unit.plural}. Differences are means over the "
        f"seeds ({seeds}); each seed is also shown. Their 95 % intervals resample the {across} projects of "
        f"the test split with all their samples ({RESAMPLES:,} resamples, bias-corrected and accelerated "
        "[efron1987], widened for few clusters [hesterberg2015]; the percentile interval where these can't "
        "be computed, which is then stated). P-values are from the signed-rank test for clustered pairs "
        "[rosner2006] with Pratt's zeros and mean ranks for ties, Holm-adjusted [holm1979] over the rows of "
        f"one table. {_of_strata(results)}All intervals hold the trained models fixed. Effect sizes are "
        "Cliff's δ [cliff1993] and A₁₂ [vargha2000] over samples. Equivalence is tested with two one-sided "
        f"tests [schuirmann1987] against ±{percent(MARGIN)} of the reference; trends over intensity with "
        f"Page's L [page1963] over projects. {_of_single_units(results, found)}"
    ).rstrip()


def _of_single_units(results: Results, found: Scan) -> str:
    """Sentences about flips, and about units at their worst, where there are such tables."""
    told = ""
    if found.ranked:
        told = (
            "Flips between right and wrong are tested with McNemar's test [mcnemar1947] on projects' sums. "
        )
    if found.ranked or any(one.of_draws for one in results.task.metrics):
        told += "Robust drop, robust relative and the worst of several rewrites follow ReCode [wang2022]."
    return told


def _of_strata(results: Results) -> str:
    """A sentence about the metrics that are not made of sums by sample, if there are any."""
    labels = [one.label for one in map(results.metric, results.reported) if one.by is not None]
    if not labels:
        return ""
    *others, last = labels
    named = f"{', '.join(others)} and {last}" if others else last
    return (
        f"Intervals and p-values of {named}, for which units are put in order, are from the projects' "
        "jackknife, with t and one degree of freedom less than projects. "
    )


BIBTEX = """\
@article{efron1987, author={Efron, Bradley}, title={Better Bootstrap Confidence Intervals},
  journal={Journal of the American Statistical Association}, volume={82}, number={397}, pages={171--185},
  year={1987}}
@article{hesterberg2015, author={Hesterberg, Tim C.}, title={What Teachers Should Know about the
  Bootstrap: Resampling in the Undergraduate Statistics Curriculum}, journal={The American Statistician},
  volume={69}, pages={371--386}, year={2015}}
@article{rosner2006, author={Rosner, Bernard and Glynn, R. J. and Lee, M.-L. T.}, title={The {Wilcoxon}
  Signed Rank Test for Paired Comparisons of Clustered Data}, journal={Biometrics}, year={2006},
  note={doi:10.1111/j.1541-0420.2005.00389.x}}
@article{holm1979, author={Holm, Sture}, title={A Simple Sequentially Rejective Multiple Test Procedure},
  journal={Scandinavian Journal of Statistics}, volume={6}, pages={65--70}, year={1979}}
@article{cliff1993, author={Cliff, N.}, title={Dominance Statistics: Ordinal Analyses to Answer Ordinal
  Questions}, journal={Psychological Bulletin}, volume={114}, number={3}, pages={494--509}, year={1993}}
@article{vargha2000, author={Vargha, A. and Delaney, H. D.}, title={A Critique and Improvement of the {CL}
  Common Language Effect Size Statistics of {McGraw} and {Wong}}, journal={Journal of Educational and
  Behavioral Statistics}, volume={25}, number={2}, pages={101--132}, year={2000}}
@article{schuirmann1987, author={Schuirmann, D. J.}, title={A Comparison of the Two One-Sided Tests
  Procedure and the Power Approach for Assessing the Equivalence of Average Bioavailability},
  journal={Journal of Pharmacokinetics and Biopharmaceutics}, volume={15}, number={6}, pages={657--680},
  year={1987}}
@article{page1963, author={Page, E. B.}, title={Ordered Hypotheses for Multiple Treatments: A Significance
  Test for Linear Ranks}, journal={Journal of the American Statistical Association}, volume={58},
  pages={216--230}, year={1963}}
@article{mcnemar1947, author={McNemar, Q.}, title={Note on the Sampling Error of the Difference between
  Correlated Proportions or Percentages}, journal={Psychometrika}, volume={12}, pages={153--157},
  year={1947}}
@misc{wang2022, author={Wang, Shiqi and Li, Zheng and Qian, Haifeng and Yang, Chenghao and Wang, Zijian
  and Shang, Mingyue and Kumar, Varun and Tan, Samson and Ray, Baishakhi and Bhatia, Parminder and
  Nallapati, Ramesh and Ramanathan, Murali Krishna and Roth, Dan and Xiang, Bing}, title={{ReCode}:
  Robustness Evaluation of Code Generation Models}, howpublished={arXiv:2212.10264}, year={2022}}
"""
