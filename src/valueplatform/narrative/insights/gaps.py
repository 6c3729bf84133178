"""What cannot be said, and why (value rule 8): insufficient data with its reason and cure, and days without an
amount.

No statistic. Each reason names what is missing; wording names the cure. A driver is *insufficient* when it had
events and no amount at all in the story window; single days without an amount are told as a caveat.
"""

from collections.abc import Iterator

from valueplatform.core.periods import ONE_DAY
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.insight import Insight, Strength
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.windows import commitment_windows, first_value_day, story_window

REASONS = ("null_input", "zero_divisor", "out_of_range", "no_input", "mixed_currencies")


def gaps(facts: AccountFacts) -> list[Insight]:
    return [*_account(facts), *(found for driver in facts.drivers for found in _driver(facts, driver.slug))]


def _account(facts: AccountFacts) -> Iterator[Insight]:
    if first_value_day(facts) is None:
        yield _insufficient(facts, ACCOUNT, {"reason": "no-value"}, 1.0)
    elif not _is_priced(facts):
        yield _insufficient(facts, ACCOUNT, {"reason": "no-price"}, 0.8)
    elif not facts.providers and not commitment_windows(facts):
        yield _insufficient(facts, ACCOUNT, {"reason": "no-plan"}, 0.2)


def _is_priced(facts: AccountFacts) -> bool:
    """Whether any amount of the story window may enter a total."""
    days, drivers = story_window(facts).to_date, facts.money_drivers
    return facts.ledger.has_rows(days.start, days.end, unit=facts.currency, drivers=drivers, counted=False)


def _insufficient(facts: AccountFacts, subject: str, terms: dict[str, str], importance: float) -> Insight:
    window = story_window(facts)
    return Insight(
        kind="insufficient-data",
        subject=subject,
        period_from=window.to_date.start,
        period_to=window.to_date.end,
        numbers=(),
        strength=Strength.STRONG,
        importance=importance,
        terms=terms,
        drivers=() if subject == ACCOUNT else (subject,),
        anchor=f"since {window.start}",
    )


def _driver(facts: AccountFacts, driver: str) -> Iterator[Insight]:
    window = story_window(facts).to_date
    missing = sorted(gap.day for gap in facts.gaps if gap.driver == driver and gap.day in window)
    if not missing:
        return
    reasons = [gap.reason for gap in facts.gaps if gap.driver == driver and gap.day in window]
    terms = {"driver_name": facts.driver(driver).title} | _reason(facts, max(reasons, key=reasons.count))
    unit = facts.driver(driver).unit
    if not facts.ledger.has_rows(window.start, window.end, unit=unit, drivers=(driver,), counted=False):
        yield _insufficient(facts, driver, terms, 0.5)
        return
    yield Insight(
        kind="days-without-amount",
        subject=driver,
        period_from=missing[0],
        period_to=missing[-1] + ONE_DAY,
        numbers=(),
        strength=Strength.STRONG,
        importance=0.3,
        terms=terms | {"first_day": missing[0].isoformat(), "last_day": missing[-1].isoformat()},
        drivers=(driver,),
    )


def _reason(facts: AccountFacts, reason: str) -> dict[str, str]:
    """The reason as a code, with the title of the input or meter that it names."""
    code, _, slug = reason.partition(":")
    terms = {"reason": code if code in REASONS else "no-amount"}
    titles = {given.slug: given.title for given in facts.inputs} | facts.meter_titles
    if slug in titles:
        terms["missing_name"] = titles[slug]
    return terms
