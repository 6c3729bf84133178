"""Loading the sample's objectives: who answers for each, as the steward noted it."""

from itertools import groupby

from valueplatform.accounts.accounts import account_by_key
from valueplatform.core.authorization import Side, operator_scope
from valueplatform.core.clock import Clock
from valueplatform.core.database import Database
from valueplatform.sample import SampleSupplier
from valueplatform.sample.aims import Aim as Said
from valueplatform.value.assumption_record import Author
from valueplatform.value.objectives import Aim, objectives_of, put_objective


async def load_aims(database: Database, supplier: SampleSupplier, clock: Clock) -> None:
    """What is said of each objective of the plans. One of which anything was said already is left as it is."""
    for key, said in groupby(supplier.aims, key=lambda one: one.account):
        async with database.transaction(operator_scope()) as tx:
            account = await account_by_key(tx, key)
            untold = {one.title: one for one in await objectives_of(tx, account.account_id) if not one.version}
            for one in said:
                if one.objective in untold:
                    author = Author(one.author_email, Side.SUPPLIER)
                    objective_id = untold[one.objective].objective_id
                    await put_objective(tx, account.account_id, objective_id, _aim(one), author, clock())


def _aim(one: Said) -> Aim:
    return Aim(
        owner=one.owner or None,
        customer_sponsor=one.customer_sponsor or None,
        supplier_sponsor=one.supplier_sponsor or None,
        tactics=one.tactics,
        due=one.due,
    )
