"""Rows that the stewardship room reads, and people who speak in it."""

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql

from tests.conftest import Databases
from valueplatform.accounts.tables import account as account_table
from valueplatform.accounts.tables import account_currency, person
from valueplatform.core.authorization import (
    Action,
    KeyKind,
    KeyPrincipal,
    PersonRole,
    Side,
    UserPrincipal,
    UserRole,
    operator_scope,
)
from valueplatform.core.database import Transaction
from valueplatform.core.tables import model_revision, user
from valueplatform.narrative.document import Chapter, Sentence, Span, Status, StoryDocument
from valueplatform.narrative.insight import Insight, Standing, Strength
from valueplatform.narrative.tables import insight as insight_table
from valueplatform.narrative.tables import story as story_table
from valueplatform.stewardship.collaboration import About, AboutKind, Collaboration, DueRule, Occasion, Party
from valueplatform.stewardship.tables import collaboration
from valueplatform.value.model import Assumption, Supplier, ValueModel, to_document
from valueplatform.value.ranges import Range
from valueplatform.value.tables import assumption_entry

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
INSIGHT = "ins_repeat"


async def account(databases: Databases, key: str, *, name: str | None = None, timezone: str = "Europe/Berlin") -> int:
    """An account that reports in euros; its id."""
    async with databases.worker.transaction(operator_scope()) as tx:
        statement = insert(account_table).values(key=key, name=name or key.title(), timezone=timezone)
        account_id = int(await tx.scalar(statement.returning(account_table.c.account_id)))
        await tx.execute(
            insert(account_currency).values(account_id=account_id, effective_from=date(1, 1, 1), currency="EUR")
        )
    return account_id


async def people(databases: Databases, account_id: int, *rows: tuple[str, str, PersonRole, str | None]) -> None:
    """Persons of an account: e-mail, name, role, group."""
    async with databases.worker.transaction(operator_scope()) as tx:
        for email, name, role, group in rows:
            await tx.execute(
                insert(person).values(account_id=account_id, email=email, name=name, role=role, person_group=group)
            )


async def user_row(databases: Databases, email: str, name: str, role: UserRole) -> None:
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(insert(user).values(email=email, name=name, role=role))


def customer(
    account_id: int, email: str = "priya@harbor.example", name: str = "Priya Nair", role: PersonRole = PersonRole.USER
) -> UserPrincipal:
    return UserPrincipal(1, email, name, UserRole.CUSTOMER, frozenset({account_id}), person_role=role)


def supplier(role: UserRole = UserRole.STEWARD, *account_ids: int) -> UserPrincipal:
    return UserPrincipal(2, "maya@fieldnote.example", "Maya Okafor", role, frozenset(account_ids) or None)


def partner(*account_ids: int) -> UserPrincipal:
    return UserPrincipal(3, "tess@tessera.example", "Tess", UserRole.PARTNER, frozenset(account_ids), "tessera")


def machine_of(account_id: int, email: str, *scopes: Action) -> KeyPrincipal:
    """A key that acts for a validator of the account."""
    return KeyPrincipal(
        uuid.uuid4(),
        KeyKind.PARTNER,
        "their portal",
        "supplier",
        frozenset({account_id}),
        None,
        frozenset(scopes),
        person=email,
        person_role=PersonRole.VALIDATOR,
    )


def sentence(insight_id: str = INSIGHT, text: str = "At $310 a visit, that is $486K.") -> Sentence:
    """One sentence whose only number is `$486K`."""
    before, _, after = text.partition("$486K")
    number = Span("$486K", "realized", "486080.0000", "USD", Standing.VALIDATED)
    spans = (Span(before), number, Span(after)) if after else (Span(text),)
    return Sentence(insight_id, "realized", spans, (number,), Strength.STRONG, date(2026, 1, 1), date(2026, 9, 2))


def document(*sentences: Sentence, audience: str = "customer", **changes: Any) -> StoryDocument:
    """A story whose headline says nothing and whose one chapter holds `sentences`."""
    given: dict[str, Any] = {
        "audience": audience,
        "period_from": date(2026, 1, 1),
        "period_to": date(2026, 9, 2),
        "unit": "USD",
        "headline": sentence("ins_headline", "A headline."),
        "lead": (),
        "status": Status.ON_PLAN,
        "reason": "",
        "chapters": (Chapter("c", "Title", date(2026, 1, 1), date(2026, 9, 2), None, "", sentences),),
        "series": (),
    }
    return StoryDocument(**(given | changes))


async def tell(
    databases: Databases, account_id: int, told: StoryDocument, version: int = 1, at: datetime = NOON
) -> None:
    """Store a story as composed."""
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(
            insert(story_table).values(
                account_id=account_id,
                audience=told.audience,
                version=version,
                document=msgspec.to_builtins(told),
                fingerprint=str(version),
                composed_at=at,
            )
        )


async def keep_insight(
    databases: Databases, account_id: int, insight_id: str = INSIGHT, version: int = 1, since: datetime = NOON
) -> None:
    """An insight version that holds since then."""
    bare = Insight("realized", "account", date(2026, 1, 1), date(2026, 9, 2), (), Strength.STRONG, 0.5)
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(
            insert(insight_table).values(
                account_id=account_id,
                insight_id=insight_id,
                version=version,
                kind=bare.kind,
                subject=bare.subject,
                period_from=bare.period_from,
                period_to=bare.period_to,
                body=msgspec.to_builtins(bare),
                since=since,
            )
        )


async def model(databases: Databases, *slugs: str, currency: str = "USD") -> None:
    """A value model with nothing but assumptions."""
    one = Range(Decimal(1), Decimal(1), Decimal(1))
    rates = tuple(Assumption(slug=slug, unit="USD/hour", default=one) for slug in slugs)
    made = ValueModel(
        supplier=Supplier(name="Fieldnote", currency=currency, timezone="America/New_York"), assumptions=rates
    )
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(
            insert(model_revision).values(
                revision=1, document=msgspec.json.decode(to_document(made)), fingerprint="made"
            )
        )


async def entry(tx: Transaction, account_id: int, conversation_id: int | None, **changes: Any) -> None:
    """A line of the record of assumptions: Priya's proposal of 265.00, unless changed."""
    given = {
        "slug": "repeat_visit_cost",
        "action": "propose",
        "low": Decimal(240),
        "expected": Decimal(265),
        "high": Decimal(290),
        "unit": "USD/visit",
        "effective_from": date(2026, 9, 1),
        "author": "priya@harbor.example",
        "author_side": "customer",
        "reason": "Travel is in the depot budget.",
        "known_at": NOON,
    }
    values = {"account_id": account_id, "conversation_id": conversation_id} | given | changes
    await tx.execute(insert(assumption_entry).values(values))


async def prompt_for(databases: Databases, account_id: int, customer: str | None = None, name: str = "x") -> str:
    """A prompt of a customer's person (by e-mail), or of a steward who is there for it; its id.

    A person who is a champion or a validator is prompted to talk to the steward, and the steward to a validator.
    """
    maya = Party("Maya Okafor", "maya@fieldnote.example", "steward", Side.SUPPLIER)
    async with databases.worker.transaction(operator_scope()) as tx:
        made = postgresql.insert(user).values(email=maya.email, name=maya.name, role=UserRole.STEWARD)
        await tx.execute(made.on_conflict_do_nothing())
        rows = await tx.rows(select(person).where(person.c.account_id == account_id).order_by(person.c.role.desc()))
        people = {row.email: Party(row.name, row.email, row.role, Side.CUSTOMER) for row in rows}
        sender, receiver = (maya, next(iter(people.values()))) if customer is None else (people[customer], maya)
        given = Collaboration(
            Occasion.PLAN, f"{name} {customer}", sender, receiver, About(AboutKind.PLAN, "case"), date(2026, 9, 3),
            DueRule.ANSWER, "as it is", "Ask about the plan", (Span("The plan waits."),), (Span("Hello,\n\nMaya"),),
        )  # fmt: skip
        values = {
            "account_id": account_id, "collaboration_id": given.id("any"), "matter": given.matter,
            "side": given.side.value, "sender": sender.email, "place": 9, "body": msgspec.to_builtins(given),
            "raised_at": NOON,
        }  # fmt: skip
        await tx.execute(postgresql.insert(collaboration).values(values).on_conflict_do_nothing())
    return given.id("any")
