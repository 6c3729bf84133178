"""Realized value to date: what counts, and what stands beside it (value rules 3, 4, 10).

No statistic: sums of exact daily amounts over the story window. Minimum data: one row of value. An amount is *counted*
when every input beneath it is validated or measured; what is not is told as an estimate, never inside the total.
"""

from collections.abc import Iterator

from valueplatform.narrative.facts import AccountFacts, DriverFacts
from valueplatform.narrative.figures import Figure, minus, number, realized, standing_of
from valueplatform.narrative.insight import Insight, Number, Standing, Strength
from valueplatform.narrative.insights.weight import importance
from valueplatform.narrative.windows import StoryWindow, story_window
from valueplatform.value.basis import is_currency
from valueplatform.value.derivation import Bound
from valueplatform.value.model import Evidence
from valueplatform.value.states import is_agreed

ACCOUNT = "account"
_STRENGTH = {
    Evidence.MEASURED: Strength.STRONG,
    Evidence.CUSTOMER_VALIDATED: Strength.STRONG,
    Evidence.BENCHMARK: Strength.MODERATE,
    Evidence.VENDOR_ESTIMATE: Strength.WEAK,
}


def standing(facts: AccountFacts) -> list[Insight]:
    window = story_window(facts)
    found = list(_account(facts, window))
    for driver in facts.drivers:
        if facts.ledger.has_rows(
            window.to_date.start, window.to_date.end, unit=driver.unit, drivers=(driver.slug,), counted=False
        ):
            found += _driver(facts, window, driver) if facts.is_money(driver) else [_outcome(facts, window, driver)]
    return found


def strength_of(facts: AccountFacts, driver: str) -> Strength:
    """By the evidence beneath the driver's amounts (value rule 2)."""
    return _STRENGTH[facts.evidence_of(driver)]


def _account(facts: AccountFacts, window: StoryWindow) -> Iterator[Insight]:
    drivers = facts.money_drivers
    span = (window.to_date.start, window.to_date.end)
    has = facts.ledger.has_rows(*span, unit=facts.currency, drivers=drivers)
    waiting = facts.ledger.uncounted_rows(*span, unit=facts.currency, drivers=drivers)
    if has:
        yield _counted(facts, window, ACCOUNT, drivers)
    if waiting:
        yield from _estimated(facts, window, ACCOUNT, drivers, beside=has)


def _driver(facts: AccountFacts, window: StoryWindow, driver: DriverFacts) -> Iterator[Insight]:
    span = (window.to_date.start, window.to_date.end)
    has = facts.ledger.has_rows(*span, unit=driver.unit, drivers=(driver.slug,))
    if has:
        yield _counted(facts, window, driver.slug, (driver.slug,))
    if facts.ledger.uncounted_rows(*span, unit=driver.unit, drivers=(driver.slug,)):
        yield from _estimated(facts, window, driver.slug, (driver.slug,), beside=has)


def _counted(facts: AccountFacts, window: StoryWindow, subject: str, drivers: tuple[str, ...]) -> Insight:
    whole = realized(facts, window.to_date, drivers)
    standing = standing_of(facts, window.to_date, drivers)
    return Insight(
        kind="realized",
        subject=subject,
        period_from=window.to_date.start,
        period_to=window.to_date.end,
        numbers=(number("realized", whole, facts.currency, standing), *_range(facts, window, drivers, counted=True)),
        strength=Strength.STRONG if subject == ACCOUNT else strength_of(facts, subject),
        importance=importance(facts, whole.value, 0.6),
        terms=_terms(facts, window, subject),
        drivers=drivers,
        favorable=whole.value >= 0,
        anchor=f"since {window.start}",
    )


def _estimated(
    facts: AccountFacts, window: StoryWindow, subject: str, drivers: tuple[str, ...], *, beside: bool
) -> Iterator[Insight]:
    """Nothing where what does not count comes to nothing beside what does."""
    whole = realized(facts, window.to_date, drivers, counted=False)
    amount: Figure = minus(whole, realized(facts, window.to_date, drivers)) if beside else whole
    if beside and not amount.value:
        return
    standing = standing_of(facts, window.to_date, drivers, counted=False)
    numbers = [number("estimated", amount, facts.currency, standing)]
    if not beside:
        numbers += _range(facts, window, drivers, counted=False)
    terms = _terms(facts, window, subject)
    if validator := facts.person("validator"):
        terms["validator_name"] = validator
    needed = {slug for driver in drivers for slug in facts.driver(driver).inputs}
    waits = any(given.slug in needed and not is_agreed(given.state) for given in facts.inputs)
    terms["waits_for"] = "inputs" if waits else "driver"
    yield Insight(
        kind="estimated-beside" if beside else "estimated",
        subject=subject,
        period_from=window.to_date.start,
        period_to=window.to_date.end,
        numbers=tuple(numbers),
        strength=Strength.WEAK,
        importance=importance(facts, amount.value, 0.6),
        terms=terms,
        drivers=drivers,
        anchor=f"since {window.start}",
    )


def _outcome(facts: AccountFacts, window: StoryWindow, driver: DriverFacts) -> Insight:
    """What enters no total: it has no price, one in another currency, or is strategic."""
    span = (window.to_date.start, window.to_date.end)
    counted = not facts.ledger.uncounted_rows(*span, unit=driver.unit, drivers=(driver.slug,))
    whole = realized(facts, window.to_date, (driver.slug,), counted=counted)
    standing = standing_of(facts, window.to_date, (driver.slug,), counted=counted)
    return Insight(
        kind="outcome",
        subject=driver.slug,
        period_from=window.to_date.start,
        period_to=window.to_date.end,
        numbers=(number("outcome", whole, driver.unit, standing),),
        strength=strength_of(facts, driver.slug),
        importance=0.3,
        terms=_terms(facts, window, driver.slug)
        | {"certainty": "counted" if counted else "estimated", "pricing": _pricing(facts, driver)},
        drivers=(driver.slug,),
        favorable=whole.value >= 0,
        anchor=f"since {window.start}",
    )


def _pricing(facts: AccountFacts, driver: DriverFacts) -> str:
    if driver.unit == facts.currency:
        return "strategic"
    return "foreign" if is_currency(driver.unit) else "none"


def _range(facts: AccountFacts, window: StoryWindow, drivers: tuple[str, ...], *, counted: bool) -> list[Number]:
    standing = Standing.VALIDATED if counted else Standing.ESTIMATED
    return [
        number(
            bound.value,
            realized(facts, window.to_date, drivers, counted=counted, bound=bound),
            facts.currency,
            standing,
        )
        for bound in (Bound.LOW, Bound.HIGH)
    ]


def _terms(facts: AccountFacts, window: StoryWindow, subject: str) -> dict[str, str]:
    """`since_day` is where the window begins: the contract year, or the first value."""
    terms = {"since_day": window.start.isoformat(), "window": "contract" if window.is_contract_year else "first-value"}
    if subject != ACCOUNT:
        terms["driver_name"] = facts.driver(subject).title
    return terms
