"""The methods paragraph and its BibTeX, filled in from what was done: ready to paste."""

import pandas as pd

from analysis.comparing.comparisons import Comparison
from analysis.comparing.token_by_token import Scan
from analysis.report.difference_tables import documented, these_projects
from analysis.results import Results
from analysis.statistics.metrics import ByBin


def paragraph(results: Results, comparisons: dict[str, Comparison], found: Scan) -> str:
    """What was compared, over what, with which statistics; `found` in tables of tokens, if there are any."""
    if not comparisons:
        return "No comparison was made."
    table = next(iter(comparisons.values())).table
    table = pd.concat([comparison.table for comparison in comparisons.values()])
    projects, effective = table["n_projects"], table["n_effective"]
    across = f"{projects.min()} to {projects.max()}" if projects.nunique() > 1 else str(projects.min())
    seeds = ", ".join(str(seed) for seed in sorted(results.cells["seed"].unique()))
    return (
        f"{results.task.pairing} Samples that a variant's size rule threw out are left out on both sides. "
        f"Metrics are functions of sums over {results.task.unit.plural}. Differences are means over the "
        f"seeds ({seeds}){_draws(results)}; each is also shown. Their 95 % intervals take everything that "
        f"was drawn as random: the {across} projects of the test split (effective number, Σn squared over "
        f"Σn², {effective.min():.1f} at least [kish1965]), crossed with what was drawn for training and "
        "rewriting. Variances are put together as for clusters in several ways [cameron2011, owen2007], the "
        "projects' by the jackknife, with Satterthwaite's degrees of freedom [satterthwaite1946], in which "
        f"few seeds count more. {these_projects(results)}P-values are of the same t, Holm-adjusted "
        "[holm1979] over the rows of one table; bars that hold together for all points of a figure use the "
        "maximum of |t| [romano2005]. "
        "Beside them stands what holds the trained models fixed, under the name of these models: an interval "
        "over projects, and a p from flipping the signs of the projects' sums of signed ranks [rosner2006], "
        "with Pratt's zeros and mean ranks for ties, exact where that is cheap and by a saddlepoint "
        "approximation elsewhere. Effect sizes are Cliff's δ, with its parts within and between pairs "
        f"[cliff1993], and A₁₂ [vargha2000] over samples. {_of_margins(results)}Over intensities, the slope "
        "of the difference and Page's L [page1963] are of the samples that all of them kept. "
        f"{_of_strata(results)}{documented(results)}{_of_single_units(results, found)}"
    ).rstrip()


def _draws(results: Results) -> str:
    """How many draws of each rewriting there are, where they are an axis."""
    if "rewriting_seed" not in results.axes:
        return ""
    draws = results.cells["rewriting_seed"].dropna().astype(str).unique()
    return f" and the draws of the rewriting ({', '.join(draws)})"


def _of_margins(results: Results) -> str:
    """Which differences were said to matter before the run."""
    margins = ", ".join(
        f"{one.label} {margin:g} {one.unit}"
        for one, margin in ((one, results.margin(one)) for one in results.task.metrics)
        if margin is not None
    )
    if not margins:
        return "No smallest effect that matters was named before the run, so no equivalence is claimed. "
    return (
        "Equivalence is tested with two one-sided tests [schuirmann1987] against margins that were named "
        f"before the run: {margins}. "
    )


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
    """Sentences about metrics for which units are put in order, if there are any."""
    of_strata = [one for one in map(results.metric, results.reported) if one.by is not None]
    if not of_strata:
        return ""
    labels = [one.label for one in of_strata]
    named = " and ".join(filter(None, [", ".join(labels[:-1]), labels[-1]]))
    told = f"For {named} units are put in order anew without each project. "
    if any(isinstance(one.form, ByBin) for one in of_strata):
        told += "Bins hold equally many units [nguyen2015]; an error by bin is above zero by chance alone, "
        told += "and by how much is stated. "
    return told


BIBTEX = """\
@article{kish1965, author={Kish, Leslie}, title={Sampling Organizations and Groups of Unequal Sizes},
  journal={American Sociological Review}, volume={30}, number={4}, pages={564--572}, year={1965}}
@article{cameron2011, author={Cameron, A. Colin and Gelbach, Jonah B. and Miller, Douglas L.}, title={Robust
  Inference With Multiway Clustering}, journal={Journal of Business \\& Economic Statistics}, volume={29},
  number={2}, pages={238--249}, year={2011}}
@article{owen2007, author={Owen, Art B.}, title={The Pigeonhole Bootstrap}, journal={The Annals of Applied
  Statistics}, volume={1}, number={2}, pages={386--411}, year={2007}}
@article{satterthwaite1946, author={Satterthwaite, F. E.}, title={An Approximate Distribution of Estimates of
  Variance Components}, journal={Biometrics Bulletin}, volume={2}, number={6}, pages={110--114}, year={1946}}
@article{romano2005, author={Romano, Joseph P. and Wolf, Michael}, title={Stepwise Multiple Testing as
  Formalized Data Snooping}, journal={Econometrica}, volume={73}, number={4}, pages={1237--1282}, year={2005}}
@inproceedings{nguyen2015, author={Nguyen, Khanh and O'Connor, Brendan}, title={Posterior Calibration and
  Exploratory Analysis for Natural Language Processing Models}, booktitle={Proceedings of {EMNLP}},
  year={2015}}
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
