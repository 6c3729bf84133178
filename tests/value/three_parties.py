"""One account that a supplier and two partners serve, each with drivers of its own."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from tests.conftest import Databases
from tests.value.factories import MODEL, NOW, VALIDATOR, a_model, put_events
from valueplatform.core.authorization import Side
from valueplatform.core.scope import grant_accounts
from valueplatform.value import assumption_record as record
from valueplatform.value.assumptions import Default
from valueplatform.value.models import newest_model
from valueplatform.value.plans import PlanRow, put_targets
from valueplatform.value.ranges import Range
from valueplatform.value.refreshing import refresh_value
from valueplatform.value.split_record import Proposal, Speaker, answer_split, propose_split
from valueplatform.value.splits import Act

_THREE_PARTIES = (
    MODEL
    + """
[[meter]]
slug = "syncs"
event = "sync.done"
aggregation = "COUNT"
dimensions = ["system"]

[[meter]]
slug = "etas"
event = "eta.sent"
aggregation = "COUNT"

[[assumption]]
slug = "per_sync"
unit = "USD/sync"
default = { low = "1", expected = "2", high = "3" }

[[assumption]]
slug = "per_eta"
unit = "USD/eta"
default = { low = "4", expected = "5", high = "6" }

[[driver]]
slug = "invoices_synced"
title = "Invoices synced"
benefit_class = "cashable"
evidence = "measured"
unit = "USD"
formula = "syncs * per_sync"
provider = "tessera"
feature = ["erp-connector"]

[[driver]]
slug = "arrivals_told"
title = "Arrivals told"
benefit_class = "avoidance"
evidence = "measured"
counterfactual = "a call for every arrival"
unit = "USD"
formula = "etas * per_eta"
provider = "waypoint"

[[feature]]
slug = "erp-connector"
title = "ERP connector"
event = "sync.done"

[[feature]]
slug = "eta-link"
title = "Arrival link"
event = "eta.sent"
"""
)
THREE_PARTIES = a_model(_THREE_PARTIES)
JOINT_DRIVER = "paid_sooner"
JOINTLY = a_model(
    _THREE_PARTIES.replace('slug = "invoices_synced"', 'slug = "invoices_synced"\npool = "typing"')
    + """
[[assumption]]
slug = "per_payment"
unit = "USD/sync"
default = { low = "0.5", expected = "1", high = "1.5" }

[[driver]]
slug = "paid_sooner"
title = "Invoices paid sooner"
benefit_class = "cashable"
evidence = "measured"
unit = "USD"
formula = "syncs * per_payment"
pool = "working_capital"
provider = "joint"
"""
)
"""The same with a driver that several bring together: each sync is worth 1."""
DEFAULTS = {
    "manual_minutes": ("14", "minute/job"),
    "hourly_cost": ("45", "USD/hour"),
    "per_sync": ("2", "USD/sync"),
    "per_eta": ("5", "USD/eta"),
}


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 16, tzinfo=UTC)


async def validate_joint(databases: Databases, account_id: int) -> None:
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        default = Default(Range.point(Decimal(1)), "USD/sync")
        await record.validate_stated(tx, account_id, "per_payment", default, VALIDATOR, NOW, NOW.date())


async def agree_on(
    databases: Databases,
    account_id: int,
    share: str,
    supplier_share: str,
    day: date,
    provider: str = "tessera",
) -> None:
    """All three parties agree on how the joint driver is shared, on a local day."""
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        model = await newest_model(tx)
        wanted = Proposal(JOINT_DRIVER, provider, Decimal(share), Decimal(supplier_share), "r")
        speakers = [
            Speaker(side, side, provider if side is Side.PARTNER else None, day, NOW)
            for side in (Side.SUPPLIER, Side.PARTNER, Side.CUSTOMER)
        ]
        made = await propose_split(tx, account_id, model, wanted, speakers[0])
        for who in speakers[1:]:
            await answer_split(tx, account_id, made.split_id, Act.AGREE, "r", who)


async def put_jobs(databases: Databases, account_id: int, day: date, count: int) -> None:
    """The supplier's: each job is worth 9 (14 minutes less 2, at 45 an hour)."""
    await put_events(databases, account_id, [(noon(day), {"minutes": 2, "crew": "a"})] * count)


async def put_syncs(databases: Databases, account_id: int, day: date, count: int) -> None:
    """Tessera's: each is worth 2."""
    given = [(noon(day), {"system": "sage"})] * count
    await put_events(databases, account_id, given, kind="sync.done", provider="tessera")


async def put_etas(databases: Databases, account_id: int, day: date, count: int) -> None:
    """Waypoint's: each is worth 5."""
    await put_events(databases, account_id, [(noon(day), {})] * count, kind="eta.sent", provider="waypoint")


async def refresh(databases: Databases, account_id: int, now: datetime = NOW) -> None:
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await refresh_value(tx, account_id, now)


async def validate(databases: Databases, account_id: int, slugs: Sequence[str] = tuple(DEFAULTS)) -> None:
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        for slug in slugs:
            value, unit = DEFAULTS[slug]
            default = Default(Range.point(Decimal(value)), unit)
            await record.validate_stated(tx, account_id, slug, default, VALIDATOR, NOW, NOW.date())


async def commit_to(
    databases: Databases, account_id: int, driver: str, month: date, expected: int, now: datetime = NOW
) -> None:
    amount = Decimal(expected)
    row = PlanRow(
        account_id=account_id,
        plan_id="case",
        objective=f"More of {driver}",
        driver=driver,
        month=month,
        value=Range(amount / 2, amount, amount * 2),
        source="business case",
    )
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await put_targets(tx, [row], now)
