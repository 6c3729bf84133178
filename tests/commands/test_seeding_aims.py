"""What the sample says of objectives goes in once, and never over what somebody said since."""

from datetime import UTC, date, datetime

from tests.conftest import Databases
from valueplatform.accounts.accounts import account_by_key
from valueplatform.commands.importing import import_rows
from valueplatform.commands.seeding_aims import load_aims
from valueplatform.core.authorization import Side, operator_scope
from valueplatform.sample import SampleSupplier, generate
from valueplatform.value.applying import apply_model
from valueplatform.value.assumption_record import Author
from valueplatform.value.model_file import read_model
from valueplatform.value.objectives import Aim, Gap, Objective, objectives_of, put_objective

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def now() -> datetime:
    return NOW


async def planned(databases: Databases) -> SampleSupplier:
    supplier = generate(accounts=2, days=120, today=NOW.date())
    async with databases.worker.transaction(operator_scope()) as tx:
        await apply_model(tx, read_model(supplier.model_toml(), "fieldnote.toml"))
    for kind in ("accounts", "people", "plans"):
        await import_rows(databases.worker, kind, getattr(supplier, kind), now)
    return supplier


async def held(databases: Databases, key: str = "harbor-logistics") -> list[Objective]:
    async with databases.worker.transaction(operator_scope()) as tx:
        return await objectives_of(tx, (await account_by_key(tx, key)).account_id)


async def test_every_objective_is_answered_for_but_the_two_that_show_a_gap(databases: Databases) -> None:
    await load_aims(databases.worker, await planned(databases), now)
    gaps = [
        gap
        for key in ("harbor-logistics", "northline-elevators")
        for one in await held(databases, key)
        for gap in one.gaps(["any"], date(2026, 11, 22))
    ]
    assert sorted(gaps) == [Gap.NO_OWNER, Gap.NO_SUPPLIER_SPONSOR]


async def test_what_was_said_since_stays_when_loading_is_taken_up_again(databases: Databases) -> None:
    supplier = await planned(databases)
    await load_aims(databases.worker, supplier, now)
    first, *_ = await held(databases)
    async with databases.worker.transaction(operator_scope()) as tx:
        account_id = (await account_by_key(tx, "harbor-logistics")).account_id
        author = Author("daniel.reyes@harbor-logistics.example", Side.CUSTOMER)
        await put_objective(tx, account_id, first.objective_id, Aim(owner="Ana Brandt"), author, NOW)
    await load_aims(databases.worker, supplier, now)
    again, *others = await held(databases)
    assert (again.aim.owner, again.version) == ("Ana Brandt", 2)
    assert {one.version for one in others} == {1}
