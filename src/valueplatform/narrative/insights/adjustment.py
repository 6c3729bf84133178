"""Adjustments: a closed month that turned out otherwise is told once it was published (value rule 12).

No statistic: what was posted, and what is posted now. Told for 62 days after the adjustment is shown, when it moves
the month's value by at least 1 %. Minimum data: the month's closing.
"""

from datetime import date, timedelta

from valueplatform.core.periods import Period, next_month
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import adjusted, closed, minus, number, plus, standing_of
from valueplatform.narrative.insight import Insight, Strength
from valueplatform.narrative.insights.weight import importance

TOLD_FOR = timedelta(days=62)
MATERIAL_PERCENT = 1
EVER = date(1, 1, 1)
CAUSES = ("events", "late-events", "retraction", "model", "assumption", "plan", "timezone", "currency", "erasure")


def adjustments(facts: AccountFacts) -> list[Insight]:
    since = facts.today - TOLD_FOR
    recent = [given for given in facts.adjustments if since <= given.shown_day <= facts.today]
    known = {driver.slug for driver in facts.drivers}
    months = sorted({(given.driver, given.month) for given in recent if given.driver in known})
    return [found for driver, month in months if (found := _adjustment(facts, driver, month, since))]


def _adjustment(facts: AccountFacts, driver: str, month: date, since: date) -> Insight | None:
    late = [a for a in facts.adjustments if (a.driver, a.month) == (driver, month) and since <= a.shown_day]
    first_shown, last_shown = min(a.shown_day for a in late), max(a.shown_day for a in late)
    posted = closed(facts, month, driver)
    before = adjusted(facts, Period(EVER, first_shown), month, driver)
    change = adjusted(facts, Period(first_shown, facts.tomorrow), month, driver)
    said = plus((posted, before)) if before.value else posted
    now = plus((posted, before, change)) if before.value else plus((posted, change))
    if abs(change.value) * 100 < abs(said.value) * MATERIAL_PERCENT or not change.value:
        return None
    given = facts.driver(driver)
    counted = not facts.ledger.uncounted_rows(first_shown, facts.tomorrow, unit=given.unit, drivers=(driver,))
    standing = standing_of(facts, Period(first_shown, facts.tomorrow), (driver,), counted=counted)
    return Insight(
        kind="adjustment",
        subject=driver,
        period_from=month,
        period_to=next_month(month),
        numbers=(
            number("said", said, given.unit, standing),
            number("now", now, given.unit, standing),
            number("change", minus(now, said), given.unit, standing),
        ),
        strength=Strength.STRONG,
        importance=importance(facts, change.value * 4, 0.95) if facts.is_money(given) else 0.3,
        terms={
            "driver_name": given.title,
            "month": month.isoformat(),
            "shown_day": last_shown.isoformat(),
        }
        | _cause(facts, ",".join(sorted({a.cause for a in late}))),
        drivers=(driver,),
        favorable=change.value > 0,
        anchor=f"adjusted {month} {first_shown}",
    )


def _cause(facts: AccountFacts, causes: str) -> dict[str, str]:
    """The cause in a code that wording knows; an assumption is named."""
    for cause in sorted(part.strip() for part in causes.split(",")):
        code, _, slug = cause.partition(":")
        titles = [given.title for given in facts.inputs if given.slug == slug]
        if code == "assumption" and titles:
            return {"cause": "assumption", "input_name": titles[0]}
    codes = sorted(part.strip().partition(":")[0] for part in causes.split(","))
    return {"cause": next((code for code in codes if code in CAUSES and code != "assumption"), "record")}
