"""Rows of options in which every pair of values occurs that can occur: a greedy covering array.

covering({"a": [1, 2], "b": [1, 2], "c": [1, 2]}, fits)  ->  4 rows instead of 8
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from random import Random

Row = dict[str, str]
Pair = frozenset[tuple[str, str]]
TRIES = 20


def covering(factors: Mapping[str, Sequence[str]], fits: Callable[[Row], bool], seed: int = 1) -> list[Row]:
    """Rows that cover all pairs that fit.

    `fits` says of a row, which may lack factors, whether its values go together; what is lacking is no
    problem. Each row begins with a pair that is missing yet; then each factor takes the value that covers
    most, in an order drawn by the seed. The best of some tries is taken.
    """
    random = Random(seed)
    missing = [
        frozenset([(a, x), (b, y)])
        for a, b in combinations(factors, 2)
        for x in factors[a]
        for y in factors[b]
        if fits({a: x, b: y})
    ]
    rows: list[Row] = []
    while missing:
        begun = [dict(random.choice(missing)) for _ in range(TRIES)]
        tried = [row for pair in begun if (row := _filled(pair, factors, fits, set(missing), random))]
        best = max(tried, key=lambda row: len(_pairs(row).intersection(missing)))
        covered = _pairs(best)
        missing = [pair for pair in missing if pair not in covered]
        rows.append({name: best[name] for name in factors})
    return rows


def _filled(
    row: Row,
    factors: Mapping[str, Sequence[str]],
    fits: Callable[[Row], bool],
    missing: set[Pair],
    random: Random,
) -> Row | None:
    for name in random.sample(list(factors), len(factors)):
        if name in row:
            continue
        values = [
            value for value in random.sample(factors[name], len(factors[name])) if fits({**row, name: value})
        ]
        if not values:
            return None
        row = {**row, name: max(values, key=lambda value: _gain(row, name, value, missing))}
    return row


def _gain(row: Row, name: str, value: str, missing: set[Pair]) -> int:
    return sum(frozenset([(name, value), other]) in missing for other in row.items())


def _pairs(row: Row) -> set[Pair]:
    return {frozenset(pair) for pair in combinations(row.items(), 2)}
