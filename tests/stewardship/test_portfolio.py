"""Who needs the steward, in order, found and counted; and never an account outside the scope."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import Select, insert, text

from tests.conftest import Databases
from tests.stewardship import factories
from tests.stewardship.factories import NOON
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.pages import cursor_at
from valueplatform.core.scope import Scope
from valueplatform.narrative.document import SeriesPoint, Span, Status
from valueplatform.narrative.insight import Standing
from valueplatform.stewardship.cursors import position_in
from valueplatform.stewardship.portfolio import (
    AtStake,
    Filter,
    PortfolioRow,
    PortfolioSummary,
    _page,
    _Place,
    portfolio_page,
    portfolio_summary,
)
from valueplatform.stewardship.signal import Act, SignalKind, Stake, TargetKind, Urgency
from valueplatform.stewardship.standing import AccountStanding, Shown, folded
from valueplatform.stewardship.tables import standing

TODAY = date(2026, 9, 1)
EVERYWHERE = accounts_or_all(None)


def stands(urgency: Urgency, stake: str | None, unit: str, **given: Any) -> AccountStanding:
    amount = None if stake is None else Stake(Decimal(stake), unit, Standing.VALIDATED, "gap", "ins_1")
    fields: dict[str, Any] = {
        "status": Status.BEHIND,
        "reason": "",
        "signals": 1,
        "why": (Span("Behind by "), Span("$5", "gap", "-5.0000", unit, Standing.VALIDATED), Span(".")),
        "act": Act("Plan with them", TargetKind.STORY),
        "kind": SignalKind.BEHIND,
        "insight_id": "ins_1",
        "realized": Shown(Decimal("-0.0001"), unit, Standing.VALIDATED, "realized", "ins_1"),
        "series": (SeriesPoint(date(2026, 8, 31), Decimal("-0.0001"), Decimal(0), Decimal(0), Decimal(0)),),
    }
    return AccountStanding(unit=unit, urgency=urgency, stake=amount, **(fields | given))


async def stand(
    databases: Databases,
    key: str,
    stake: str | None = "0",
    *,
    urgency: Urgency = Urgency.TODAY,
    unit: str = "USD",
    name: str | None = None,
    **given: Any,
) -> int:
    """An account that stands so, among accounts of a supplier who sells in dollars."""
    account_id = await factories.account(databases, key, name=name)
    row = stands(urgency, stake, unit, **given)
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(
            insert(standing).values(
                account_id=account_id,
                urgency=int(urgency),
                abroad=unit != "USD",
                unit=unit,
                at_stake=row.at_stake,
                find_text=folded(f"{name or key.title()} {key}"),
                renews_on=row.renews_on,
                under_review=row.under_review,
                no_data=row.no_data,
                body=msgspec.to_builtins(row),
                composed_at=NOON,
            )
        )
    return account_id


async def keys(databases: Databases, scope: Scope = EVERYWHERE, **given: Any) -> list[str]:
    async with databases.web.transaction(scope) as tx:
        return [row.account for row in (await portfolio_page(tx, TODAY, **given)).items]


async def summary(databases: Databases, scope: Scope = EVERYWHERE) -> PortfolioSummary:
    async with databases.web.transaction(scope) as tx:
        return await portfolio_summary(tx, TODAY)


async def test_a_steward_without_accounts_has_an_empty_portfolio(databases: Databases) -> None:
    await stand(databases, "harbor", "5")
    nobody = Scope(frozenset())
    assert await keys(databases, nobody) == []
    assert await summary(databases, nobody) == PortfolioSummary(0, 0, 0, 0, 0, 0, ())


async def test_an_account_that_was_never_refreshed_is_not_in_it_yet(databases: Databases) -> None:
    await factories.account(databases, "new")
    assert await keys(databases) == []


async def test_the_web_role_sees_only_its_accounts(databases: Databases) -> None:
    harbor = await stand(databases, "harbor", "5")
    await stand(databases, "other", "50")
    own = accounts_or_all([harbor])
    assert await keys(databases, own) == ["harbor"]
    assert await keys(databases, own, search="other") == []
    assert (await summary(databases, own)).at_stake == (AtStake("USD", 1, Decimal(5)),)
    assert (await summary(databases)).accounts == 2


async def test_accounts_of_two_stewards_do_not_mix_under_load(databases: Databases) -> None:
    ids = {f"account-{n}": await stand(databases, f"account-{n}", str(n)) for n in range(6)}
    asked = list(ids.items()) * 10
    seen = await asyncio.gather(*(keys(databases, accounts_or_all([account_id])) for _, account_id in asked))
    assert seen == [[key] for key, _ in asked]


async def test_what_cannot_wait_comes_first_then_our_currency_then_the_others_each_by_what_is_at_stake(
    databases: Databases,
) -> None:
    await stand(databases, "quiet", None, urgency=Urgency.NONE, kind=None, signals=0)
    await stand(databases, "chance", "900000", urgency=Urgency.THIS_WEEK)
    await stand(databases, "yen", "90000000", unit="JPY")
    await stand(databases, "euro-small", "4", unit="EUR")
    await stand(databases, "euro-large", "40", unit="EUR")
    await stand(databases, "small", "5")
    await stand(databases, "large", "50")
    await stand(databases, "none", None)
    assert await keys(databases) == ["large", "small", "none", "euro-large", "euro-small", "yen", "chance", "quiet"]


async def test_accounts_with_as_much_at_stake_stand_by_name(databases: Databases) -> None:
    for name in ("Zeta", "alpha", "Mid"):
        await stand(databases, name.lower(), "5", name=name)
    assert await keys(databases) == ["alpha", "mid", "zeta"]


async def test_filters_list_what_they_count(databases: Databases) -> None:
    await stand(databases, "today", "5", under_review=True)
    await stand(databases, "week", "5", urgency=Urgency.THIS_WEEK, no_data=True, unit="EUR")
    quiet: dict[str, Any] = {"urgency": Urgency.NONE, "kind": None, "signals": 0}
    for key, renews in (("due-today", 0), ("tomorrow", 1), ("in-90", 90), ("in-91", 91)):
        await stand(databases, key, None, renews_on=TODAY + timedelta(days=renews), **quiet)
    counts = await summary(databases)
    assert counts.accounts == 6
    listed = {chosen: set(await keys(databases, chosen=chosen)) for chosen in Filter}
    assert listed[Filter.NEEDS_YOU] == {"today", "week"}
    assert listed[Filter.RENEWING] == {"tomorrow", "in-90"}
    assert listed[Filter.UNDER_REVIEW] == {"today"}
    assert listed[Filter.NO_DATA] == {"week"}
    assert {chosen: len(found) for chosen, found in listed.items()} == {c: counts.count(c) for c in Filter}


async def test_the_headline_adds_no_two_currencies(databases: Databases) -> None:
    await stand(databases, "a", "0.0001")
    await stand(databases, "b", "1000000000000000000000000000000000.0000")
    await stand(databases, "c", "7", unit="EUR")
    await stand(databases, "d", "900", urgency=Urgency.THIS_WEEK)
    counts = await summary(databases)
    assert counts.at_stake == (
        AtStake("USD", 2, Decimal("1000000000000000000000000000000000.0001")),
        AtStake("EUR", 1, Decimal(7)),
    )
    assert (counts.today, counts.this_week) == (3, 1)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["grosse", "istanbul", "percent"]),
        ("   ", ["grosse", "istanbul", "percent"]),
        ("GRÖSSE", ["grosse"]),
        ("größe", ["grosse"]),
        ("werke grö", ["grosse"]),
        ("i\u0307stanbul", ["istanbul"]),
        ("港", ["istanbul"]),
        ("%", ["percent"]),
        ("_", ["percent"]),
        ("\\", ["percent"]),
        ("0%_", ["percent"]),
        ("'; DROP TABLE standing; --", []),
        ("\0", []),
        ("x" * 201, []),
        ("nobody", []),
    ],
)
async def test_an_account_is_found_by_any_part_of_its_name_or_key(
    databases: Databases, search: str, found: list[str]
) -> None:
    await stand(databases, "grosse", "3", name="Größe Werke")
    await stand(databases, "istanbul", "2", name="İstanbul 港 Lojistik")
    await stand(databases, "percent", "1", name=r"100%_\ Ltd")
    assert await keys(databases, search=search) == found


async def test_pages_list_every_account_once_in_the_same_order(databases: Databases) -> None:
    for n in range(23):
        urgency = Urgency(n % 3)
        unit = ("USD", "EUR", "JPY")[n % 5 % 3]
        await stand(
            databases, f"account-{n:02}", str(n % 4) if urgency < Urgency.NONE else None, urgency=urgency, unit=unit
        )
    whole = await keys(databases, limit=500)
    seen: list[str] = []
    cursor = None
    async with databases.web.transaction(EVERYWHERE) as tx:
        while True:
            page = await portfolio_page(tx, TODAY, limit=2, cursor=cursor)
            seen += [row.account for row in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
    assert seen == whole
    assert len(set(whole)) == 23


async def test_a_page_is_fifty_accounts_unless_asked_otherwise(databases: Databases) -> None:
    await many(databases, 120)
    async with databases.web.transaction(EVERYWHERE) as tx:
        page = await portfolio_page(tx, TODAY)
        assert len(page.items) == 50
        assert page.next_cursor is not None
        with pytest.raises(InvalidInputError, match="limit"):
            await portfolio_page(tx, TODAY, limit=0)


@pytest.mark.parametrize(
    "position",
    [
        "[]",
        '[0,false,"USD","5","a",0]',
        '[0,false,"usd","5","a",1]',
        '[0,false,"USD","NaN","a",1]',
        '[0,false,"USD","1e999999999","a",1]',
        '[0,false,"USD","-5","a",1]',
        '[99,false,"USD","5","a",1]',
        '[0,false,"USD","5","a\\u0000",1]',
        '[0,false,"USD","5","a",99999999999999999999]',
    ],
)
async def test_a_cursor_that_we_did_not_give_is_refused(databases: Databases, position: str) -> None:
    async with databases.web.transaction(EVERYWHERE) as tx:
        with pytest.raises(InvalidInputError, match="cursor"):
            await portfolio_page(tx, TODAY, cursor=cursor_at(position))


async def test_a_row_is_json_with_exact_decimals_as_text(databases: Databases) -> None:
    await stand(databases, "harbor", "620000.0001", name="Häfen 港", renews_on=date(2026, 11, 30))
    async with databases.web.transaction(EVERYWHERE) as tx:
        page = await portfolio_page(tx, TODAY)
    (said,) = msgspec.json.decode(msgspec.json.encode(page))["items"]
    assert (said["account"], said["name"], said["at_stake"], said["unit"]) == (
        "harbor",
        "Häfen 港",
        "620000.0001",
        "USD",
    )
    assert (said["renews_on"], said["urgency"], said["status"]) == ("2026-11-30", "today", "behind")
    assert said["realized"]["value"] == "-0.0001"
    assert said["series"][0]["realized"] == "-0.0001"
    assert said["text"] == "Behind by $5."
    assert msgspec.json.decode(msgspec.json.encode(page.items[0]), type=PortfolioRow) == page.items[0]


async def many(databases: Databases, count: int) -> None:
    """`count` accounts whose rows weigh what a real one does, and the statistics that the planner goes by."""
    body = msgspec.json.encode(stands(Urgency.TODAY, "5", "USD", series=stands(Urgency.TODAY, "5", "USD").series * 13))
    async with databases.admin.engine.begin() as connection:
        await connection.execute(
            text("""
                INSERT INTO account (key, name, timezone)
                SELECT 'account-' || n, 'Account ' || n, 'UTC' FROM generate_series(1, :count) AS n
            """),
            {"count": count},
        )
        await connection.execute(
            text("""
                INSERT INTO standing (account_id, urgency, abroad, unit, at_stake, find_text, renews_on, under_review,
                                      no_data, body, composed_at)
                SELECT account_id, account_id % 3, account_id % 7 = 0,
                       CASE WHEN account_id % 7 = 0 THEN 'EUR' ELSE 'USD' END,
                       account_id * 7919 % 1000003, lower(name || ' ' || key),
                       DATE '2026-09-01' + (account_id % 365)::int,
                       account_id % 50 = 0, account_id % 500 = 0, CAST(:body AS jsonb), now()
                  FROM account
            """),
            {"body": body.decode()},
        )
    async with databases.admin.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE account, standing"))


async def plan_of(databases: Databases, query: Select[Any]) -> str:
    """How the server runs it in the web role."""
    said = str(query.compile(dialect=databases.web.engine.dialect, compile_kwargs={"literal_binds": True})).replace(
        "%%", "%"
    )
    async with databases.web.transaction(EVERYWHERE) as tx:
        result = await tx.connection.exec_driver_sql(f"EXPLAIN {said}")
        return "\n".join(row[0] for row in result)


async def test_a_page_of_ten_thousand_accounts_is_read_in_the_order_of_the_index(databases: Databases) -> None:
    await many(databases, 10_000)
    async with databases.web.transaction(EVERYWHERE) as tx:
        first = await portfolio_page(tx, TODAY)
    for chosen in (Filter.NEEDS_YOU, Filter.ALL, Filter.RENEWING):
        for after in (None, position_in(first.next_cursor, _Place)):
            plan = await plan_of(databases, _page(TODAY, chosen, "", after, 51))
            assert "Index Scan using ix_standing_order" in plan, (chosen, plan)
            assert "Sort" not in plan, (chosen, plan)
