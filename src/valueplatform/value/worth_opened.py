"""What the worth of one event type is made from: accounts, drivers, months, cohorts. Everything that a number needs to
be computed again."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.core.pages import Page, checked_limit, page_of, text_position
from valueplatform.value.type_worth import NotEstimated, Worth, WorthBook
from valueplatform.value.worth import Cohort

REALIZED: Final = "realized"
_Place = Annotated[int, msgspec.Meta(ge=0, le=1)]
_ROWS: Final = text("""
    SELECT * FROM (
        SELECT a.key AS account, a.name, r.driver, r.unit, 0 AS place, 'realized' AS part, r.benefit_class,
               NULL::text AS basis, NULL::text AS segment, NULL::numeric AS size, r.low, r.expected, r.high, r.by_month,
               ARRAY[]::text[] AS needs
        FROM catalog_realized r JOIN account a ON a.account_id = r.account_id
        WHERE r.run = :run AND r.driver = ANY(CAST(:drivers AS text[]))
        UNION ALL
        SELECT a.key, a.name, p.driver, p.unit, 1, p.reach, p.benefit_class, p.basis, p.segment, p.size, p.low,
               p.expected, p.high, NULL, p.needs
        FROM catalog_potential p JOIN account a ON a.account_id = p.account_id
        WHERE p.run = :run AND p.type = :type AND p.path = :path
    ) parts
    WHERE CAST(:account AS text) IS NULL
       OR (account, driver, unit, place) > (:account, :driver, :unit, CAST(:place AS integer))
    ORDER BY account, driver, unit, place LIMIT :limit
""")
_MONTHS: Final = text("""
    SELECT r.driver, r.unit, r.benefit_class, month.place, sum(month.expected) AS expected,
           count(month.expected) AS accounts
    FROM catalog_realized r, unnest(r.by_month) WITH ORDINALITY AS month (expected, place)
    WHERE r.run = :run AND r.driver = ANY(CAST(:drivers AS text[]))
    GROUP BY r.driver, r.unit, r.benefit_class, month.place
    ORDER BY r.driver, r.unit, r.benefit_class, month.place
""")


class MonthAmount(msgspec.Struct, frozen=True):
    """What a driver was worth in one month, over `accounts`; null where nobody had an amount."""

    month: date
    expected: Decimal | None
    accounts: int


class OpenedDriver(msgspec.Struct, frozen=True):
    """A driver that the type feeds, or is compared by. `months` by unit; `cohorts` are what estimates go by."""

    driver: str
    title: str
    formula: str
    months: Sequence["UnitMonths"]
    cohorts: Sequence[Cohort]
    not_estimated: NotEstimated | None


class UnitMonths(msgspec.Struct, frozen=True):
    unit: str
    benefit_class: str
    months: Sequence[MonthAmount]


class AccountAmount(msgspec.Struct, frozen=True):
    """One account's part. `part` realized: the sum of all months, with each in `by_month`; more and within: an estimate
    of one month, the rate of the cohort times `size` over the number of months, or, without a size, the rate itself."""

    account: str
    name: str
    driver: str
    unit: str
    part: str
    benefit_class: str
    basis: str | None
    segment: str | None
    size: Decimal | None
    low: Decimal
    expected: Decimal
    high: Decimal
    by_month: Sequence[Decimal | None] | None
    needs: Sequence[str]


class OpenedWorth(msgspec.Struct, frozen=True):
    """`accounts` comes in pages, by the account's key."""

    type: str
    property: str
    as_of: datetime
    worth: Worth
    like: str | None
    likeness: Decimal | None
    drivers: Sequence[OpenedDriver]
    accounts: Page[AccountAmount]


async def opened_worth(
    tx: Transaction, book: WorthBook | None, place: tuple[str, str], limit: int, cursor: str | None
) -> OpenedWorth:
    """What a type, or a property of it (`place`), is worth, opened, over the accounts in scope.

    Raises NotFoundError where nothing was estimated of it, InvalidInputError.
    """
    kind, path = place
    if book is None or not (book.verdicts(kind, path) or (kind, path) in book.paths.fed):
        what = f"property {path!r} of {kind!r}" if path else f"event type {kind!r}"
        raise NotFoundError(f"Nothing was estimated of {what}; GET /api/v1/catalog says why.")
    drivers = sorted({*book.paths.fed.get(place, ()), *(one.driver for one in book.verdicts(kind, path) if one.driver)})
    worth = book.of(kind, path)
    like = next((one for one in book.verdicts(kind, path) if one.like), None)
    months = await _months(tx, book, drivers)
    return OpenedWorth(
        type=kind,
        property=path,
        as_of=worth.as_of,
        worth=worth,
        like=like.like if like else None,
        likeness=like.likeness if like else None,
        drivers=[
            OpenedDriver(
                driver=slug,
                title=book.paths.drivers[slug].label,
                formula=book.paths.drivers[slug].formula,
                months=months.get(slug, ()),
                cohorts=book.cohorts(kind, slug, path),
                not_estimated=next((one for one in worth.not_estimated if one.driver == slug), None),
            )
            for slug in drivers
            if slug in book.paths.drivers
        ],
        accounts=await _accounts(tx, book, place, drivers, checked_limit(limit), cursor),
    )


async def _months(tx: Transaction, book: WorthBook, drivers: Sequence[str]) -> dict[str, list[UnitMonths]]:
    months = book.stored.estimates.months
    cells: defaultdict[tuple[str, str, str], dict[int, MonthAmount]] = defaultdict(dict)
    for row in await tx.rows(_MONTHS, {"run": book.stored.run, "drivers": list(drivers)}):
        at = row.place - 1
        amount = MonthAmount(months[at], row.expected, row.accounts)
        cells[row.driver, row.unit, row.benefit_class][at] = amount
    found: dict[str, list[UnitMonths]] = {}
    for (driver, unit, benefit_class), cell in cells.items():
        found.setdefault(driver, []).append(UnitMonths(unit, benefit_class, [cell[at] for at in sorted(cell)]))
    return found


async def _accounts(
    tx: Transaction, book: WorthBook, place: tuple[str, str], drivers: Sequence[str], limit: int, cursor: str | None
) -> Page[AccountAmount]:
    names = ("account", "driver", "unit", "place")
    after = dict(zip(names, _position(cursor), strict=True))
    asked = {"run": book.stored.run, "drivers": list(drivers), "type": place[0], "path": place[1]}
    found = await tx.rows(_ROWS, {**asked, **after, "limit": limit + 1})
    rows = [AccountAmount(**{name: getattr(row, name) for name in AccountAmount.__struct_fields__}) for row in found]
    return page_of(rows, limit, _place_of)


def _place_of(one: AccountAmount) -> str:
    place = 0 if one.part == REALIZED else 1
    return msgspec.json.encode([one.account, one.driver, one.unit, place]).decode()


def _position(cursor: str | None) -> tuple[str | None, str | None, str | None, int | None]:
    """Raises InvalidInputError."""
    position = text_position(cursor)
    if position is None:
        return None, None, None, None
    try:
        return msgspec.json.decode(position, type=tuple[str, str, str, _Place])
    except msgspec.DecodeError as error:
        raise InvalidInputError(f"`cursor` {cursor!r} is not one that this list gave.") from error
