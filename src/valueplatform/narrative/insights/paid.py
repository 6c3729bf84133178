"""Return: counted value for each unit of money that the customer put in (value rule 7).

No statistic: counted realized value ÷ contract cost by the day and known effort (`put_in`), over the same days. Minimum
data: 28 days under contract in the account's currency, and counted value.
"""

from valueplatform.core.periods import Period
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import number, ratio, realized, standing_of, times
from valueplatform.narrative.insight import Insight, Strength
from valueplatform.narrative.insights.put_in import put_in
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.insights.weight import importance
from valueplatform.narrative.windows import story_window

MINIMUM_DAYS = 28


def returns(facts: AccountFacts) -> list[Insight]:
    window = story_window(facts).to_date
    own = [contract for contract in facts.contracts if contract.currency == facts.currency]
    starts = [contract.start for contract in own if contract.start < window.end]
    drivers = facts.money_drivers
    if not starts or not drivers:
        return []
    period = Period(max(window.start, min(starts)), window.end)
    cost, value = put_in(facts, period), realized(facts, period, drivers)
    if period.days < MINIMUM_DAYS or cost.whole.value <= 0 or not value.value:
        return []
    share = ratio(value, cost.whole)
    standing = standing_of(facts, period, drivers)
    return [
        Insight(
            kind="return-on-paid",
            subject=ACCOUNT,
            period_from=period.start,
            period_to=period.end,
            numbers=(
                times("times_paid", share, standing),
                *cost.numbers,
                number("realized", value, facts.currency, standing),
            ),
            strength=Strength.STRONG,
            importance=importance(facts, value.value, 0.7),
            terms={"since_day": period.start.isoformat(), "counts": cost.term},
            drivers=drivers,
            favorable=share.value >= 1,
            anchor=f"since {period.start}",
        )
    ]
