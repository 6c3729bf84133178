"""How an account compares, as the page shows it. Pure. It says where accounts stand, never why (value rule 6)."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from valueplatform.portal.calling import Place
from valueplatform.portal.exact import cents_text, count_text, short_text
from valueplatform.portal.view import benchmarks as view
from valueplatform.portal.view.words import Link
from valueplatform.portal.worth_words import CLASSES
from valueplatform.value.benchmark import Per, Withheld, count_of
from valueplatform.value.benchmark_read import (
    METHOD,
    PRACTICE_METHOD,
    AccountBenchmarks,
    Compared,
    DriverStanding,
    NamedPractice,
)
from valueplatform.value.practice import Habit

TOP, BOTTOM = Decimal(75), Decimal(25)
REASONS: Final = {
    Withheld.FEW: "Fewer than five companies have it in this currency, so no figure is told.",
    Withheld.DOMINATED: "One company would be more than half of the total, so no figure is told.",
}


def benchmarks_view(found: AccountBenchmarks, place: Place) -> view.Benchmarks:
    who = "You" if place.is_own else place.account.name
    return view.Benchmarks(
        headline=_headline(found, who, own=place.is_own),
        lead=_lead(found),
        drivers=tuple(_driver(one, found, who) for one in found.drivers),
        method=(METHOD, PRACTICE_METHOD),
        back=Link("Back to the story", place.path("/story")),
    )


def months_text(months: Sequence[object]) -> str:
    """Feb to Apr 2026."""
    first, last = (f"{month:%b %Y}" for month in (months[0], months[-1]))
    return first if first == last else f"{first} to {last}"


def scale_word(scale: str) -> str:
    """What one unit of scale is called: a technician, of `technicians`."""
    words = scale.replace("_", " ").replace("-", " ")
    return words[:-1] if words.endswith("s") and not words.endswith("ss") else words


def cohort_text(compared: Compared) -> str:
    """38 companies in Elevator service."""
    return f"{compared.accounts:,} companies" + (f" in {compared.cohort_title}" if compared.cohort else "")


def _headline(found: AccountBenchmarks, who: str, *, own: bool) -> str:
    standing = [one.percentile for driver in found.drivers if (one := _main(driver)) and one.percentile is not None]
    if standing:
        top = sum(one >= TOP for one in standing)
        verb = "stand" if own else "stands"
        of = "the one driver" if len(standing) == 1 else f"{count_text(len(standing))} drivers"
        if top:
            return f"{who} {verb} in the top quarter in {count_text(top)} of {of} compared"
        return f"{who} {verb} below the top quarter in {of} compared"
    if any(driver.compared for driver in found.drivers):
        return "What companies like yours realize" if own else f"What companies like {who} realize"
    return "There is nothing to compare with yet"


def _lead(found: AccountBenchmarks) -> str:
    if found.as_of is None or not found.months:
        return "Companies are compared once a whole month has been recorded."
    return (
        f"A month, the mean of {months_text(found.months)}. Other companies are told of in groups of five or more, and "
        "never by name. Where one stands says nothing of why."
    )


def _main(driver: DriverStanding) -> Compared | None:
    """What an account is best compared by: per unit of scale, where that is known."""
    by_scale = [one for one in driver.compared if one.per is Per.SCALE and one.percentile is not None]
    return next(iter([*by_scale, *driver.compared]), None)


def _driver(driver: DriverStanding, found: AccountBenchmarks, who: str) -> view.ComparedDriver:
    return view.ComparedDriver(
        anchor=f"d-{driver.driver}",
        title=driver.title,
        meta=f"{CLASSES[driver.benefit_class]}, benchmark",
        says=_says(driver, who, found.scale or ""),
        rows=tuple(_row(one, driver, found) for one in driver.compared),
        practice=_practice(driver.practice) if driver.practice and driver.compared else None,
    )


def _says(driver: DriverStanding, who: str, scale: str) -> str:
    main = _main(driver)
    if main is None:
        return REASONS[driver.withheld or Withheld.FEW]
    if main.percentile is None:
        return f"Half of {cohort_text(main)} realize {_between(main, driver.unit)} a month."
    per = f" per {scale_word(scale)}" if main.per is Per.SCALE else ""
    return f"{who} realized more a month{per} than {_others(main, main.percentile)} among {cohort_text(main)}."


def _between(one: Compared, unit: str) -> str:
    return f"{short_text(one.lower, unit)} to {short_text(one.upper, unit)}"


def _others(one: Compared, percentile: Decimal) -> str:
    """85.7% of the others; of a small group, 6 of the 7 others."""
    count = count_of(percentile, one.accounts - 1)
    return (
        f"{_percent(percentile)} of the others"
        if count is None
        else f"{_count(count)} of the {one.accounts - 1} others"
    )


def _share(one: Compared, percentile: Decimal) -> str:
    """The same in a cell."""
    count = count_of(percentile, one.accounts - 1)
    return _percent(percentile) if count is None else f"{_count(count)} of {one.accounts - 1}"


def _percent(value: Decimal) -> str:
    return f"{value.normalize():f}%"


def _count(count: Fraction) -> str:
    """Who realizes the same counts half."""
    whole, half = divmod(count, 1)
    return f"{whole or ''}\N{VULGAR FRACTION ONE HALF}" if half else str(whole)


def _row(one: Compared, driver: DriverStanding, found: AccountBenchmarks) -> view.ComparedRow:
    scale = scale_word(found.scale or "")
    per = "A month" if one.per is Per.ACCOUNT else f"A month per {scale}"
    return view.ComparedRow(
        per=per,
        own="" if one.value is None else short_text(one.value, driver.unit),
        value="" if one.value is None else f"{one.value:f}",
        lower=short_text(one.lower, driver.unit),
        median=short_text(one.median, driver.unit),
        upper=short_text(one.upper, driver.unit),
        percentile="" if one.percentile is None else _share(one, one.percentile),
        cohort=cohort_text(one),
        place=None if one.percentile is None else float(one.percentile / 100),
        label=""
        if one.percentile is None
        else f"{driver.title}, {per.lower()}: higher than {_others(one, one.percentile)}",
        how=tuple(_how(one, driver, found)),
    )


def _how(one: Compared, driver: DriverStanding, found: AccountBenchmarks) -> list[str]:
    """What a figure is made of."""
    lines = [f"Cohort: {cohort_text(one)}, {driver.unit} alone. Months: {months_text(found.months)}."]
    if one.value is not None and driver.total is not None:
        made = f"{cents_text(driver.total, driver.unit)} in all ÷ {len(found.months)} months"
        if one.per is Per.SCALE and driver.scale is not None:
            made += f" ÷ {driver.scale.normalize():f} {(found.scale or '').replace('_', ' ')}"
        lines.append(f"Own value: {made} = {cents_text(one.value, driver.unit)}.")
    return lines


def _practice(named: NamedPractice) -> view.PracticeView:
    practice = named.practice
    where = f" in {named.cohort_title}" if named.cohort else ""
    top, rest = f"{practice.top} companies of the top quarter{where}", f"the {practice.rest} others"
    compared = "one feature" if practice.compared == 1 else f"{count_text(practice.compared)} features"
    than = f"a larger share of the {top} than of {rest}, beyond chance"
    says = (
        f"Used by {than}; {compared} compared." if named.habits else f"None of {compared} compared is used by {than}."
    )
    return view.PracticeView(says, tuple(_habit(one.title, one.habit) for one in named.habits))


def _habit(title: str, habit: Habit) -> view.HabitRow:
    return view.HabitRow(
        order="" if habit.position is None else f"{habit.position.normalize():f}",
        feature=title,
        top=f"{habit.top_using} of {habit.top}",
        rest=f"{habit.rest_using} of {habit.rest}",
        difference=_points(habit.difference),
        interval=f"{_points(habit.low)} to {_points(habit.high)}",
    )


def _points(share: Decimal) -> str:
    return f"{(share * 100).quantize(Decimal(1)):f} points"
