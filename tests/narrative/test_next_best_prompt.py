from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import text

from tests.accounts.factories import an_account
from tests.conftest import Databases
from tests.narrative.next_best_records import NOW
from tests.narrative.next_best_worlds import TODAY, feature
from tests.narrative.test_next_best import EVEN, a_fit, suggested
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.narrative.next_best import Suggestion
from valueplatform.narrative.next_best_model import Verdict
from valueplatform.narrative.next_best_prompt import Contact, Prompt, Why, contact_of, prompts_of


def a_suggestion(slug: str, expected: str | None, chance: str | None) -> Suggestion:
    (one,) = suggested(a_fit({slug: EVEN if expected else Verdict.FEW_ADOPTERS}), feature(slug))
    bound = None if expected is None else Decimal(expected)
    given = {"low": bound, "expected": bound, "high": bound, "chance": None if chance is None else Decimal(chance)}
    return msgspec.structs.replace(one, **given)


async def put(
    databases: Databases, account: int, *suggestions: Suggestion, state: str = "open", days: int = 30
) -> None:
    insert = text("""
        INSERT INTO suggestion (account_id, suggestion_id, feature, rank, unit, low, expected, high, state, body,
                                suggested_at)
        VALUES (:account, :id, :feature, 1, 'USD', :low, :expected, :high, :state, CAST(:body AS jsonb), :at)
    """)
    async with databases.worker.transaction(operator_scope()) as tx:
        for one in suggestions:
            amounts = {"low": one.low, "expected": one.expected, "high": one.high}
            given = {"account": account, "id": one.id, "feature": one.feature, "state": state}
            body = msgspec.json.encode(one).decode()
            await tx.execute(insert, {**given, **amounts, "body": body, "at": NOW - timedelta(days=days)})


async def prompts(databases: Databases, account: int) -> tuple[Prompt, ...]:
    async with databases.web.transaction(accounts_or_all([account])) as tx:
        return await prompts_of(tx, account, NOW)


async def contract(databases: Databases, account: int, end: date | None) -> None:
    insert = text("""
        INSERT INTO contract (account_id, contract_id, start_day, end_day, amount, currency, period, kind, provider)
        VALUES (:account, 'term', DATE '2025-01-01', :end, 1000, 'EUR', 'year', 'new', 'supplier')
    """)
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(insert, {"account": account, "end": end})


@pytest.fixture
async def account(databases: Databases) -> int:
    return (await an_account(databases, timezone="UTC")).account_id


async def test_outreach_is_ordered_by_chance_times_value(databases: Databases, account: int) -> None:
    large, likely = a_suggestion("large", "1000.0000", "0.1000"), a_suggestion("likely", "400.0000", "0.5000")
    unpriced, unknown = a_suggestion("unpriced", None, "0.9000"), a_suggestion("unknown", "150.0000", None)
    await put(databases, account, large, likely, unpriced, unknown)
    found = await prompts(databases, account)
    assert [(one.suggestion.feature, one.at_stake) for one in found] == [
        ("likely", Decimal("200.0000")),
        ("unknown", Decimal("150.0000")),
        ("large", Decimal("100.0000")),
        ("unpriced", None),
    ]


async def test_what_is_dismissed_or_done_calls_for_nobody(databases: Databases, account: int) -> None:
    await put(databases, account, a_suggestion("a", "10.0000", None), state="dismissed")
    await put(databases, account, a_suggestion("b", "10.0000", None), state="done")
    assert await prompts(databases, account) == ()


async def test_a_contract_that_ends_soon_is_the_reason_to_talk_now(databases: Databases, account: int) -> None:
    await put(databases, account, a_suggestion("a", "10.0000", None))
    await contract(databases, account, TODAY + timedelta(days=120))
    (one,) = await prompts(databases, account)
    assert (one.why, one.ends) == (Why.RENEWAL, TODAY + timedelta(days=120))


@pytest.mark.parametrize("end", [None, TODAY + timedelta(days=121), TODAY - timedelta(days=1)])
async def test_a_contract_that_ends_later_or_has_ended_is_none(
    databases: Databases, account: int, end: date | None
) -> None:
    await put(databases, account, a_suggestion("a", "10.0000", None))
    await contract(databases, account, end)
    (one,) = await prompts(databases, account)
    assert (one.why, one.ends) == (Why.STANDING, None)


async def test_what_was_accepted_or_is_new_says_so(databases: Databases, account: int) -> None:
    await put(databases, account, a_suggestion("new", "20.0000", None), days=3)
    await put(databases, account, a_suggestion("accepted", "10.0000", None), state="accepted")
    assert [one.why for one in await prompts(databases, account)] == [Why.NEW, Why.ACCEPTED]


def test_the_champion_is_talked_to_first_and_a_stranger_to_the_roles_never() -> None:
    ana, ben = Contact("Ana", "ana@x.example", "champion"), Contact("Ben", "ben@x.example", "champion")
    eve, joe = Contact("Eve", "eve@x.example", "sponsor"), Contact("Joe", "joe@x.example", "guest")
    assert contact_of([eve, ben, ana, joe]) == ana
    assert contact_of([joe, eve]) == eve
    assert contact_of([joe]) is None


async def test_people_of_the_account_are_whom_to_talk_to(databases: Databases, account: int) -> None:
    await put(databases, account, a_suggestion("a", "10.0000", None))
    insert = text(
        "INSERT INTO person (account_id, email, name, role) VALUES (:account, 'eve@x.example', 'Eve', 'sponsor')"
    )
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(insert, {"account": account})
    (one,) = await prompts(databases, account)
    assert one.contact == Contact("Eve", "eve@x.example", "sponsor")


async def test_an_account_out_of_scope_has_no_prompts(databases: Databases, account: int) -> None:
    await put(databases, account, a_suggestion("a", "10.0000", None))
    other = await an_account(databases, "other")
    async with databases.web.transaction(accounts_or_all([other.account_id])) as tx:
        assert await prompts_of(tx, account, NOW) == ()
