from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from tests.accounts.factories import an_account
from tests.conftest import Databases
from tests.narrative.next_best_records import NOW, put_events, put_model, put_value
from tests.narrative.next_best_worlds import TODAY, feature, model_of
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.core.errors import NotFoundError
from valueplatform.narrative.next_best import Situation
from valueplatform.narrative.next_best_data import read_panel, read_situation
from valueplatform.narrative.next_best_panel import Panel
from valueplatform.telemetry.archiving import archive_events
from valueplatform.value.benchmark import Per
from valueplatform.value.benchmark_store import begin, show
from valueplatform.value.benchmarks import Benchmarks
from valueplatform.value.model import Driver, Feature
from valueplatform.value.practice import Habit, Practice

JAN = date(2026, 1, 20)
FEB = date(2026, 2, 3)


async def panel(databases: Databases, *features: Feature, now: datetime = NOW) -> Panel:
    async with databases.worker.transaction(operator_scope()) as tx:
        return await read_panel(tx, features, now)


async def situation(databases: Databases, account_id: int, *features: Feature) -> Situation:
    async with databases.worker.transaction(accounts_or_all([account_id])) as tx:
        return await read_situation(tx, account_id, model_of(features), NOW)


async def test_events_are_counted_by_account_feature_and_month(databases: Databases) -> None:
    acme, globex = await an_account(databases, "acme"), await an_account(databases, "globex")
    await put_events(databases, acme.account_id, "job.done", JAN, count=3)
    await put_events(databases, acme.account_id, "job.done", JAN + timedelta(days=2), count=2)
    await put_events(databases, acme.account_id, "job.closed", JAN, count=1)
    await put_events(databases, acme.account_id, "job.done", FEB)
    await put_events(databases, globex.account_id, "job.done", FEB)
    await put_events(databases, globex.account_id, "login", FEB, count=9)
    found = await panel(databases, feature("jobs", event_types=("job.done", "job.closed")))
    assert found.usage.rows() == [
        (acme.account_id, "jobs", date(2026, 1, 1), 6, date(2026, 1, 22)),
        (acme.account_id, "jobs", date(2026, 2, 1), 1, FEB),
        (globex.account_id, "jobs", date(2026, 2, 1), 1, FEB),
    ]


async def test_one_event_type_may_show_the_use_of_several_features(databases: Databases) -> None:
    acme = await an_account(databases)
    await put_events(databases, acme.account_id, "job.done", FEB)
    found = await panel(databases, feature("a", event_types=("job.done",)), feature("b", event_types=("job.done",)))
    assert found.usage["feature"].to_list() == ["a", "b"]


@pytest.mark.parametrize(
    ("expression", "events"),
    [
        ("channel = 'app'", 2),
        ("channel <> 'app'", 1),
        ("channel is null", 4),
        ("minutes > 3.05", 2),
        ("minutes >= 3.050 and channel = 'app'", 2),
        ("job.kind = 'repair'", 2),
        ("\"job.kind\" = 'repair' or done", 3),
        ("not done", 0),
        ("channel in ('app', 'web')", 3),
    ],
)
async def test_a_filter_admits_what_it_admits_at_ingest(
    databases: Databases, expression: str, events: int, tmp_path: Path
) -> None:
    acme = await an_account(databases)
    bodies = (
        {"channel": "app", "minutes": 3.05},
        {"channel": "app", "minutes": "3.06"},
        {"channel": "web", "minutes": True},
        {"channel": None, "minutes": 4, "job": {"kind": "repair"}},
        {"job.kind": "repair", "job": {"kind": "new"}},
        {"job": ["repair"], "done": True},
    )
    await put_events(databases, acme.account_id, "job.done", FEB, *bodies)
    await put_events(databases, acme.account_id, "job.done", FEB)
    found = await panel(databases, feature("jobs", event_types=("job.done",), filter=expression))
    assert found.usage["events"].sum() == events
    await archive_events(databases.worker, operator_scope(), str(tmp_path), NOW, NOW + timedelta(days=60))
    async with databases.admin.transaction(operator_scope()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM event")) == 0
    archived = await panel(databases, feature("jobs", event_types=("job.done",), filter=expression))
    assert archived.usage.equals(found.usage)


async def test_value_is_money_of_the_accounts_currency_by_month(databases: Databases) -> None:
    acme = await an_account(databases, currency="EUR")
    await put_value(databases, acme.account_id, JAN, "10.5000", unit="EUR")
    await put_value(databases, acme.account_id, JAN, "-2.2500", unit="EUR", driver="overtime")
    await put_value(databases, acme.account_id, FEB, "7.0000", unit="EUR")
    await put_value(databases, acme.account_id, FEB, "500.0000", unit="USD", driver="dollars")
    await put_value(databases, acme.account_id, FEB, "3.0000", unit="incident", driver="incidents")
    await put_value(databases, acme.account_id, FEB, "9.0000", unit="EUR", driver="vision", benefit_class="strategic")
    await put_value(databases, acme.account_id, FEB, None, unit="EUR", driver="unknown")
    found = await panel(databases)
    assert sorted(found.values.rows()) == [
        (acme.account_id, date(2026, 1, 1), Decimal("8.2500")),
        (acme.account_id, date(2026, 2, 1), Decimal("7.0000")),
    ]
    assert found.excluded == 1


async def test_units_that_are_no_money_are_not_called_a_foreign_currency(databases: Databases) -> None:
    acme = await an_account(databases, currency="EUR")
    await put_value(databases, acme.account_id, FEB, "3.0000", unit="incident")
    assert (await panel(databases)).excluded == 0


async def test_each_account_has_its_own_today(databases: Databases) -> None:
    auckland = await an_account(databases, "auckland", timezone="Pacific/Auckland")
    honolulu = await an_account(databases, "honolulu", timezone="Pacific/Honolulu")
    found = await panel(databases, now=datetime(2026, 2, 28, 22, tzinfo=UTC))
    assert dict(found.accounts.select("account_id", "today").iter_rows()) == {
        auckland.account_id: date(2026, 3, 1),
        honolulu.account_id: date(2026, 2, 28),
    }


async def test_a_situation_is_one_accounts_part_of_the_panel(databases: Databases) -> None:
    acme = await an_account(databases, "acme", currency="EUR", segment="north")
    other = await an_account(databases, "other")
    for account in (acme, other):
        await put_events(databases, account.account_id, "jobs", FEB)
        await put_value(databases, account.account_id, FEB, "7.0000", unit="EUR")
    found = await situation(databases, acme.account_id, feature("jobs"))
    assert (found.account_key, found.segment, found.currency, found.today) == ("acme", "north", "EUR", TODAY)
    assert found.usage["account_id"].unique().to_list() == [acme.account_id]
    assert found.values["account_id"].unique().to_list() == [acme.account_id]
    assert found.last_used == {"jobs": FEB}
    assert found.may_buy


async def test_an_account_whose_contracts_have_all_ended_may_not_buy(databases: Databases) -> None:
    ended, churned, renewed = [await an_account(databases, key) for key in ("ended", "churned", "renewed")]
    rows = [
        (ended, "term", date(2025, 1, 1), TODAY, "new"),
        (churned, "term", date(2025, 1, 1), date(2026, 1, 1), "new"),
        (churned, "end", date(2026, 1, 1), None, "churn"),
        (renewed, "term", date(2025, 1, 1), date(2026, 1, 1), "new"),
        (renewed, "next", date(2026, 1, 1), date(2027, 1, 1), "renewal"),
    ]
    insert = text("""
        INSERT INTO contract (account_id, contract_id, start_day, end_day, amount, currency, period, kind, provider)
        VALUES (:account, :id, :start, :end, 1000, 'EUR', 'year', :kind, 'supplier')
    """)
    async with databases.worker.transaction(operator_scope()) as tx:
        for account, contract, start, end, kind in rows:
            given = {"account": account.account_id, "id": contract, "start": start, "end": end, "kind": kind}
            await tx.execute(insert, given)
    found = [(await situation(databases, account.account_id)).may_buy for account in (ended, churned, renewed)]
    assert found == [False, False, True]


async def test_an_unknown_account_is_not_found(databases: Databases) -> None:
    await put_model(databases, model_of(()))
    with pytest.raises(NotFoundError):
        await situation(databases, 4711)


async def test_what_the_top_of_a_segment_does_comes_with_the_situation(databases: Databases) -> None:
    acme = await an_account(databases, segment="north")
    shares = (Decimal("0.6"), Decimal("0.2"), Decimal("0.9"))
    habit = Habit("a", 9, 10, 6, 30, *shares, Decimal(2))
    driver = Driver(slug="time", title="Dispatch time", unit="USD", formula="1")
    practices = (Practice("north", "time", Per.ACCOUNT, 10, 30, 4, (habit,)),)
    async with databases.worker.transaction(operator_scope()) as tx:
        run = await begin(tx, NOW)
        assert await show(tx, run, Benchmarks((), None, (), practices), "digest")
    model = replace(model_of((feature("a"),)), drivers=(driver,))
    async with databases.web.transaction(accounts_or_all([acme.account_id])) as tx:
        found = await read_situation(tx, acme.account_id, model, NOW)
    assert found.habits == {"a": ("Dispatch time", habit)}
