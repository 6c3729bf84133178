"""The value of drivers whose month changed, cut by the dimensions of their meters: read in scope, for insights.

Only what has changed is cut, and only by what names no person; members whose events name fewer than five persons are
told with what carries no value of the dimension (value rule 18), and have no part of their own here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from valueplatform.core.database import Transaction
from valueplatform.core.errors import UnprocessableError
from valueplatform.core.periods import Period
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.located import MemberCut, Members, is_cut
from valueplatform.narrative.windows import month_before
from valueplatform.value.cuts import dimensions_of
from valueplatform.value.model import ValueModel
from valueplatform.value.models import newest_model
from valueplatform.value.slice_read import FEATURE, names_persons, slices_of
from valueplatform.value.slices import Slice
from valueplatform.value.split_record import read_splits

MOST_CUT: Final = 3
"""Changes of a month that are cut, the most important first."""


async def read_cuts(
    tx: Transaction, account_id: int, facts: AccountFacts, insights: Iterable[Insight]
) -> tuple[MemberCut, ...]:
    """Cuts of what `insights` say has changed from one month to the next."""
    changed = sorted((one for one in insights if is_cut(one)), key=lambda one: (-one.importance, one.subject))
    if not changed or facts.providers:
        return ()
    model, splits = await newest_model(tx), await read_splits(tx, account_id)
    shared = {one.driver for one in splits}
    found = []
    for insight in changed[:MOST_CUT]:
        driver = model.driver(insight.subject)
        if driver is None or insight.subject in shared:
            continue
        days = Period(month_before(insight.period_from), insight.period_to)
        for dimension in dimensions_of(driver, model):
            if names_persons(dimension):
                continue
            plan = {insight.subject: (dimension,)}
            try:
                slices = await slices_of(tx, account_id, days, plan, model, splits)
            except UnprocessableError:  # archived days whose persons are not counted
                continue
            found.append(MemberCut(insight.subject, dimension, days, _members(slices, dimension, model, insight)))
    return tuple(found)


def _members(slices: Iterable[Slice], dimension: str, model: ValueModel, insight: Insight) -> Mapping[str, Members]:
    """By member what it has by day; in the unit of the insight, and what counts where that says so."""
    counted = insight.terms["certainty"] == "counted"
    unit = insight.number("change").unit
    found: defaultdict[str, defaultdict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for one in slices:
        if one.unit == unit and (one.counted or not counted):
            found[one.members[dimension]][one.day] += one.expected
    return {member: Members(_label(member, dimension, model), dict(days)) for member, days in found.items()}


def _label(member: str, dimension: str, model: ValueModel) -> str:
    feature = model.feature(member) if dimension == FEATURE else None
    return feature.label if feature is not None else member
