"""The read over features, against the raw events put together again in plain fractions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest

from tests.conftest import Databases
from tests.value.factories import CUSTOMER, NOW, TODAY
from tests.value.worth_worlds import Sent, install, work
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.core.periods import Period
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.value import assumption_record as record
from valueplatform.value.assumption_record import Statement
from valueplatform.value.assumptions import Action
from valueplatform.value.feature_book import Counted, FeatureBook, FeatureWorth, OpenedFeature
from valueplatform.value.feature_worth_read import feature_book, opened_feature, period_asked
from valueplatform.value.model_file import read_model
from valueplatform.value.ranges import Range

MODEL = read_model(
    """
supplier = { name = "Fieldnote", currency = "USD", timezone = "UTC" }

[[feature]]
slug = "reports"
title = "Job reports"
event = "visit.done"
hypothesis = "Fewer second visits"
driver = "repeats"
meter = "visits"
baseline = "usual"

[[feature]]
slug = "lists"
event = "list.done"

[[feature]]
slug = "quotes"
event = "quote.made"
filter = "won = true"

[[feature]]
slug = "chat"
event = "chat.sent"
filter = "long = true"

[[release]]
slug = "two"
title = "Reports 2"
day = 2026-04-01
feature = ["reports", "lists"]

[[release]]
slug = "three"
day = 2026-06-12
feature = "reports"

[[release]]
slug = "four"
day = 2027-01-01
feature = "reports"

[[meter]]
slug = "visits"
event = "visit.done"
aggregation = "SUM"
property = "visits"
dimensions = ["team", "feature"]

[[meter]]
slug = "again"
event = "visit.done"
aggregation = "SUM"
property = "again"
dimensions = ["feature"]

[[meter]]
slug = "won"
event = "quote.made"
aggregation = "COUNT"
filter = "won = true"

[[meter]]
slug = "teams"
event = "visit.done"
aggregation = "UNIQUE_COUNT"
property = "team"

[[baseline]]
slug = "usual"
unit = "ratio"
method = "measured-before"
default = { low = "0.1", expected = "0.3", high = "0.4" }

[[assumption]]
slug = "cost"
unit = "USD/visit"
default = { low = "100", expected = "133.3333", high = "170" }

[[assumption]]
slug = "margin_of_one"
unit = "USD"
default = "7"

[[driver]]
slug = "repeats"
unit = "USD"
benefit_class = "cashable"
pool = "one"
formula = "(visits * usual - again) * cost"
feature = ["reports", "lists"]

[[driver]]
slug = "sold"
unit = "USD"
benefit_class = "cashable"
formula = "won * margin_of_one"
feature = ["quotes"]

[[driver]]
slug = "busy"
unit = "team"
benefit_class = "strategic"
pool = "two"
formula = "teams"
feature = ["reports", "lists"]
""",
    "model.toml",
)
DAYS = [date(2026, 3, 2) + timedelta(days=4 * number) for number in range(23)]
WINDOW = Period(date(2026, 3, 1), date(2026, 6, 1))


def visits(number: int, feature: str | None, offset: int = 0) -> list[Sent]:
    tag = {"feature": feature} if feature else {}
    return [
        (day, "visit.done", {"visits": number + at % 5, "again": at % 3, "team": f"t{at % 2}", **tag})
        for at, day in enumerate(DAYS[offset:])
    ]


def lists() -> list[Sent]:
    return [(day, "list.done", {}) for day in DAYS[::2]]


def quotes(number: int) -> list[Sent]:
    return [(day, "quote.made", {"won": at % 3 != 0}) for at, day in enumerate(DAYS[:number])]


WORLD: dict[str, list[Sent]] = {
    "a": [*visits(11, "reports"), *visits(7, "lists"), *visits(3, None), *lists(), *quotes(9)],
    "b": [*visits(5, "reports"), *visits(5, "unheard-of"), *quotes(12)],
    "c": [*visits(8, "lists", 6), *lists(), *quotes(10)],
    "d": [*quotes(11), (date(2026, 3, 9), "chat.sent", {"long": True})],
    "e": [*quotes(8)],
    "f": [*visits(2, "reports")],
    "g": [(date(2026, 5, 3), "login", {})],
    "h": [*visits(4, "reports"), *quotes(6)],
}


async def book(databases: Databases, period: Period = WINDOW) -> FeatureBook:
    async with databases.web.transaction(grant_all(), steady=True) as tx:
        return await feature_book(tx, MODEL, period)


async def opened(databases: Databases, slug: str) -> OpenedFeature:
    async with databases.web.transaction(grant_all(), steady=True) as tx:
        return await opened_feature(tx, MODEL, slug, WINDOW, TODAY)


def by_slug(found: FeatureBook) -> dict[str, FeatureWorth]:
    return {one.feature: one for one in found.features}


def recount(world: Mapping[str, Sequence[Sent]], period: Period) -> dict[str, Fraction]:
    """What `repeats` is worth by feature and altogether, from the events alone."""
    found: defaultdict[str, Fraction] = defaultdict(Fraction)
    for sent in world.values():
        for day, kind, data in sent:
            if kind == "visit.done" and day in period:
                worth = (data["visits"] * Fraction(3, 10) - data["again"]) * Fraction("133.3333")
                name = data.get("feature") if data.get("feature") in {"reports", "lists"} else ""
                found[str(name)] += worth
                found["all"] += worth
    return dict(found)


def near(amount: Decimal, exact: Fraction, days: int = 8 * 92) -> bool:
    """Amounts of days are rounded one by one, by half of the last unit at most."""
    return abs(Fraction(amount) - exact) <= Fraction(days, 20000)


async def test_shared_value_is_divided_as_the_raw_events_say(databases: Databases) -> None:
    ids = await install(databases, WORLD, MODEL, h="EUR")
    async with databases.web.transaction(grant_accounts([ids["h"]])) as tx:
        said = Statement("cost", Range.point(Decimal("133.3333")), "EUR/visit", date(2020, 1, 1), "in euro")
        await record.state_value(tx, ids["h"], Action.PROPOSE, said, CUSTOMER, NOW)
    await work(databases, ids.values())
    found = await book(databases)
    dollars = {key: sent for key, sent in WORLD.items() if key != "h"}
    exact = recount(dollars, WINDOW)
    (division,) = [one for one in found.divisions if (one.driver, one.unit) == ("repeats", "USD")]
    parts = {part.feature: part.expected for part in division.parts}
    assert sum(parts.values()) == division.expected
    assert near(division.expected, exact["all"])
    for name in ("reports", "lists", ""):
        assert near(parts[name], exact[name])
    for name in ("reports", "lists"):
        own = [one for one in by_slug(found)[name].value if one.driver == "repeats" and one.unit == "USD"]
        assert sum(one.expected for one in own) == parts[name]
        assert all(one.divided and one.low is None for one in own)
    euro = recount({"h": WORLD["h"]}, WINDOW)
    (other,) = [one for one in found.divisions if (one.driver, one.unit) == ("repeats", "EUR")]
    assert near(other.expected, euro["all"])


async def test_uses_are_the_events_of_the_feature_in_the_window(databases: Databases) -> None:
    await install(databases, WORLD, MODEL)
    found = by_slug(await book(databases))
    for slug, kind, counted_by in (("reports", "visit.done", "meter"), ("lists", "list.done", "catalog")):
        sent = {key: sum(one[1] == kind and one[0] in WINDOW for one in own) for key, own in WORLD.items()}
        assert (found[slug].uses, found[slug].accounts) == (sum(sent.values()), sum(map(bool, sent.values())))
        assert found[slug].counted_by is Counted(counted_by)
    won = sum(one[2].get("won") is True for own in WORLD.values() for one in own)
    assert found["quotes"].uses == won
    assert (found["chat"].uses, found["chat"].accounts) == (None, None)
    assert "no meter reads its events" in found["chat"].uses_says


async def test_one_feature_has_its_driver_whole_with_its_range_and_per_use(databases: Databases) -> None:
    await install(databases, WORLD, MODEL)
    quotes_ = by_slug(await book(databases))["quotes"]
    assert quotes_.uses is not None
    (amount,) = quotes_.value
    assert (amount.expected, amount.low, amount.high) == (Decimal(7 * quotes_.uses),) * 3
    assert not amount.divided
    (rate,) = quotes_.per_use
    assert (rate.unit, rate.uses, rate.expected) == ("USD", Decimal(quotes_.uses), Decimal(7))
    assert quotes_.eligible == len(WORLD)
    (estimate,) = quotes_.unrealized
    each = sorted(
        7 * sum(one[2].get("won") is True for one in own)
        for own in WORLD.values()
        if any(o[1] == "quote.made" for o in own)
    )
    assert (estimate.accounts, len(each)) == (2, 6)
    assert estimate.expected == Decimal(each[2] + each[3])


async def test_value_per_use_is_over_what_the_meter_of_the_hypothesis_counts_of_the_feature(
    databases: Databases,
) -> None:
    """A report covers many visits: a use is one of them, and of a shared driver one that carries the feature."""
    await install(databases, WORLD, MODEL)
    reports = by_slug(await book(databases))["reports"]
    own = [one[2] for sent in WORLD.values() for one in sent if one[1] == "visit.done" and one[0] in WINDOW]
    carried = sum(data["visits"] for data in own if data.get("feature") == "reports")
    assert (reports.use.meter, reports.use.unit, reports.use.carried) == ("visits", "", True)
    (rate,) = [one for one in reports.per_use if one.unit == "USD"]
    assert rate.uses == carried != reports.uses
    assert rate.expected is not None
    assert near(rate.expected, recount(WORLD, WINDOW)["reports"] / carried, days=2)


async def test_without_a_meter_in_the_hypothesis_a_use_is_an_event_and_it_is_said(databases: Databases) -> None:
    await install(databases, WORLD, MODEL)
    quotes_ = by_slug(await book(databases))["quotes"]
    assert (quotes_.use.meter, quotes_.use.unit) == (None, "event")
    assert "names no meter" in quotes_.use.says
    assert [one.uses for one in quotes_.per_use] == [quotes_.uses]


async def test_the_hypothesis_s_meter_tells_value_per_use_though_nothing_counts_the_events(
    databases: Databases,
) -> None:
    """No meter has the filter of quotes over 3; the meter of its hypothesis counts those that were won."""
    unlike = [
        msgspec.structs.replace(one, filter="won = true and minutes > 3", meter="won") if one.slug == "quotes" else one
        for one in MODEL.features
    ]
    model = msgspec.structs.replace(MODEL, features=tuple(unlike))
    await install(databases, WORLD, model)
    async with databases.web.transaction(grant_all(), steady=True) as tx:
        found = by_slug(await feature_book(tx, model, WINDOW))["quotes"]
    won = sum(one[2].get("won") is True for own in WORLD.values() for one in own)
    assert found.uses is None
    assert [(one.uses, one.expected) for one in found.per_use] == [(Decimal(won), Decimal(7))]


async def test_what_cannot_be_divided_says_why_and_stays_with_nobody(databases: Databases) -> None:
    await install(databases, WORLD, MODEL)
    found = await book(databases)
    reports = by_slug(found)["reports"]
    (told,) = reports.not_divided
    assert told.driver == "busy"
    why = "its meter 'teams' (UNIQUE_COUNT) does not add over members"
    assert told.says == f"Several features serve it, and it cannot be divided: {why}."
    (division,) = [one for one in found.divisions if one.driver == "busy"]
    assert {part.feature: part.expected for part in division.parts} == {
        "reports": Decimal(0),
        "lists": Decimal(0),
        "": division.expected,
    }


async def test_hypotheses_that_lack_a_part_are_told(databases: Databases) -> None:
    await install(databases, WORLD, MODEL)
    found = by_slug(await book(databases))
    assert found["reports"].missing == ()
    assert [str(part) for part in found["lists"].missing] == ["outcome", "driver", "meter", "baseline"]
    assert [one.slug for one in found["reports"].releases] == ["four", "three", "two"]


async def test_before_and_after_a_release_are_of_the_same_accounts(databases: Databases) -> None:
    sent = {key: list(own) for key, own in WORLD.items()}
    await install(databases, sent, MODEL)
    four, three, two = (await opened(databases, "reports")).releases
    assert (four.before, four.says) == (None, "It is yet to come.")
    assert (three.before, three.days) == (None, 3)
    assert "fewer than 7 days" in three.says
    assert two.before is not None
    assert two.after is not None
    sides = Period(date(2026, 2, 4), date(2026, 4, 1)), Period(date(2026, 4, 1), date(2026, 5, 27))
    same = {key for key, own in sent.items() if all(any(one[0] in side for one in own) for side in sides)}
    assert (two.days, two.accounts) == (56, len(same))
    assert "no proof" in two.says
    for side, told in zip(sides, (two.before, two.after), strict=True):
        uses = [one for key in same for one in sent[key] if one[1] == "visit.done" and one[0] in side]
        exact = recount({key: sent[key] for key in same}, side)["reports"]
        assert told.uses == len(uses)
        (amount,) = told.value
        assert near(amount.expected, exact)
        assert amount.a_day is not None
        assert amount.per_use is not None
        assert near(amount.a_day, exact / 56)
        carried = sum(one[2]["visits"] for one in uses if one[2].get("feature") == "reports")
        assert near(amount.per_use, exact / carried)


async def test_a_scope_of_one_account_reads_that_one(databases: Databases) -> None:
    ids = await install(databases, WORLD, MODEL)
    async with databases.web.transaction(grant_accounts([ids["b"]])) as tx:
        found = by_slug(await feature_book(tx, MODEL, WINDOW))
    assert (found["reports"].accounts, found["reports"].uses, found["lists"].accounts) == (1, 46, 0)


async def test_a_feature_that_is_not_there_is_not_found(databases: Databases) -> None:
    with pytest.raises(NotFoundError, match="there are: chat, lists, quotes, reports"):
        await opened(databases, "report")


def test_without_days_it_is_the_last_three_whole_months() -> None:
    assert period_asked(None, None, TODAY) == WINDOW
    assert period_asked(date(2026, 1, 5), date(2026, 1, 9), TODAY) == Period(date(2026, 1, 5), date(2026, 1, 9))
    with pytest.raises(InvalidInputError):
        period_asked(date(2026, 1, 5), None, TODAY)
