"""The driver library: drivers by what is said of them, opened to what they read, their versions and who uses them."""

from typing import Any

import msgspec
import pytest

from tests.conftest import Databases
from tests.value.factories import put_model
from tests.value.worth_worlds import estimate, install, jobs
from tests.value.worths import the_model
from valueplatform.core.authorization import operator_scope
from valueplatform.core.errors import NotFoundError
from valueplatform.sample.fieldnote import model_toml
from valueplatform.value.driver_library import Shelf, driver_of, in_words, library, library_driver, shelves
from valueplatform.value.driver_library_read import driver_versions, uses_of
from valueplatform.value.model import BenefitClass, Driver, ValueModel
from valueplatform.value.model_check import warnings_in
from valueplatform.value.model_file import read_model
from valueplatform.value.model_versions import revise

SAMPLE = read_model(model_toml(), "fieldnote.toml")


def slugs(**asked: Any) -> list[str]:
    return [one.slug for one in library(SAMPLE, Shelf(**asked))]


def test_without_words_it_holds_every_driver_in_the_order_of_the_model() -> None:
    assert slugs() == [driver.slug for driver in SAMPLE.drivers]


def test_every_driver_of_the_sample_has_its_place_and_its_play() -> None:
    for driver in SAMPLE.drivers:
        assert all((driver.category, driver.objectives, driver.stages, driver.personas, driver.play)), driver.slug


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"persona": "Chief financial officer"}, ["faster_invoicing", "quotes_on_site"]),
        ({"stage": "renewal", "benefit_class": BenefitClass.AVOIDANCE}, ["late_arrivals_avoided"]),
        ({"category": "Productivity"}, ["dispatch_time", "calls_avoided"]),
        ({"objective": "Fix it on the first visit"}, ["repeat_visits_avoided"]),
        ({"category": "productivity"}, []),
        ({"category": "Productivity", "benefit_class": BenefitClass.REVENUE}, []),
        ({"stage": ""}, []),
    ],
)
def test_words_narrow_it_down_together(asked: dict[str, Any], found: list[str]) -> None:
    assert slugs(**asked) == found


def test_each_word_on_a_shelf_finds_a_driver() -> None:
    words = shelves(SAMPLE)
    for name, field in (("objective", "objectives"), ("category", "categories"), ("stage", "stages")):
        assert all(slugs(**{name: word}) for word in getattr(words, field))
    assert words.benefit_classes == ["cashable", "capacity", "avoidance", "revenue", "strategic"]


def test_a_driver_opens_to_what_it_reads_and_shares_a_pool_with() -> None:
    found = library_driver(SAMPLE, driver_of(SAMPLE, "dispatch_time"))
    assert [one.slug for one in found.meters] == ["jobs_dispatched", "dispatch_minutes"]
    assert [(one.slug, one.method) for one in found.baselines] == [("manual_minutes_per_job", "measured-before")]
    assert [one.slug for one in found.assumptions] == [
        "dispatcher_hourly_cost",
        "redeployed_share",
        "dispatchers",
        "hours_per_dispatcher",
    ]
    assert (found.pool, found.pool_with) == ("dispatcher_hours", ["calls_avoided"])
    repeat = library_driver(SAMPLE, driver_of(SAMPLE, "repeat_visits_avoided"))
    assert set(repeat.assumptions[0].segments) == {"elevators", "medical"}


def test_a_formula_is_told_in_the_words_of_the_model() -> None:
    text = in_words(SAMPLE, "(invoiced_amount * cost_of_capital - min(arrivals, 1)) / 365")
    product = "amount invoiced \N{MULTIPLICATION SIGN} cost of capital"
    assert text == f"({product} \N{MINUS SIGN} min(arrivals with a promised time, 1)) / 365"


def test_a_driver_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="no_such"):
        driver_of(SAMPLE, "no_such")


def changed(model: ValueModel, **fields: Any) -> ValueModel:
    first, *others = model.drivers
    return msgspec.structs.replace(model, drivers=(msgspec.structs.replace(first, **fields), *others))


@pytest.mark.parametrize("fields", [{"play": "Otherwise"}, {"category": "Other"}, {"personas": ("Somebody",)}])
def test_where_a_driver_stands_changes_no_number_and_so_no_version(fields: dict[str, Any]) -> None:
    before = revise(None, SAMPLE)
    assert revise(before, changed(before, **fields)).drivers[0].version == before.drivers[0].version


def said(model: ValueModel) -> list[str]:
    return [str(one) for one in warnings_in(model) if "library" in one.message or "play" in str(one.place)]


def test_the_check_names_a_driver_without_a_play_where_others_have_one() -> None:
    assert said(SAMPLE) == []
    assert said(changed(SAMPLE, play=None)) == [
        'driver[1] "dispatch_time".play: is missing, and other drivers have one; say how this value is delivered'
    ]
    none = msgspec.structs.replace(
        SAMPLE, drivers=tuple(msgspec.structs.replace(one, play=None) for one in SAMPLE.drivers)
    )
    assert said(none) == []


def test_the_check_names_a_play_that_is_too_long_and_words_spelled_two_ways() -> None:
    (long,) = said(changed(SAMPLE, play="x" * 2001))
    assert "has 2,001 characters" in long
    (two,) = said(changed(SAMPLE, stages=("Adoption",)))
    assert '"adoption" and "Adoption" are told apart' in two


async def test_versions_say_what_changed_and_when(databases: Databases) -> None:
    model = the_model()
    first: Driver = model.drivers[0]
    await put_model(databases, model)
    await put_model(databases, changed(model, play="Begin in Reno"))
    await put_model(databases, changed(model, play="Begin in Reno", evidence="benchmark", title=first.title))
    await put_model(databases, msgspec.structs.replace(model, drivers=model.drivers[1:]))
    async with databases.worker.transaction(operator_scope()) as tx:
        removed, graded, played, added = await driver_versions(tx, first.slug)
        assert await driver_versions(tx, "no_such") == []
    assert [one.action for one in (removed, graded, played, added)] == ["removed", "changed", "changed", "added"]
    assert [one.version for one in (graded, played, added)] == [2, 1, 1]
    assert [(one.field, one.before, one.after) for one in played.changes] == [("play", None, "Begin in Reno")]
    assert [one.field for one in graded.changes] == ["evidence"]
    assert removed.applied_at >= graded.applied_at >= added.applied_at


async def test_uses_are_of_single_accounts_for_who_may_open_them_and_else_of_cohorts(databases: Databases) -> None:
    alike = {f"peer-{n}": jobs(2) for n in range(5)}
    await install(databases, alike, the_model())
    await estimate(databases)
    async with databases.worker.transaction(operator_scope()) as tx:
        opened, told = [await uses_of(tx, "time", may_open=may) for may in (True, False)]
    assert {one.account for one in opened.accounts} == set(alike)
    assert told.accounts == ()
    (total,) = told.totals
    assert total == opened.totals[0]
    assert total.accounts == 5
    assert total.expected == sum(one.expected for one in opened.accounts)


@pytest.mark.parametrize("sent", [dict.fromkeys("abcd", 2), {**dict.fromkeys("abcd", 2), "e": 90}])
async def test_too_few_accounts_or_one_that_dominates_are_not_told_of(
    databases: Databases, sent: dict[str, int]
) -> None:
    await install(databases, {key: jobs(count) for key, count in sent.items()}, the_model())
    await estimate(databases)
    async with databases.worker.transaction(operator_scope()) as tx:
        told = await uses_of(tx, "time", may_open=False)
    (total,) = told.totals
    assert (total.accounts, total.expected, total.counted) == (None, None, None)
    assert "five" in (total.withheld or "") or "5 accounts" in (total.withheld or "")


async def test_before_months_are_summed_up_nobody_uses_anything(databases: Databases) -> None:
    await put_model(databases, the_model())
    async with databases.worker.transaction(operator_scope()) as tx:
        assert (await uses_of(tx, None, may_open=True)).as_of is None
