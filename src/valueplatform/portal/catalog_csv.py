"""The catalog as a file: one row a type and amount, one for a type without. Nothing is taken for a formula."""

import csv
import io
from collections.abc import Iterator
from typing import Final

from valueplatform.core.database import Transaction
from valueplatform.core.pages import LARGEST_LIMIT
from valueplatform.narrative.report import inert
from valueplatform.value.catalog import CatalogEntry, Order, Question, catalog_page
from valueplatform.value.model import ValueModel
from valueplatform.value.type_worth import PotentialAmount, RealizedAmount, WorthBook

COLUMNS: Final = (
    "type", "mapped", "events", "accounts", "first_seen", "last_seen", "owner", "part", "driver", "unit",
    "benefit_class", "amount_accounts", "low_a_month", "expected_a_month", "high_a_month", "basis", "not_estimated",
)  # fmt: skip
_OF_AMOUNT: Final = len(COLUMNS) - COLUMNS.index("part")
MOST: Final = 20
"""Pages of types; a file of more is no list that people read."""


async def catalog_csv(tx: Transaction, model: ValueModel | None, book: WorthBook | None) -> bytes:
    """By potential value, the first 10,000 types."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    cursor = None
    for _ in range(MOST):
        page = await catalog_page(tx, model, book, Question(order=Order.VALUE, limit=LARGEST_LIMIT, cursor=cursor))
        for entry in page.items:
            writer.writerows(_rows(entry))
        cursor = page.next_cursor
        if cursor is None:
            break
    return written.getvalue().encode()


def _rows(entry: CatalogEntry) -> Iterator[list[str]]:
    seen = [one.isoformat() if one else "" for one in (entry.first_seen, entry.last_seen)]
    owner = entry.owner.name if entry.owner else ""
    head = [inert(entry.type), str(entry.mapped).lower(), str(entry.events), str(entry.accounts), *seen, inert(owner)]
    worth = entry.worth
    if worth is None or not (worth.realized or worth.potential or worth.not_estimated):
        yield [*head, *[""] * _OF_AMOUNT]
        return
    for realized in worth.realized:
        yield [*head, "realized", *_amount(realized), "", ""]
    for more in worth.potential:
        yield [*head, more.reach.value, *_amount(more), more.basis.value, ""]
    for left in worth.not_estimated:
        yield [*head, "", left.driver, *[""] * (_OF_AMOUNT - 3), left.reason.value]


def _amount(one: RealizedAmount | PotentialAmount) -> list[str]:
    bounds = [str(one.low), str(one.expected), str(one.high)]
    return [one.driver, inert(one.unit), one.benefit_class, str(one.accounts), *bounds]
