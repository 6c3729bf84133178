"""What the accounts of a cohort put into a driver's formula: the median of each input that the amount is a multiple of.

A figure of a cohort was made at its accounts' own inputs. Somebody with another value of one can be told the figure
times the ratio of both values only where the formula is that value times what is free of it (`degree_in` 1), and no cap
cuts the amount. Told of cohorts alone (value rule 20), in one unit, to three significant digits.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.periods import next_month
from valueplatform.value.basis import BasisInput
from valueplatform.value.benchmark import EVERYBODY, Member, published
from valueplatform.value.benchmark_inputs import Ground
from valueplatform.value.cohorts import is_masked, median
from valueplatform.value.formula import Formula
from valueplatform.value.formula_tree import degree_in
from valueplatform.value.model import Driver, ValueModel

# Of the newest day of the months: members have an amount in each of them.
_INPUTS: Final = text("""
    SELECT DISTINCT ON (v.account_id) v.account_id, b.inputs::text AS inputs
    FROM accrual v JOIN basis b ON b.account_id = v.account_id AND b.basis_id = v.basis_id
    WHERE v.account_id = ANY(CAST(:accounts AS bigint[])) AND v.driver = :driver AND v.day >= :start AND v.day < :end
      AND v.expected IS NOT NULL
    ORDER BY v.account_id, v.day DESC
""")

Given = Mapping[int, Sequence[BasisInput]]
"""By account: what its newest amount rests on."""


class Typical(msgspec.Struct, frozen=True):
    """Of one input among the accounts of one figure."""

    driver: str
    segment: str
    unit: str
    slug: str
    input_unit: str
    accounts: int
    median: Decimal


def proportional_inputs(model: ValueModel, driver: Driver) -> frozenset[str]:
    """The inputs that the driver's amount is a multiple of."""
    if model.cap_of(driver) is not None:
        return frozenset()
    formula = Formula.parse(driver.formula)
    rates = {rate.slug for rate in (*model.assumptions, *model.baselines)}
    return frozenset(name for name in formula.names & rates if degree_in(formula.term, frozenset({name})) == 1)


async def inputs_of(tx: Transaction, ground: Ground, driver: Driver, members: Sequence[Member]) -> Given:
    asked = {
        "accounts": sorted({member.account_id for member in members}),
        "driver": driver.slug,
        "start": ground.months[-1],
        "end": next_month(ground.months[-1]),
    }
    rows = await tx.rows(_INPUTS, asked)
    return {row.account_id: msgspec.json.decode(row.inputs, type=tuple[BasisInput, ...]) for row in rows}


def typical_inputs(members: Iterable[Member], given: Given, slugs: frozenset[str]) -> list[Typical]:
    """Of one driver, by segment and unit of its amounts; an input in several units is left out."""
    found: defaultdict[tuple[str, str, str], list[BasisInput]] = defaultdict(list)
    driver = ""
    for member in members:
        driver = member.driver
        for one in given.get(member.account_id, ()):
            if one.slug in slugs:
                for segment in {EVERYBODY, member.segment or EVERYBODY}:
                    found[segment, member.unit, one.slug].append(one)
    typical = (_typical(driver, segment, unit, found[segment, unit, slug]) for segment, unit, slug in sorted(found))
    return [one for one in typical if one is not None]


def _typical(driver: str, segment: str, unit: str, given: Sequence[BasisInput]) -> Typical | None:
    values = [Fraction(one.value.expected) for one in given]
    if is_masked(values) or len({one.unit for one in given}) > 1:
        return None
    middle = published(median(values))
    return Typical(driver, segment, unit, given[0].slug, given[0].unit, len(values), middle)
