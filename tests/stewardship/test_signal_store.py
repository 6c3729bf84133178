"""Signals are raised once, kept while they hold, and settled when they no longer do."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.stewardship import factories
from tests.stewardship.factories import NOON
from valueplatform.core.authorization import accounts_or_all
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.scope import Scope
from valueplatform.narrative.document import Span
from valueplatform.narrative.insight import Standing
from valueplatform.stewardship.conversations import Opening, open_conversation, reply
from valueplatform.stewardship.signal import Act, Signal, SignalKind, Stake, TargetKind, Urgency
from valueplatform.stewardship.signal_store import SignalItem, keep_signals, open_questions, open_signals, signals_page

HOUR = timedelta(hours=1)


def signal(subject: str = "account", amount: str = "5", **given: Any) -> Signal:
    fields: dict[str, Any] = {
        "kind": SignalKind.BEHIND,
        "urgency": Urgency.TODAY,
        "act": Act("Plan with them", TargetKind.STORY),
        "why": (Span("You are "), Span("$5", "gap", amount, "EUR", Standing.VALIDATED), Span(" behind, 港.")),
        "stake": Stake(Decimal(amount), "EUR", Standing.VALIDATED, "gap", "ins_1"),
        "insight_id": "ins_1",
    }
    return Signal(subject=subject, **(fields | given))


async def keep(databases: Databases, account_id: int, *found: Signal, at: datetime = NOON, key: str = "harbor") -> None:
    async with databases.worker.transaction(accounts_or_all([account_id])) as tx:
        await keep_signals(tx, account_id, key, "EUR", found, at)


async def standing_ones(databases: Databases, account_id: int) -> tuple[SignalItem, ...]:
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        return await open_signals(tx, account_id)


async def test_an_account_without_signals_has_none(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await keep(databases, account_id)
    assert await standing_ones(databases, account_id) == ()


async def test_when_it_was_raised_is_kept_while_its_amount_moves(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await keep(databases, account_id, signal())
    await keep(databases, account_id, signal(amount="7"), at=NOON + HOUR)
    (item,) = await standing_ones(databases, account_id)
    assert (item.raised_at, item.at_stake) == (NOON, Decimal(7))


async def test_what_holds_unchanged_is_not_written_again(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    versions = text("SELECT xmin::text FROM signal")
    seen = set()
    for hours in range(3):
        await keep(databases, account_id, signal(), at=NOON + hours * HOUR)
        async with databases.admin.engine.connect() as connection:
            seen.add(await connection.scalar(versions))
    assert len(seen) == 1


async def test_what_no_longer_holds_is_settled_and_raised_anew_if_it_comes_back(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await keep(databases, account_id, signal("a"), signal("b"))
    await keep(databases, account_id, signal("b"), at=NOON + HOUR)
    assert [item.raised_at for item in await standing_ones(databases, account_id)] == [NOON]
    async with databases.admin.engine.connect() as connection:
        settled = (await connection.execute(text("SELECT settled_at FROM signal ORDER BY settled_at"))).scalars().all()
    assert settled == [NOON + HOUR, None]
    await keep(databases, account_id, signal("a"), signal("b"), at=NOON + 2 * HOUR)
    raised = [item.raised_at for item in await standing_ones(databases, account_id)]
    assert sorted(raised) == [NOON, NOON + 2 * HOUR]


async def test_the_record_says_since_when_where_it_knows(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await keep(databases, account_id, signal(since=NOON - 5 * HOUR))
    await keep(databases, account_id, signal(since=NOON - HOUR), at=NOON + HOUR)
    (item,) = await standing_ones(databases, account_id)
    assert item.raised_at == NOON - HOUR


async def test_signals_of_one_account_do_not_settle_those_of_another(databases: Databases) -> None:
    harbor, other = await factories.account(databases, "harbor"), await factories.account(databases, "other")
    await keep(databases, harbor, signal())
    await keep(databases, other, key="other", at=NOON + HOUR)
    assert len(await standing_ones(databases, harbor)) == 1


async def test_the_one_that_speaks_for_the_account_comes_first(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    week = signal("week", "900", urgency=Urgency.THIS_WEEK)
    await keep(databases, account_id, week, signal("small", "5"), signal("large", "50"), signal("none", stake=None))
    items = await standing_ones(databases, account_id)
    assert [(item.urgency, item.at_stake) for item in items] == [
        ("today", Decimal(50)),
        ("today", Decimal(5)),
        ("today", Decimal(0)),
        ("this-week", Decimal(900)),
    ]


async def test_the_web_role_reads_its_own_accounts_signals_only_and_writes_none(databases: Databases) -> None:
    harbor, other = await factories.account(databases, "harbor"), await factories.account(databases, "other")
    await keep(databases, harbor, signal())
    await keep(databases, other, signal(), key="other")
    for scope, seen in ((accounts_or_all([harbor]), {"harbor"}), (accounts_or_all(None), {"harbor", "other"})):
        async with databases.web.transaction(scope) as tx:
            assert {item.account for item in (await signals_page(tx, limit=10)).items} == seen
    async with databases.web.transaction(Scope(frozenset())) as tx:
        assert (await signals_page(tx, limit=10)).items == []
    with pytest.raises(Exception, match="permission denied"):
        async with databases.web.transaction(accounts_or_all([harbor])) as tx:
            await keep_signals(tx, harbor, "harbor", "EUR", [signal()], NOON)


async def test_pages_go_from_the_latest_to_the_earliest_and_miss_none(databases: Databases) -> None:
    accounts = [await factories.account(databases, f"account-{n}") for n in range(3)]
    for hours in range(4):
        for n, account_id in enumerate(accounts):
            found = [signal(str(earlier), since=NOON + earlier // 2 * HOUR) for earlier in range(hours + 1)]
            await keep(databases, account_id, *found, key=f"account-{n}")
    seen: list[SignalItem] = []
    cursor = None
    async with databases.web.transaction(accounts_or_all(None)) as tx:
        while True:
            page = await signals_page(tx, limit=5, cursor=cursor)
            seen += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
    assert len({item.id for item in seen}) == len(seen) == 12
    assert [item.raised_at for item in seen] == sorted((item.raised_at for item in seen), reverse=True)


@pytest.mark.parametrize("limit", [0, -1, 501])
async def test_a_limit_that_cannot_be_is_refused(databases: Databases, limit: int) -> None:
    async with databases.web.transaction(accounts_or_all(None)) as tx:
        with pytest.raises(InvalidInputError, match="limit"):
            await signals_page(tx, limit=limit)


async def test_an_item_is_json_with_exact_decimals_as_text(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor", name="Größe 港")
    amount = "9999999999999999999999999999999999.9999"
    await keep(databases, account_id, signal(amount=amount))
    (item,) = await standing_ones(databases, account_id)
    said = msgspec.json.decode(msgspec.json.encode(item))
    assert said["at_stake"] == amount
    assert (said["account_name"], said["kind"], said["urgency"]) == ("Größe 港", "behind", "today")
    assert said["text"] == "You are $5 behind, 港."
    assert said["why"][1]["value"] == amount
    assert said["act"] == {"text": "Plan with them", "about": "story", "target": ""}


async def test_a_question_waits_since_the_first_message_without_an_answer(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await factories.keep_insight(databases, account_id)
    await factories.tell(databases, account_id, factories.document(factories.sentence()))
    priya, steward = factories.customer(account_id), factories.supplier()
    daniel = factories.customer(account_id, "dan@harbor.example", "Daniel Reyes")
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        assert await open_questions(tx, account_id) == ()
        opening = Opening("Why?", insight_id=factories.INSIGHT)
        talk = await open_conversation(tx, account_id, priya, opening, NOON)
        await reply(tx, account_id, talk, steward, "Because.", NOON + HOUR)
        assert await open_questions(tx, account_id) == ()
        await reply(tx, account_id, talk, daniel, "I see. And Reno?", NOON + 2 * HOUR)
        await reply(tx, account_id, talk, priya, "And Dallas?", NOON + 3 * HOUR)
        (asked,) = await open_questions(tx, account_id)
    assert (asked.conversation_id, asked.asked_by, asked.since) == (talk, "Daniel Reyes", NOON + 2 * HOUR)
    assert asked.insight is not None
    assert asked.insight.sentence == factories.sentence()
