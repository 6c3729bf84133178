"""Prompts from the record to whoever is to speak: kept, answered, gone, back when the matter changes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.stewardship import factories
from tests.stewardship.refreshing import refresh
from tests.value.factories import SUPPLIER, VALIDATOR, a_model, mark, new_account, put_events, put_model
from valueplatform.accounts.consents import Purpose, Wish, ask_consent, say_consent
from valueplatform.accounts.providers import ensure_providers
from valueplatform.core.authorization import (
    PersonRole,
    Principal,
    Side,
    UserRole,
    accounts_or_all,
    operator_scope,
    scope_of,
)
from valueplatform.core.errors import ForbiddenError, NotFoundError
from valueplatform.core.periods import Period
from valueplatform.stewardship.collaboration import Collaboration, Occasion
from valueplatform.stewardship.collaboration_store import (
    Prompted,
    Response,
    collaboration_for,
    collaborations_for,
    respond,
    show,
    talk_about,
)
from valueplatform.stewardship.conversations import Opening, open_conversation
from valueplatform.stewardship.portfolio import portfolio_page
from valueplatform.stewardship.signal import TargetKind
from valueplatform.value import assumption_record as record
from valueplatform.value.assumption_record import Statement
from valueplatform.value.assumptions import EVER, Action
from valueplatform.value.contribution_record import answer as answer_contribution
from valueplatform.value.contribution_record import contribute
from valueplatform.value.contributions import Answer, Answering, Reported
from valueplatform.value.ranges import Range

NOW = datetime(2026, 5, 29, 16, tzinfo=UTC)
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
slug = "calls"
title = "Calls avoided"
evidence = "measured"
pool = "calls"
unit = "USD"
formula = "jobs * call_cost"
"""
ANA, LENA, MAYA = "ana@harbor.example", "lena@harbor.example", "maya@fieldnote.example"


async def an_account(databases: Databases) -> int:
    """A month of jobs at a cost that nobody has validated, people of both sides, and their prompts."""
    await put_model(databases, a_model(MODEL))
    account_id = await new_account(databases, "harbor")
    await factories.people(
        databases,
        account_id,
        (ANA, "Ana Brandt", PersonRole.VALIDATOR, "Finance"),
        (LENA, "Lena Whitfield", PersonRole.CHAMPION, None),
    )
    await factories.user_row(databases, MAYA, "Maya Okafor", UserRole.STEWARD)
    noons: list[tuple[datetime, dict[str, Any]]] = [
        (datetime(2026, 5, day, 16, n, tzinfo=UTC), {}) for day in range(1, 29) for n in range(5)
    ]
    await put_events(databases, account_id, noons, kind="job.done")
    await refresh(databases, account_id, NOW)
    return account_id


@pytest.fixture
async def harbor(databases: Databases) -> int:
    return await an_account(databases)


def champion(account_id: int) -> Principal:
    return factories.customer(account_id, LENA, "Lena Whitfield", PersonRole.CHAMPION)


async def read(databases: Databases, account_id: int, reader: Principal) -> tuple[Prompted, ...]:
    async with databases.web.transaction(scope_of(reader)) as tx:
        return await collaborations_for(tx, account_id, reader)


async def answer(databases: Databases, account_id: int, reader: Principal, response: Response) -> Prompted:
    """The reader's first prompt, answered."""
    async with databases.web.transaction(scope_of(reader)) as tx:
        first = (await collaborations_for(tx, account_id, reader))[0]
        await respond(tx, account_id, reader, first, response, NOW)
    return first


async def run(databases: Databases, statement: str, **given: Any) -> Any:
    async with databases.worker.transaction(operator_scope()) as tx:
        return (
            await tx.rows(text(statement), given) if "SELECT" in statement else await tx.execute(text(statement), given)
        )


async def test_each_side_has_its_own_prompts_with_a_number_that_opens(databases: Databases, harbor: int) -> None:
    (ours,) = await read(databases, harbor, factories.supplier())
    (theirs,) = await read(databases, harbor, champion(harbor))

    assert (ours.prompt.occasion, ours.prompt.sender.email) == (Occasion.VALIDATION, MAYA)
    assert (theirs.prompt.sender.email, theirs.prompt.receiver.email) == (LENA, ANA)
    assert theirs.prompt.title == "Ask Ana Brandt to validate the cost of a call"
    stake = theirs.prompt.stake
    assert stake is not None
    assert (stake.amount, stake.number) == (Decimal("1400.0000"), "carried")
    held = await run(databases, "SELECT 1 FROM insight WHERE insight_id = :id AND until IS NULL", id=stake.insight_id)
    assert len(held) == 1


async def test_nobody_reads_the_prompts_of_another_or_of_another_account(databases: Databases, harbor: int) -> None:
    other = await new_account(databases, "globex")
    assert await read(databases, harbor, factories.customer(harbor, ANA, "Ana Brandt", PersonRole.VALIDATOR)) == ()
    assert await read(databases, harbor, factories.customer(other, LENA, "Lena", PersonRole.CHAMPION)) == ()
    assert await read(databases, harbor, factories.supplier(UserRole.STEWARD, other)) == ()


async def test_a_partner_is_never_prompted(databases: Databases, harbor: int) -> None:
    with pytest.raises(ForbiddenError):
        await read(databases, harbor, factories.partner(harbor))


async def test_a_role_that_was_taken_away_ends_the_prompt_with_the_next_read(databases: Databases, harbor: int) -> None:
    await run(databases, "UPDATE person SET role = 'user' WHERE email = :email", email=ANA)
    assert await read(databases, harbor, champion(harbor)) == ()
    assert await read(databases, harbor, factories.supplier()) == ()


async def test_a_steward_who_left_prompts_nobody(databases: Databases, harbor: int) -> None:
    await run(databases, "UPDATE app_user SET disabled_at = now() WHERE email = :email", email=MAYA)
    assert await read(databases, harbor, factories.supplier()) == ()


@pytest.mark.parametrize("response", [Response.ACTED, Response.DISMISSED])
async def test_what_was_answered_stays_away_until_the_matter_changes(
    databases: Databases, harbor: int, response: Response
) -> None:
    first = await answer(databases, harbor, champion(harbor), response)
    assert await read(databases, harbor, champion(harbor)) == ()
    assert len(await read(databases, harbor, factories.supplier())) == 1, "the other side has not answered"
    await refresh(databases, harbor, NOW + timedelta(days=1))
    assert await read(databases, harbor, champion(harbor)) == ()

    await propose(databases, harbor)
    await refresh(databases, harbor, NOW + timedelta(days=2))
    (again,) = await read(databases, harbor, champion(harbor))
    assert again.id == first.id
    assert again.prompt.matter != first.prompt.matter


async def propose(databases: Databases, account_id: int) -> None:
    async with databases.worker.transaction(accounts_or_all([account_id])) as tx:
        statement = Statement("call_cost", Range.point(Decimal(20)), "USD/call", EVER, "counted")
        await record.state_value(tx, account_id, Action.PROPOSE, statement, SUPPLIER, NOW)
        await mark(tx, account_id, date(2026, 5, 1), "assumption")


async def test_what_was_validated_prompts_nobody(databases: Databases, harbor: int) -> None:
    async with databases.worker.transaction(accounts_or_all([harbor])) as tx:
        statement = Statement("call_cost", Range.point(Decimal(20)), "USD/call", EVER, "counted")
        entry = await record.state_value(tx, harbor, Action.PROPOSE, statement, SUPPLIER, NOW)
        await record.validate(tx, harbor, entry.entry_id, VALIDATOR, NOW, NOW.date())
        await mark(tx, harbor, date(2026, 5, 1), "assumption")
    await refresh(databases, harbor, NOW)

    assert await read(databases, harbor, champion(harbor)) == ()
    assert await read(databases, harbor, factories.supplier()) == ()
    rows = await run(databases, "SELECT 1 FROM collaboration WHERE settled_at IS NOT NULL")
    assert len(rows) == 2


async def test_a_conversation_about_it_that_began_elsewhere_ends_the_prompts_of_both(
    databases: Databases, harbor: int
) -> None:
    async with databases.web.transaction(accounts_or_all([harbor])) as tx:
        opening = Opening("What is in it?", assumption="call_cost")
        await open_conversation(tx, harbor, champion(harbor), opening, NOW)
    await refresh(databases, harbor, NOW)

    assert await read(databases, harbor, champion(harbor)) == ()
    assert await read(databases, harbor, factories.supplier()) == ()


async def test_what_became_of_a_prompt_is_kept_once(databases: Databases, harbor: int) -> None:
    reader = champion(harbor)
    async with databases.web.transaction(scope_of(reader)) as tx:
        found = await collaborations_for(tx, harbor, reader)
        for _ in range(2):
            await show(tx, harbor, reader, found, NOW)
            await respond(tx, harbor, reader, found[0], Response.DISMISSED, NOW)
    rows = await run(databases, "SELECT response, author FROM collaboration_response ORDER BY response")
    assert [tuple(row) for row in rows] == [("dismissed", LENA), ("shown", LENA)]


async def test_a_prompt_that_is_not_there_is_not_found(databases: Databases, harbor: int) -> None:
    async with databases.web.transaction(scope_of(champion(harbor))) as tx:
        for wanted in ("col_x", "", "\0", (await read(databases, harbor, factories.supplier()))[0].id):
            with pytest.raises(NotFoundError):
                await collaboration_for(tx, harbor, champion(harbor), wanted)


async def test_the_portfolio_says_whom_to_talk_to_until_somebody_did(databases: Databases, harbor: int) -> None:
    async with databases.web.transaction(operator_scope()) as tx:
        (row,) = (await portfolio_page(tx, NOW.date())).items
    assert row.act.about is TargetKind.COLLABORATION
    assert row.act.text == "Ask Ana Brandt to validate the cost of a call"

    await answer(databases, harbor, factories.supplier(), Response.DISMISSED)
    await refresh(databases, harbor, NOW)
    async with databases.web.transaction(operator_scope()) as tx:
        (row,) = (await portfolio_page(tx, NOW.date())).items
    assert row.act.about is TargetKind.ASSUMPTION


async def test_a_conversation_is_opened_about_what_the_prompt_is_about(databases: Databases, harbor: int) -> None:
    (theirs,) = await read(databases, harbor, champion(harbor))
    about = talk_about(theirs.prompt)
    assert about["assumption"] == "call_cost"
    assert about.get("insight", theirs.prompt.insight_id) == theirs.prompt.insight_id
    without: Collaboration = replace_attached(theirs.prompt)
    assert "insight" not in talk_about(without)


def replace_attached(prompt: Collaboration) -> Collaboration:
    return msgspec.structs.replace(prompt, attached=False)


async def contribute_one(databases: Databases, account_id: int, name: str = "may") -> int:
    reported = Reported(
        provider="tessera", id=name, driver=None, title="Paper saved", amount=Decimal(1200), unit="USD",
        period=Period(date(2026, 5, 1), date(2026, 6, 1)), evidence="our ledger", source="api",
    )  # fmt: skip
    async with databases.worker.transaction(operator_scope()) as tx:
        return (await contribute(tx, account_id, reported, "tess", NOW)).contribution_id


async def occasions(databases: Databases, account_id: int) -> set[tuple[str, str]]:
    await refresh(databases, account_id, NOW)
    found = [
        *await read(databases, account_id, factories.supplier()),
        *await read(databases, account_id, champion(account_id)),
    ]
    return {(one.prompt.occasion.value, one.prompt.side.value) for one in found}


async def test_what_a_partner_asks_and_reports_prompts_both_sides_until_it_is_answered(
    databases: Databases, harbor: int
) -> None:
    async with databases.worker.transaction(operator_scope()) as tx:
        await ensure_providers(tx, ["tessera"])
        await ask_consent(tx, harbor, "tessera", Purpose.CONTRIBUTE, "Our ledger has it.", "tess", NOW)
    await factories.people(databases, harbor, ("noor@harbor.example", "Noor Haddad", PersonRole.ADMIN, None))
    both = {("consent", "supplier"), ("consent", "customer")}
    assert await occasions(databases, harbor) >= both

    async with databases.worker.transaction(operator_scope()) as tx:
        wish = Wish("tessera", Purpose.CONTRIBUTE, True, "They keep the ledger.")
        await say_consent(tx, harbor, wish, ANA, NOW + timedelta(minutes=1))
    number = await contribute_one(databases, harbor)
    found = await occasions(databases, harbor)
    assert not found & both
    assert found >= {("contribution", "supplier"), ("contribution", "customer")}

    async with databases.worker.transaction(operator_scope()) as tx:
        said = Answer(Answering.DISPUTE, ANA, Side.CUSTOMER, "Not ours.", NOW)
        await answer_contribution(tx, harbor, number, said)
    assert not {one for one, _ in await occasions(databases, harbor)} & {"consent", "contribution"}


async def test_several_reports_of_a_partner_are_one_prompt_and_a_new_one_is_another_matter(
    databases: Databases, harbor: int
) -> None:
    async with databases.worker.transaction(operator_scope()) as tx:
        await ensure_providers(tx, ["tessera"])
        await say_consent(tx, harbor, Wish("tessera", Purpose.CONTRIBUTE, True, "r"), ANA, NOW)
    await contribute_one(databases, harbor)
    await contribute_one(databases, harbor, "june")
    await refresh(databases, harbor, NOW)

    def of_partner(found: tuple[Prompted, ...]) -> list[Prompted]:
        return [one for one in found if one.prompt.occasion is Occasion.CONTRIBUTION]

    (one,) = of_partner(await read(databases, harbor, factories.supplier()))
    async with databases.web.transaction(scope_of(factories.supplier())) as tx:
        await respond(tx, harbor, factories.supplier(), one, Response.DISMISSED, NOW)
    assert of_partner(await read(databases, harbor, factories.supplier())) == []
    await contribute_one(databases, harbor, "july")
    await refresh(databases, harbor, NOW)
    (again,) = of_partner(await read(databases, harbor, factories.supplier()))
    assert again.id == one.id
