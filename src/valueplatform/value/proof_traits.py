"""The independent path: whether segment and scale go with what compared accounts realize, computed again from what
each brought in, for `verify`. Nothing is shared with the code that first computed it; numbers are held to a thousandth,
since they come from roots and tails."""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from babel.numbers import list_currencies

LEAST: Final = 20
COHORT: Final = 5
RATE: Final = 0.05
CLOSE: Final = 0.001

_Pairs = list[tuple[Any, Fraction]]


def trait_differences(
    document: Mapping[str, Any], members: Sequence[Any]
) -> Iterator[tuple[str, tuple[str, str] | None]]:
    """Each number of the document's traits by its place, with what is stated and what comes out where they differ."""
    again = _recomputed(members, document["scale"])
    stated = {one["attribute"]: one for one in document["traits"]}
    for name in sorted({*stated, *again}):
        place = f"whether {name} goes with value"
        if name not in stated or name not in again:
            yield place, ("told" if name in stated else "none", "told" if name in again else "none")
            continue
        told, (accounts, strength, p_value, holds) = stated[name], again[name]
        is_same = (told["accounts"], told["holds"]) == (accounts, holds) and all(
            abs(float(told[key]) - value) <= CLOSE for key, value in (("strength", strength), ("p_value", p_value))
        )
        said = ", ".join(str(told[key]) for key in ("accounts", "strength", "p_value", "holds"))
        yield place, None if is_same else (said, f"{accounts}, {strength:.3f}, {p_value:.6f}, {holds}")


def _recomputed(members: Sequence[Any], scale: str | None) -> dict[str, tuple[int, float, float, bool]]:
    found: dict[str, tuple[int, float, float]] = {}
    placed = _placed(members)
    by_segment = [(row.segment, place) for row, place in placed if row.segment is not None]
    names = {segment for segment, _ in by_segment}
    if len(by_segment) >= LEAST and 1 < len(names) <= len(by_segment) / 5:
        found["segment"] = (len(by_segment), *_between(by_segment))
    by_scale = [(Fraction(row.scale), place) for row, place in placed if row.scale is not None]
    if scale and len(by_scale) >= LEAST and len({value for value, _ in by_scale}) > 1:
        found[scale] = (len(by_scale), *_along(by_scale))
    worst = sorted((p_value for *_, p_value in found.values()), reverse=True)
    bound = max((p for down, p in enumerate(worst) if p <= RATE * (len(worst) - down) / len(worst)), default=-1.0)
    return {name: (*told, told[2] <= bound) for name, told in found.items()}


def _placed(members: Sequence[Any]) -> list[tuple[Any, Fraction]]:
    """One row of each account, with its place among the accounts of its currency, from 0 to 1."""
    sums: defaultdict[int, defaultdict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    rows, money = {}, list_currencies()
    for row in members:
        if row.unit in money and row.benefit_class != "strategic":
            sums[row.account_id][row.unit] += Fraction(row.total)
            rows[row.account_id] = row
    alike: defaultdict[str, list[tuple[Any, Fraction]]] = defaultdict(list)
    for account, by_unit in sums.items():
        if len(by_unit) == 1:
            ((unit, total),) = by_unit.items()
            alike[unit].append((rows[account], total))
    found = []
    for group in alike.values():
        if len(group) >= COHORT:
            for row, own in group:
                less = sum(total < own for _, total in group)
                same = sum(total == own for _, total in group) - 1
                found.append((row, Fraction(2 * less + same, 2 * (len(group) - 1))))
    return found


def _along(pairs: _Pairs) -> tuple[float, float]:
    """Spearman's correlation and its p-value."""
    first, second = _ranked([value for value, _ in pairs]), _ranked([place for _, place in pairs])
    if len(set(second)) < 2:
        return 0.0, 1.0
    rho = statistics.correlation(first, second)
    return rho, 2 * statistics.NormalDist().cdf(-abs(rho) * math.sqrt(len(pairs) - 1))


def _between(pairs: _Pairs) -> tuple[float, float]:
    """The share of the variance of ranks between groups, and the p-value of Kruskal and Wallis."""
    ranks = _ranked([place for _, place in pairs])
    if len(set(ranks)) < 2:
        return 0.0, 1.0
    groups: defaultdict[str, list[float]] = defaultdict(list)
    for (name, _), rank in zip(pairs, ranks, strict=True):
        groups[name].append(rank)
    means = [statistics.fmean(own) for own in groups.values() for _ in own]
    share = statistics.pvariance(means) / statistics.pvariance(ranks)
    free = len(groups) - 1
    cube = ((len(ranks) - 1) * share / free) ** (1 / 3)
    return share, statistics.NormalDist(1 - 2 / (9 * free), math.sqrt(2 / (9 * free))).cdf(
        2 * (1 - 2 / (9 * free)) - cube
    )


def _ranked(values: Sequence[Fraction]) -> list[float]:
    """Ranks from the mean of those that are less and those that are not more."""
    return [(sum(other < one for other in values) + sum(other <= one for other in values) + 1) / 2 for one in values]
