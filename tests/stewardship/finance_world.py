"""Accounts of three currencies with contracts, costs, rates and counted value, in a real database."""

from datetime import date
from decimal import Decimal

from sqlalchemy import text

from tests.accounts.factories import imported
from tests.conftest import Databases
from tests.value.factories import a_model, new_account, put_model
from valueplatform.accounts.contract_import import ContractImport
from valueplatform.accounts.costs import CostImport
from valueplatform.accounts.exchange_rates import RateImport
from valueplatform.core.authorization import operator_scope

MODEL = """
supplier = { name = "Fieldnote", currency = "USD", timezone = "America/New_York" }

[[product]]
slug = "core"
title = "Core"

[[segment]]
slug = "rail"
title = "Rail"

[[meter]]
slug = "jobs"
event = "job.dispatched"
aggregation = "COUNT"

[[driver]]
slug = "time"
pool = "time"
title = "Time saved"
benefit_class = "capacity"
unit = "USD"
formula = "jobs"
feature = ["dispatch", "reports"]

[[driver]]
slug = "calls"
pool = "calls"
title = "Calls avoided"
benefit_class = "cashable"
unit = "USD"
formula = "jobs * 2"
feature = ["tracking"]

[[driver]]
slug = "brand"
pool = "brand"
title = "Brand"
benefit_class = "strategic"
unit = "USD"
formula = "jobs * 3"

[[feature]]
slug = "dispatch"
title = "Dispatch"
event = "job.dispatched"
product = "core"

[[feature]]
slug = "reports"
title = "Reports"
event = "job.dispatched"
product = "core"

[[feature]]
slug = "tracking"
title = "Tracking"
event = "job.dispatched"
product = "core"
"""
_SEGMENT = text("UPDATE account SET segment = :segment WHERE account_id = :account")
_BASIS = text("""
    INSERT INTO basis (account_id, basis_id, driver, driver_version, formula, unit, benefit_class, evidence, state,
                       counted, inputs)
    VALUES (:account, gen_random_uuid(), :driver, 1, 'f', :unit, :class, 'measured', 'validated', :counted, '{}')
    RETURNING basis_id
""")
_ACCRUAL = text("""
    INSERT INTO accrual (account_id, driver, provider, day, basis_id, low, expected, high)
    VALUES (:account, :driver, :provider, :day, :basis, :amount, :amount, :amount)
""")
_POSTING = text("""
    INSERT INTO posting (account_id, kind, driver, provider, day, shown_day, basis_id, low, expected, high, posted_at,
                         revision)
    VALUES (:account, 'close', :driver, :provider, :day, :shown, :basis, :amount, :amount, :amount, now(), 1)
""")
_CLOSED = text("INSERT INTO closed_month VALUES (:account, :month, now(), 1) ON CONFLICT DO NOTHING")


async def put_value(
    databases: Databases,
    account_id: int,
    day: date,
    amount: str,
    *,
    driver: str = "time",
    unit: str = "USD",
    benefit_class: str = "capacity",
    counted: bool = True,
    closed: bool = False,
    shown: date | None = None,
    provider: str = "supplier",
) -> None:
    """An amount of a day, of an open month or of a closed one."""
    async with databases.worker.transaction(operator_scope()) as tx:
        named = {"account": account_id, "driver": driver, "provider": provider, "day": day}
        basis = await tx.scalar(_BASIS, {**named, "unit": unit, "class": benefit_class, "counted": counted})
        named |= {"basis": basis, "amount": Decimal(amount)}
        if closed:
            await tx.execute(_CLOSED, {"account": account_id, "month": day.replace(day=1)})
            await tx.execute(_POSTING, {**named, "shown": shown or day})
        await tx.execute(_ACCRUAL, named)


async def put_account(databases: Databases, key: str, *, currency: str = "USD", segment: str | None = None) -> int:
    account_id = await new_account(databases, key, currency=currency)
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(_SEGMENT, {"account": account_id, "segment": segment})
    return account_id


async def put_contracts(databases: Databases, *rows: str) -> None:
    """Each row as `account id start end amount period`, and `provider` where it is another; `-` = open."""
    names = ("account", "id", "start", "end", "amount", "period", "provider")
    read = [dict(zip(names, row.split(), strict=False)) for row in rows]
    report = await imported(
        databases,
        ContractImport(),
        [{**row, "end": "" if row["end"] == "-" else row["end"], "kind": "contraction"} for row in read],
    )
    assert not report.rejected


async def put_costs(databases: Databases, *rows: str) -> None:
    """Each row as `account kind month amount`; `-` = shared."""
    read = [row.split() for row in rows]
    named = [
        {"account": "" if who == "-" else who, "id": f"{number}", "kind": kind, "month": month, "amount": amount}
        for number, (who, kind, month, amount) in enumerate(read)
    ]
    assert not (await imported(databases, CostImport(), named)).rejected


async def put_rates(databases: Databases, *rows: str) -> None:
    """Each row as `currency day rate`."""
    read = [dict(zip(("currency", "day", "rate"), row.split(), strict=True)) for row in rows]
    assert not (await imported(databases, RateImport(), [{**row, "source": "ECB"} for row in read])).rejected


async def a_world(databases: Databases) -> dict[str, int]:
    """Five accounts at home that have paid since 2024, one of which leaves; one in euros, one in yen, one prospect."""
    await put_model(databases, a_model(MODEL))
    ids = {key: await put_account(databases, key, segment="rail") for key in ("a1", "a2", "a3", "a4", "a5")}
    ids |= {"new": await put_account(databases, "new"), "prospect": await put_account(databases, "prospect")}
    ids["euro"] = await put_account(databases, "euro", currency="EUR", segment="rail")
    ids["yen"] = await put_account(databases, "yen", currency="JPY")
    await put_contracts(
        databases,
        *(f"{key} c 2024-02-29 - 1200 year" for key in ("a1", "a2", "a3", "a4")),
        "a1 more 2026-01-15 - 30 month",
        "a2 less 2025-11-07 - -33.3333 month",
        "a3 p 2025-03-01 2026-03-01 100 month tessera",
        "a5 c 2024-07-31 2026-01-31 777.77 month",
        "new c 2026-02-11 2027-02-11 5000 year",
        "euro c 2024-01-31 - 999.99 month",
        "yen c 2024-01-31 - 100000 month",
    )
    await put_costs(
        databases,
        "new acquisition 2026-02 1500",
        "prospect acquisition 2025-12 250",
        "euro service 2025-07 77.77",
        "a1 implementation 2025-06 80",
        "a1 internal 2025-06 20.55",
        "- service 2025-08 1000",
        "- acquisition 2026-05 333.33",
        "- service 2024-01 99999",
    )
    await put_rates(databases, "EUR 2024-01-01 1.1", "EUR 2025-08-17 1.2345", "GBP 2020-01-01 1.3")
    await put_value(databases, ids["a1"], date(2025, 7, 4), "4000", closed=True)
    await put_value(databases, ids["a1"], date(2025, 7, 5), "500", closed=True, shown=date(2026, 8, 1))
    await put_value(databases, ids["a1"], date(2025, 7, 6), "1999.9999", driver="calls", benefit_class="cashable")
    await put_value(databases, ids["a1"], date(2026, 3, 1), "100", driver="calls", benefit_class="cashable")
    await put_value(databases, ids["a2"], date(2026, 3, 1), "7", counted=False)
    await put_value(databases, ids["a2"], date(2026, 3, 2), "7777", driver="brand", benefit_class="strategic")
    await put_value(databases, ids["a4"], date(2026, 3, 2), "-12.5")
    await put_value(databases, ids["euro"], date(2025, 8, 16), "100.0001", unit="EUR")
    await put_value(
        databases, ids["euro"], date(2025, 8, 17), "100.0001", driver="calls", unit="EUR", provider="tessera"
    )
    await put_value(databases, ids["prospect"], date(2025, 8, 17), "60")
    return ids
