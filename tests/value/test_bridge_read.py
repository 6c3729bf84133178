from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import CUSTOMER, MODEL, NOW, VALIDATOR, a_model, new_account, put_events, put_model
from tests.value.test_driver_windows import CAPPED, revised
from tests.value.three_parties import THREE_PARTIES, noon, put_etas, put_jobs, put_syncs, refresh, validate
from valueplatform.accounts.accounts import account_by_id
from valueplatform.core.errors import InvalidInputError, UnprocessableError
from valueplatform.core.periods import Period, month_of
from valueplatform.core.scope import grant_accounts
from valueplatform.value import assumption_record as record
from valueplatform.value.assumption_record import Statement
from valueplatform.value.assumptions import Action
from valueplatform.value.bridge_answer import BridgeAnswer, bridge_answer
from valueplatform.value.bridge_cells import Kind
from valueplatform.value.bridge_read import BridgeQuestion, BridgeRead, periods_asked, read_bridge
from valueplatform.value.cuts import dimensions_of
from valueplatform.value.postings import close_month
from valueplatform.value.proof_bridge import prove_bridge
from valueplatform.value.proof_record import read_source
from valueplatform.value.ranges import Range
from valueplatform.value.reading import Question, read_value

APRIL, MAY = month_of(date(2026, 4, 1)), month_of(date(2026, 5, 1))
TEAMS = a_model(
    MODEL
    + """
[[meter]]
slug = "stops"
event = "stop.made"
aggregation = "SUM"
property = "stops"
dimensions = ["team"]

[[meter]]
slug = "late"
event = "stop.made"
aggregation = "SUM"
property = "late"
dimensions = ["team"]

[[driver]]
slug = "on_time"
benefit_class = "avoidance"
evidence = "measured"
counterfactual = "late as before"
unit = "USD"
formula = "(stops / 10 - late) * hourly_cost"
provider = "event"
"""
)


async def ask(databases: Databases, account_id: int, **question: Any) -> BridgeRead:
    """Every read is compared with the value read of both periods, and with the parts that raw events give."""
    asked = BridgeQuestion(**{"before": APRIL, "after": MAY, **question})
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        account = await account_by_id(tx, account_id)
        read = await read_bridge(tx, account, asked)
        for at, period in (("before", asked.before), ("after", asked.after)):
            given = Question(period.start, period.end, group_by=("driver", "provider"), provider=asked.provider)
            rows = (await read_value(tx, account, given, NOW)).rows
            shown = {
                (r.groups["driver"], r.groups["provider"], r.unit, r.benefit_class): r.counted
                if asked.counted
                else r.realized
                for r in rows
            }
            told: dict[tuple[str, str, str, str], Decimal] = {}
            for line in read.lines:
                key = (line.driver, line.provider, line.unit, line.benefit_class)
                told[key] = told.get(key, Decimal(0)) + getattr(line, at)
            assert told == {key: shown.get(key, Decimal(0)) for key in told}
            assert asked.drivers or {key for key, amount in shown.items() if amount} <= told.keys()
    if asked.provider is None:
        await proved(databases, account_id, read)
    return read


async def proved(databases: Databases, account_id: int, read: BridgeRead) -> None:
    asked = read.question
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        source = await read_source(tx, account_id)
        assert source is not None
        spans = (asked.before.start, asked.before.end), (asked.after.start, asked.after.end)
        options = {"counted": asked.counted, "by_party": asked.divides}
        found = await prove_bridge(tx, source, spans, asked.drivers, asked.dimensions, **options)
    for line in read.lines:
        again = found[line.driver, line.provider, line.unit, line.member]
        assert {(str(p.kind), p.subject): p.amount for p in line.parts} == dict(again.parts)
        assert (line.before, line.after) == (again.before, again.after)
    assert len(read.lines) == len([one for one in found.values() if one.before or one.after or one.parts] or read.lines)


def told(read: BridgeRead) -> dict[str, dict[str, str]]:
    return {
        " ".join([line.driver, *(m or "-" for m in line.member)]): {
            f"{p.kind} {p.subject}".strip(): format(p.amount.normalize(), "f") for p in line.parts
        }
        for line in read.lines
    }


@pytest.fixture
async def harbor(databases: Databases) -> int:
    """April: 10 jobs, 30 syncs. May: 15 jobs on two days, and 4 arrivals."""
    await put_model(databases, THREE_PARTIES)
    account_id = await new_account(databases)
    await validate(databases, account_id)
    await put_jobs(databases, account_id, date(2026, 4, 14), 10)
    await put_syncs(databases, account_id, date(2026, 4, 14), 30)
    await put_jobs(databases, account_id, date(2026, 5, 4), 10)
    await put_jobs(databases, account_id, date(2026, 5, 5), 5)
    await put_etas(databases, account_id, date(2026, 5, 5), 4)
    await refresh(databases, account_id)
    return account_id


async def test_volume_new_and_lost_by_driver(databases: Databases, harbor: int) -> None:
    read = await ask(databases, harbor)
    assert told(read) == {
        "arrivals_told": {"new": "20"},
        "crews_reached": {"volume": "1"},
        "dispatch_time": {"volume": "45"},
        "invoices_synced": {"lost": "-60"},
    }
    totals = bridge_answer(read).totals
    assert (totals.before, totals.after, totals.change) == ("150.0000", "155.0000", "5.0000")
    assert (totals.counted_before, totals.counted_after) == ("150.0000", "155.0000")


async def test_an_assumption_that_changes_between_the_periods(databases: Databases, harbor: int) -> None:
    async with databases.web.transaction(grant_accounts([harbor])) as tx:
        value = Range.point(Decimal(50))
        said = Statement("hourly_cost", value, "USD/hour", MAY.start, "a new agreement")
        entry = await record.state_value(tx, harbor, Action.PROPOSE, said, CUSTOMER, NOW)
        await record.validate(tx, harbor, entry.entry_id, VALIDATOR, NOW, date(2026, 5, 1))
    await refresh(databases, harbor)
    read = await ask(databases, harbor, drivers=("dispatch_time",))
    assert told(read)["dispatch_time"] == {"volume": "45", "assumption hourly_cost": "15"}
    (row,) = bridge_answer(read).rows
    (part,) = row.assumptions
    assert (part.slug, part.amount, part.before, part.after) == ("hourly_cost", "15.0000", "45", "50")
    assert row.volume is not None
    assert (row.volume.meter, row.volume.before, row.volume.after) == ("jobs", "10", "15")


async def test_what_a_closed_month_turned_out_to_differ_by_is_adjusted_where_it_is_shown(
    databases: Databases, harbor: int
) -> None:
    async with databases.worker.transaction(grant_accounts([harbor])) as tx:
        await close_month(tx, harbor, "America/New_York", APRIL, datetime(2026, 5, 10, tzinfo=UTC))
    await put_jobs(databases, harbor, date(2026, 4, 20), 2)
    await refresh(databases, harbor, datetime(2026, 5, 20, 12, tzinfo=UTC))
    read = await ask(databases, harbor, drivers=("dispatch_time",))
    # 12 jobs are worth 108 by now; April shows 90, and May the other 18 beside its own 135
    assert told(read)["dispatch_time"] == {"volume": "27", "adjusted": "36"}
    assert [(line.before, line.after) for line in read.lines] == [(Decimal(90), Decimal(153))]


async def test_what_the_cap_of_a_benefit_pool_takes_is_a_part(databases: Databases) -> None:
    await put_model(databases, a_model(CAPPED))
    account_id = await new_account(databases)
    await put_jobs(databases, account_id, date(2026, 4, 14), 2)
    await put_jobs(databases, account_id, date(2026, 5, 4), 2)
    await put_jobs(databases, account_id, date(2026, 5, 5), 2)
    await refresh(databases, account_id)
    read = await ask(databases, account_id, drivers=("dispatch_time",))
    # 4 jobs are worth 36, and the desk can save 20 a month
    assert told(read)["dispatch_time"] == {"volume": "18", "assumption @cap": "-16"}
    half = Period(date(2026, 5, 5), date(2026, 5, 6)), Period(date(2026, 5, 4), date(2026, 5, 5))
    await ask(databases, account_id, before=half[0], after=half[1])


async def test_a_version_of_the_formula_that_begins_on_a_day_is_a_part(databases: Databases) -> None:
    await put_model(databases)
    account_id = await new_account(databases)
    await put_jobs(databases, account_id, date(2026, 4, 14), 2)
    await put_jobs(databases, account_id, date(2026, 5, 4), 3)
    await put_model(databases, a_model(revised("2026-05-01")))
    await refresh(databases, account_id)
    read = await ask(databases, account_id, drivers=("dispatch_time",))
    assert told(read)["dispatch_time"] == {"volume": "9", "assumption @formula": "-21"}
    (row,) = bridge_answer(read).rows
    assert [(part.slug, part.before) for part in row.assumptions] == [("@formula", None)]


async def test_what_does_not_count_is_as_without_value_where_only_that_is_asked_for(
    databases: Databases, harbor: int
) -> None:
    await put_etas(databases, harbor, date(2026, 4, 14), 1)
    async with databases.web.transaction(grant_accounts([harbor])) as tx:
        (stated, *_) = (await record.entries_of(tx, harbor))["per_eta"]
        await record.dispute(tx, harbor, stated.entry_id, CUSTOMER, NOW, "Too high")
    await refresh(databases, harbor)
    assert told(await ask(databases, harbor))["arrivals_told"] == {"volume": "15"}
    assert "arrivals_told" not in told(await ask(databases, harbor, counted=True))
    assert told(await ask(databases, harbor, counted=True))["dispatch_time"] == {"volume": "45"}


async def test_by_provider_and_by_a_dimension(databases: Databases) -> None:
    await put_model(databases, TEAMS)
    account_id = await new_account(databases)

    async def stops(day: date, team: str | None, provider: str, count: int, late: int) -> None:
        data = {"stops": count, "late": late, **({"team": team} if team else {})}
        await put_events(databases, account_id, [(noon(day), data)], kind="stop.made", provider=provider)

    await stops(date(2026, 4, 7), "north", "tessera", 100, 0)
    await stops(date(2026, 4, 7), "south", "tessera", 100, 10)
    await stops(date(2026, 4, 8), None, "waypoint", 50, 2)
    await stops(date(2026, 5, 7), "north", "tessera", 200, 0)
    await stops(date(2026, 5, 8), "south", "tessera", 100, 5)
    await stops(date(2026, 5, 8), "east", "waypoint", 50, 1)
    await refresh(databases, account_id)
    read = await ask(databases, account_id, by=("driver", "provider", "team"), drivers=("on_time",))
    assert told(read) == {
        "on_time -": {"lost": "-135"},
        "on_time north": {"volume": "225", "mix": "225"},
        "on_time south": {"rate": "225"},
        "on_time east": {"new": "180"},
    }
    rows = bridge_answer(read).rows
    assert [(row.provider, row.members) for row in rows][-1] == ("waypoint", {"team": "east"})
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:  # as another zone leaves them
        await tx.execute(text("UPDATE rollup SET meter = meter || '#2'"))
        await tx.execute(text("UPDATE account SET edition = '#2' WHERE account_id = :id"), {"id": account_id})
    assert told(await ask(databases, account_id, by=("driver", "provider", "team"), drivers=("on_time",))) == told(read)
    by_provider = bridge_answer(await ask(databases, account_id, by=("provider",), drivers=("on_time",)))
    assert [(row.provider, row.change) for row in by_provider.rows] == [
        ("tessera", "675.0000"),
        ("waypoint", "45.0000"),
    ]
    assert dimensions_of(next(d for d in TEAMS.drivers if d.slug == "on_time"), TEAMS) == ["team"]


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"by": ("team",)}, "cannot be cut by 'team': use driver, provider, benefit_class, or a dimension"),
        (
            {"by": ("system",)},
            "'dispatch_time', since its meter 'jobs' is not kept by 'system'.*driver=invoices_synced",
        ),
        ({"by": ("objective",)}, "cannot be cut by 'objective'"),
        ({"drivers": ("nothing",)}, "There is no driver 'nothing'"),
    ],
)
async def test_what_cannot_be_cut_is_refused_with_the_reason(
    databases: Databases, harbor: int, question: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnprocessableError, match=message):
        await ask(databases, harbor, **question)


async def test_a_partner_has_its_own_rows_alone(databases: Databases, harbor: int) -> None:
    answer: BridgeAnswer = bridge_answer(await ask(databases, harbor, provider="tessera"))
    assert [(row.driver, row.change) for row in answer.rows] == [("invoices_synced", "-60.0000")]
    assert answer.totals.before == "60.0000"
    with pytest.raises(UnprocessableError, match="no driver 'arrivals_told'"):
        await ask(databases, harbor, provider="tessera", drivers=("arrivals_told",))


async def test_another_currency_is_told_unit_by_unit(databases: Databases) -> None:
    await put_model(databases, THREE_PARTIES)
    account_id = await new_account(databases)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        said = Statement("per_eta", Range.point(Decimal(4)), "EUR/eta", date(2026, 5, 1), "paid in euro")
        await record.state_value(tx, account_id, Action.PROPOSE, said, CUSTOMER, NOW)
    await put_etas(databases, account_id, date(2026, 4, 14), 1)
    await put_etas(databases, account_id, date(2026, 5, 14), 2)
    await refresh(databases, account_id)
    read = await ask(databases, account_id)
    kinds = {line.unit: [(p.kind, p.amount) for p in line.parts] for line in read.lines}
    assert kinds == {"EUR": [(Kind.NEW, Decimal(8))], "USD": [(Kind.LOST, Decimal(-5))]}
    totals = bridge_answer(read).totals
    assert (totals.change, totals.excluded) == ("-5.0000", ("EUR",))


async def test_days_without_a_value_are_told_with_their_reason(databases: Databases) -> None:
    broken = MODEL.replace("(jobs * manual_minutes - minutes) / 60", "manual_minutes / (jobs - 2)")
    await put_model(databases, a_model(broken))
    account_id = await new_account(databases)
    await put_jobs(databases, account_id, date(2026, 4, 14), 4)
    await put_jobs(databases, account_id, date(2026, 5, 4), 2)
    await refresh(databases, account_id)
    read = await ask(databases, account_id, drivers=("dispatch_time",))
    assert told(read) == {"dispatch_time": {"lost": "-315"}}
    assert [(g.reason, g.days, g.is_before) for g in read.gaps] == [("zero_divisor:jobs - 2", 1, False)]


async def test_what_waits_for_the_worker_is_said(databases: Databases, harbor: int) -> None:
    assert not (await ask(databases, harbor)).waits
    async with databases.worker.transaction(grant_accounts([harbor])) as tx:
        insert = text(
            "INSERT INTO changed_day (account_id, day, through, cause) VALUES (:account, :day, :day, 'event')"
        )
        await tx.execute(insert, {"account": harbor, "day": date(2026, 5, 4)})
    async with databases.web.transaction(grant_accounts([harbor])) as tx:
        read = await read_bridge(tx, await account_by_id(tx, harbor), BridgeQuestion(APRIL, MAY))
    assert read.waits


def test_the_last_whole_month_is_compared_with_the_one_before_it() -> None:
    today = date(2026, 3, 15)
    february, january = month_of(date(2026, 2, 1)), month_of(date(2026, 1, 1))
    assert periods_asked(None, None, None, None, today) == (january, february)
    assert periods_asked(date(2026, 1, 1), date(2026, 3, 1), None, None, today) == (
        Period(date(2025, 11, 1), date(2026, 1, 1)),
        Period(date(2026, 1, 1), date(2026, 3, 1)),
    )
    assert periods_asked(date(2026, 2, 3), date(2026, 2, 5), None, None, today)[0] == Period(
        date(2026, 2, 1), date(2026, 2, 3)
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((date(2026, 1, 1), None, None, None), "`from` and `to` belong together"),
        ((None, None, None, date(2026, 1, 1)), "`against_from` and `against_to` belong together"),
        ((date(2026, 1, 2), date(2026, 1, 2), None, None), "must be after"),
        ((date(1, 1, 1), date(2026, 1, 2), None, None), "out of reach"),
    ],
)
def test_half_a_period_is_refused(
    given: tuple[date | None, date | None, date | None, date | None], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        periods_asked(*given, date(2026, 3, 15))
