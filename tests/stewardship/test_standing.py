"""How each account stands, from the record to the row of the portfolio."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, text

from tests.conftest import Databases
from tests.stewardship import factories
from tests.stewardship.refreshing import refresh
from tests.stewardship.situations import TODAY, admitted, plain, situation
from tests.value.factories import a_model, mark, new_account, put_events, put_model
from valueplatform.accounts.tables import account, contract
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.core.periods import ONE_DAY, months_between
from valueplatform.narrative.document import Audience, Status
from valueplatform.narrative.proofs import prove_insight, read_insight
from valueplatform.narrative.story import compose
from valueplatform.stewardship.conversations import Opening, open_conversation, reply
from valueplatform.stewardship.portfolio import portfolio_page
from valueplatform.stewardship.signal import SignalKind, Urgency
from valueplatform.stewardship.signal_store import open_signals
from valueplatform.stewardship.standing import AccountStanding, folded, standing_of_account, worded
from valueplatform.value.tables import objective, plan_target

NOW = datetime(2026, 6, 15, 16, tzinfo=UTC)
START = date(2026, 4, 1)
MODEL = """
supplier = { name = "Fieldnote", currency = "USD", timezone = "America/New_York" }

[[meter]]
slug = "jobs"
event = "job.done"
aggregation = "COUNT"

[[assumption]]
slug = "call_cost"
title = "Cost of a call"
unit = "USD/call"
default = { low = "8", expected = "10", high = "12" }

[[driver]]
slug = "visits"
title = "Repeat visits avoided"
evidence = "measured"
pool = "visits"
unit = "USD"
formula = "jobs * 100"

[[driver]]
slug = "calls"
title = "Calls avoided"
evidence = "measured"
pool = "calls"
unit = "USD"
formula = "jobs * call_cost"
"""


async def harbor(
    databases: Databases,
    *,
    last: date = date(2026, 6, 14),
    planned: int | None = None,
    model: str = MODEL,
    **given: Any,
) -> int:
    """An account in New York with one job a day from START to `last`: $100 counted, $10 estimated."""
    await put_model(databases, a_model(model))
    account_id = await new_account(databases, **given)
    days = [START + ONE_DAY * n for n in range((last - START).days + 1)]
    noons = [(datetime(day.year, day.month, day.day, 16, tzinfo=UTC), {"n": 1}) for day in days]
    await put_events(databases, account_id, noons, kind="job.done")
    if planned is not None:
        await commit(databases, account_id, planned)
    return account_id


async def commit(databases: Databases, account_id: int, expected: int) -> None:
    async with databases.worker.transaction(operator_scope()) as tx:
        statement = insert(objective).values(account_id=account_id, title="Fewer visits")
        objective_id = await tx.scalar(statement.returning(objective.c.objective_id))
        for month in months_between(START, date(2027, 1, 1)):
            await tx.execute(
                insert(plan_target).values(
                    account_id=account_id,
                    plan_id="plan",
                    objective_id=objective_id,
                    driver="visits",
                    month=month.start,
                    version=1,
                    low=Decimal(expected) * 9 / 10,
                    expected=Decimal(expected),
                    high=Decimal(expected) * 11 / 10,
                    source="business case",
                    known_at=NOW,
                )
            )
        await mark(tx, account_id, START, "plan")


async def sign(databases: Databases, account_id: int, end: date | None, amount: int = 36500) -> None:
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(
            insert(contract).values(
                account_id=account_id,
                contract_id="c",
                start_day=START,
                end_day=end,
                amount=Decimal(amount),
                currency="USD",
                period="year",
                kind="new",
                provider="supplier",
            )
        )
        await mark(tx, account_id, START, "contract")


async def row_of(databases: Databases, account_id: int) -> Any:
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        return await tx.row(text("SELECT * FROM standing"))


async def test_an_empty_account_stands_with_nothing_to_show(databases: Databases) -> None:
    await put_model(databases, a_model(MODEL))
    account_id = await new_account(databases)
    stands = await refresh(databases, account_id, NOW)
    assert (stands.status, stands.urgency, stands.signals) == (Status.INSUFFICIENT, Urgency.NONE, 0)
    assert (stands.realized, stands.share, stands.stake, stands.renews_on) == (None, None, None, None)
    assert stands.no_data
    assert stands.act.text == "Open the story"
    assert "".join(span.text for span in stands.why)


async def test_an_account_behind_shows_the_same_numbers_as_its_story_and_each_opens(databases: Databases) -> None:
    account_id = await harbor(databases, planned=9000)
    await sign(databases, account_id, date(2027, 4, 1))
    stands = await refresh(databases, account_id, NOW)
    # 75 jobs at $100; the $10 of a call are an estimate, and count nowhere.
    assert stands.realized is not None
    assert stands.realized.value == Decimal(7500)
    assert (stands.status, stands.kind, stands.urgency) == (Status.BEHIND, SignalKind.BEHIND, Urgency.TODAY)
    # Two whole months and 15 of 30 days are committed: 22,500.
    assert stands.share is not None
    assert stands.share.value == Decimal("0.3333")
    assert stands.stake is not None
    assert stands.stake.amount == Decimal(15000)
    assert stands.stake.insight_id is not None
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        stored = await read_insight(tx, stands.stake.insight_id)
        proof = await prove_insight(tx, stored, number=stands.stake.number)
    assert proof.agrees
    assert Decimal(proof.stated) == -stands.stake.amount


async def test_the_months_that_are_drawn_end_today(databases: Databases) -> None:
    account_id = await harbor(databases, planned=3000)
    stands = await refresh(databases, account_id, NOW)
    assert [(p.end, p.realized) for p in stands.series] == [
        (date(2026, 3, 31), Decimal(0)),
        (date(2026, 4, 30), Decimal(3000)),
        (date(2026, 5, 31), Decimal(6100)),
        (date(2026, 6, 15), Decimal(7500)),
    ]
    assert [p.expected for p in stands.series] == [Decimal(0), Decimal(3000), Decimal(6000), Decimal(7500)]


async def test_a_concern_of_the_steward_alone_opens_like_any_number(databases: Databases) -> None:
    account_id = await harbor(databases, last=date(2026, 5, 20))
    await sign(databases, account_id, None)
    stands = await refresh(databases, account_id, NOW)
    assert (stands.kind, stands.no_data, stands.act.text) == (SignalKind.NO_DATA, True, "Restore the feed")
    assert stands.stake is not None
    assert stands.stake.amount == Decimal(28 * 110)
    assert stands.stake.insight_id is not None
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        proof = await prove_insight(tx, await read_insight(tx, stands.stake.insight_id))
        (told,) = (await portfolio_page(tx, TODAY)).items
    assert proof.agrees
    assert told.text == "No event has come since 20 May 2026; the weeks until then brought $3.08K."


async def test_events_that_stop_are_told_where_nothing_is_priced(databases: Databases) -> None:
    counted = MODEL[: MODEL.index("[[assumption]]")] + (
        '[[driver]]\nslug = "visits"\nevidence = "measured"\nunit = "visit"\nformula = "jobs"\n'
    )
    account_id = await harbor(databases, last=date(2026, 5, 20), model=counted)
    stands = await refresh(databases, account_id, NOW)
    assert stands.kind == SignalKind.NO_DATA
    assert stands.stake is not None
    assert not stands.stake.amount
    assert "".join(span.text for span in stands.why) == "No event has come since 20 May 2026."


async def test_no_story_of_the_customer_tells_what_is_for_the_steward_alone(databases: Databases) -> None:
    account_id = await harbor(databases, last=date(2026, 5, 20), planned=9000)
    await sign(databases, account_id, date(2026, 7, 1))
    await refresh(databases, account_id, NOW)
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        kinds = "SELECT insight_id FROM insight WHERE kind IN ('renewal-due', 'events-stopped')"
        own = [row.insight_id for row in await tx.rows(text(kinds))]
        told = str([row.document for row in await tx.rows(text("SELECT document FROM story"))])
    assert len(own) == 2
    assert not [insight_id for insight_id in own if insight_id in told]


async def test_a_renewal_that_nears_is_worth_what_its_last_year_costs(databases: Databases) -> None:
    account_id = await harbor(databases, planned=9000)
    await sign(databases, account_id, date(2026, 7, 1))
    stands = await refresh(databases, account_id, NOW)
    assert stands.renews_on == date(2026, 7, 1)
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        renewal = next(item for item in await open_signals(tx, account_id) if item.kind is SignalKind.RENEWAL)
        assert renewal.insight_id is not None
        proof = await prove_insight(tx, await read_insight(tx, renewal.insight_id))
    assert renewal.at_stake == Decimal(91 * 100)
    assert proof.agrees


async def test_a_question_calls_until_it_is_answered(databases: Databases) -> None:
    account_id = await harbor(databases)
    asks, steward = factories.customer(account_id, name="Zoë"), factories.supplier()
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        talk = await open_conversation(tx, account_id, asks, Opening("Why?"), NOW)
    stands = await refresh(databases, account_id, NOW)
    assert (stands.kind, stands.act.text, stands.stake) == (SignalKind.QUESTION, "Answer Zoë", None)
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        await reply(tx, account_id, talk, steward, "Because.", NOW + ONE_DAY / 24)
    stands = await refresh(databases, account_id, NOW + ONE_DAY / 12)
    assert stands.kind is not SignalKind.QUESTION


async def test_an_estimate_waits_for_a_validator_within_the_week(databases: Databases) -> None:
    account_id = await harbor(databases)
    stands = await refresh(databases, account_id, NOW)
    assert (stands.kind, stands.urgency) == (SignalKind.NOT_VALIDATED, Urgency.THIS_WEEK)
    assert stands.stake is not None
    assert stands.stake.amount == Decimal(750)
    assert "".join(span.text for span in stands.why).startswith("Cost of a call is estimated at $10 per")


async def test_refreshing_again_keeps_one_row_and_when_it_was_raised(databases: Databases) -> None:
    account_id = await harbor(databases, planned=9000)
    await refresh(databases, account_id, NOW)
    async with databases.worker.transaction(operator_scope()) as tx:
        await mark(tx, account_id, date(2026, 6, 15), "midnight")
    await refresh(databases, account_id, NOW + ONE_DAY)
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM standing")) == 1
        assert {item.raised_at for item in await open_signals(tx, account_id)} == {NOW}


async def test_an_account_in_another_currency_than_the_supplier_stands_abroad(databases: Databases) -> None:
    await put_model(databases, a_model(MODEL))
    euro, dollar = await new_account(databases, "euro", currency="EUR"), await new_account(databases, "dollar")
    for account_id in (euro, dollar):
        await refresh(databases, account_id, NOW)
    assert ((await row_of(databases, euro)).abroad, (await row_of(databases, euro)).unit) == (True, "EUR")
    assert not (await row_of(databases, dollar)).abroad


async def test_a_name_is_found_however_its_letters_are_written(databases: Databases) -> None:
    await put_model(databases, a_model(MODEL))
    account_id = await new_account(databases, "größe-ag")
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(account.update().values(name="\uff27\uff32ÖSSE Straße İstanbul 港"))
    await refresh(databases, account_id, NOW)
    found = (await row_of(databases, account_id)).find_text
    assert folded("grösse STRASSE") in found
    assert folded("港 grösse-AG") in found


@pytest.mark.parametrize("name", ["", "ẞ", "ﬃ", "İ", "ΑΣ", "e\u0301", "🜁"])
def test_folding_a_folded_name_changes_nothing(name: str) -> None:
    assert folded(folded(name)) == folded(name)


def test_a_row_survives_the_way_to_the_database_and_back() -> None:
    facts = plain(amount=-500)
    stands = stood(facts)
    assert msgspec.convert(msgspec.to_builtins(stands), AccountStanding) == stands
    assert stands.realized is not None
    assert stands.realized.value < 0


def test_no_more_than_a_year_of_months_is_drawn() -> None:
    facts = plain(contracts=())
    assert len(stood(facts).series) == 13


def stood(facts: Any) -> AccountStanding:
    held = admitted(facts)
    given = situation(facts, held=held)
    return standing_of_account(given, compose(facts, held.values(), Audience.STEWARD), worded(given, held))


def test_what_is_realized_and_its_share_are_of_one_insight() -> None:
    stands = stood(plain(amount=500))
    assert stands.realized is not None
    assert stands.share is not None
    assert stands.realized.insight_id == stands.share.insight_id
