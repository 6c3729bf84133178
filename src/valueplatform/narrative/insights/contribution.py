"""Who contributed: top drivers and detractors of the total, benefit classes, partners.

No statistic: parts of a sum. *Top contributors*: the two largest of at least two drivers with value. *Detractor*: a
driver whose value to date is negative. *Classes*: at least two benefit classes (value
rule 4: never one undivided total). *Partner*: another provider's part of a driver (value rules 6 and 19). Minimum
data: one row each.
"""

from collections import defaultdict
from collections.abc import Iterator

from valueplatform.core.periods import Period
from valueplatform.narrative.facts import SUPPLIER, AccountFacts
from valueplatform.narrative.figures import Figure, number, of_provider, ratio, realized, standing_of
from valueplatform.narrative.insight import Insight, Number, Strength
from valueplatform.narrative.insights.standing import ACCOUNT, strength_of
from valueplatform.narrative.insights.weight import importance
from valueplatform.narrative.windows import StoryWindow, story_window
from valueplatform.value.model import JOINT

MOST_CLASSES = 4


def contribution(facts: AccountFacts) -> list[Insight]:
    window = story_window(facts)
    counted = facts.ledger.has_rows(
        window.to_date.start, window.to_date.end, unit=facts.currency, drivers=facts.money_drivers
    )
    parts = {
        driver: realized(facts, window.to_date, (driver,), counted=counted)
        for driver in facts.money_drivers
        if facts.ledger.has_rows(
            window.to_date.start, window.to_date.end, unit=facts.currency, drivers=(driver,), counted=counted
        )
    }
    return [
        *_top(facts, window, parts, counted=counted),
        *_detractors(facts, window, parts, counted=counted),
        *_classes(facts, window, parts, counted=counted),
        *_partners(facts, window),
    ]


def _base(window: StoryWindow, *, counted: bool) -> dict[str, str]:
    return {"since_day": window.start.isoformat(), "certainty": "counted" if counted else "estimated"}


def _top(facts: AccountFacts, window: StoryWindow, parts: dict[str, Figure], *, counted: bool) -> Iterator[Insight]:
    order = sorted(parts, key=lambda driver: (-parts[driver].value, driver))
    top = [driver for driver in order if parts[driver].value > 0][:2]
    whole = realized(facts, window.to_date, parts, counted=counted)
    if len(top) < 2 or whole.value <= 0:
        return
    numbers = []
    for name, driver in zip(("first", "second"), top, strict=True):
        standing = standing_of(facts, window.to_date, (driver,), counted=counted)
        numbers.append(number(name, parts[driver], facts.currency, standing))
        numbers.append(number(f"{name}_share", ratio(parts[driver], whole), "share", standing))
    yield Insight(
        kind="top-contributors",
        subject=ACCOUNT,
        period_from=window.to_date.start,
        period_to=window.to_date.end,
        numbers=tuple(numbers),
        strength=Strength.STRONG,
        importance=importance(facts, parts[top[0]].value, 0.55),
        terms=_base(window, counted=counted)
        | {"first_name": facts.driver(top[0]).title, "second_name": facts.driver(top[1]).title},
        drivers=tuple(top),
        favorable=True,
        anchor=f"since {window.start}",
    )


def _detractors(
    facts: AccountFacts, window: StoryWindow, parts: dict[str, Figure], *, counted: bool
) -> Iterator[Insight]:
    for driver, part in sorted(parts.items()):
        if part.value >= 0:
            continue
        standing = standing_of(facts, window.to_date, (driver,), counted=counted)
        yield Insight(
            kind="detractor",
            subject=driver,
            period_from=window.to_date.start,
            period_to=window.to_date.end,
            numbers=(number("realized", part, facts.currency, standing),),
            strength=strength_of(facts, driver),
            importance=importance(facts, part.value, 0.9),
            terms=_base(window, counted=counted) | {"driver_name": facts.driver(driver).title},
            drivers=(driver,),
            favorable=False,
            anchor=f"since {window.start}",
        )


def _classes(facts: AccountFacts, window: StoryWindow, parts: dict[str, Figure], *, counted: bool) -> Iterator[Insight]:
    grouped: defaultdict[str, list[str]] = defaultdict(list)
    for driver in sorted(parts):
        grouped[facts.driver(driver).benefit_class].append(driver)
    sums = {name: realized(facts, window.to_date, drivers, counted=counted) for name, drivers in grouped.items()}
    order = sorted(sums, key=lambda name: (-abs(sums[name].value), name))
    if not 2 <= len(order) <= MOST_CLASSES:
        return
    numbers: list[Number] = [
        number(name, sums[name], facts.currency, standing_of(facts, window.to_date, grouped[name], counted=counted))
        for name in order
    ]
    yield Insight(
        kind="benefit-classes",
        subject=ACCOUNT,
        period_from=window.to_date.start,
        period_to=window.to_date.end,
        numbers=tuple(numbers),
        strength=Strength.STRONG,
        importance=importance(facts, sums[order[0]].value, 0.4),
        terms=_base(window, counted=counted) | {"classes": " ".join(order)},
        drivers=tuple(sorted(parts)),
        anchor=f"since {window.start}",
    )


def _partners(facts: AccountFacts, window: StoryWindow) -> Iterator[Insight]:
    if facts.providers:
        return
    for driver in facts.drivers:
        for provider in facts.ledger.providers(driver.slug, driver.unit):
            if provider != SUPPLIER and (found := _partner(facts, window, driver.slug, provider)):
                yield found


def _partner(facts: AccountFacts, window: StoryWindow, driver: str, provider: str) -> Insight | None:
    period: Period = window.to_date
    unit = facts.driver(driver).unit
    counted = not facts.ledger.uncounted_rows(period.start, period.end, unit=unit, drivers=(driver,))
    part = of_provider(facts, period, driver, provider, counted=counted)
    if not part.value or provider not in facts.provider_names:
        return None
    return Insight(
        kind="partner-contribution",
        subject=f"{driver}/{provider}",
        period_from=period.start,
        period_to=period.end,
        numbers=(number("part", part, unit, standing_of(facts, period, (driver,), counted=counted)),),
        strength=Strength.MODERATE,
        importance=0.3,
        terms=_base(window, counted=counted)
        | ({"party": JOINT} if provider == JOINT else {"part_name": facts.provider_names[provider]})
        | {"driver_name": facts.driver(driver).title},
        drivers=(driver,),
        anchor=f"since {window.start}",
    )
