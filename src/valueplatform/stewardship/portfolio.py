"""The portfolio: every account in scope by value at stake, filtered, searched, in pages; and its headline in numbers.

There are no exchange rates, so amounts in different currencies are neither compared nor added: what cannot wait comes
first, then the supplier's own currency, then the others by their code, each by value at stake (docs/decisions/0004).
One query reads a page in the order of an index, and names only the accounts of that page; a second one counts.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from sqlalchemy import ColumnElement, FromClause, Row, Select, and_, false, func, or_, select, tuple_

from valueplatform.accounts.tables import account
from valueplatform.core.database import Transaction
from valueplatform.core.pages import DEFAULT_LIMIT, Page, checked_limit
from valueplatform.narrative.document import SeriesPoint, Span, Status
from valueplatform.stewardship.cursors import Position, cursor_of, position_in
from valueplatform.stewardship.renewal import SOON
from valueplatform.stewardship.signal import Act, SignalKind, Stake, Urgency
from valueplatform.stewardship.signal_store import urgency_word
from valueplatform.stewardship.standing import AccountStanding, Shown, folded
from valueplatform.stewardship.tables import standing

LONGEST_SEARCH: Final = 200


class Filter(StrEnum):
    NEEDS_YOU = "needs-you"
    ALL = "all"
    RENEWING = "renewing"
    UNDER_REVIEW = "under-review"
    NO_DATA = "no-data"


class PortfolioRow(msgspec.Struct, frozen=True):
    """One item of `GET /api/v1/portfolio`. `at_stake` is in `unit`, the account's currency, and opens as `stake` says;
    `text` is `why` without its numbers marked. `urgency` is today, this-week or none; `signals` counts what calls."""

    account: str
    name: str
    stage: str | None
    segment: str | None
    urgency: str
    at_stake: Decimal
    unit: str
    stake: Stake | None
    kind: SignalKind | None
    signals: int
    text: str
    why: tuple[Span, ...]
    insight_id: str | None
    act: Act
    status: Status
    reason: str
    realized: Shown | None
    share: Shown | None
    series: tuple[SeriesPoint, ...]
    renews_on: date | None
    under_review: bool
    no_data: bool
    composed_at: datetime


class AtStake(msgspec.Struct, frozen=True):
    """What is at stake today in one currency, one amount an account."""

    unit: str
    accounts: int
    amount: Decimal


class PortfolioSummary(msgspec.Struct, frozen=True):
    """Counts over the scope: accounts in all, those that call today or this week, and what each filter would list.

    `at_stake` is of the accounts that call today, the supplier's currency first; amounts of several never add.
    """

    accounts: int
    today: int
    this_week: int
    renewing: int
    under_review: int
    no_data: int
    at_stake: tuple[AtStake, ...]

    def count(self, chosen: Filter) -> int:
        """How many accounts the filter lists."""
        return {
            Filter.NEEDS_YOU: self.today + self.this_week,
            Filter.ALL: self.accounts,
            Filter.RENEWING: self.renewing,
            Filter.UNDER_REVIEW: self.under_review,
            Filter.NO_DATA: self.no_data,
        }[chosen]


class _Place(Position, frozen=True, array_like=True):
    urgency: Annotated[int, msgspec.Meta(ge=0, le=9)]
    abroad: bool
    unit: Annotated[str, msgspec.Meta(pattern=r"\A[A-Z]{3}\Z")]
    at_stake: Annotated[str, msgspec.Meta(pattern=r"\A\d{1,34}(\.\d{1,4})?\Z")]
    find_text: Annotated[str, msgspec.Meta(pattern=r"\A[^\x00]*\Z")]
    account_id: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


_C: Final = standing.c


async def portfolio_page(
    tx: Transaction,
    today: date,
    *,
    chosen: Filter = Filter.ALL,
    search: str = "",
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[PortfolioRow]:
    """Accounts in scope that `chosen` lists, whose name or key holds `search`, in order.

    Renewals are counted from `today`. Raises InvalidInputError for a limit or cursor that cannot be.
    """
    limit = checked_limit(limit)
    after = position_in(cursor, _Place)
    rows = await tx.rows(_page(today, chosen, search, after, limit + 1))
    following = _place(rows[limit - 1]) if len(rows) > limit else None
    return Page([_portfolio_row(row) for row in rows[:limit]], cursor_of(following) if following else None)


async def portfolio_summary(tx: Transaction, today: date) -> PortfolioSummary:
    """The numbers of the headline and the filters, over all accounts in scope."""
    rows = await tx.rows(_counts(today))
    names = ("accounts", "today", "this_week", "renewing", "under_review", "no_data")
    counts = {name: sum(int(getattr(row, name)) for row in rows) for name in names}
    amounts = tuple(AtStake(row.unit, row.today, row.amount) for row in rows if row.today)
    return PortfolioSummary(**counts, at_stake=amounts)


def _page(today: date, chosen: Filter, search: str, after: _Place | None, rows: int) -> Select[Any]:
    """The rows in order first, as the index has them; then their accounts' names."""
    query = select(standing).where(_listed(chosen, today), _found(search)).order_by(*_in_order(standing)).limit(rows)
    found = (query if after is None else _beyond(query, after)).subquery()
    named = (account.c.key, account.c.name, account.c.stage, account.c.segment)
    joined = select(found, *named).join(account, account.c.account_id == found.c.account_id)
    return joined.order_by(*_in_order(found))


def _in_order(of: FromClause) -> Sequence[ColumnElement[Any]]:
    return of.c.urgency, of.c.abroad, of.c.unit, of.c.at_stake.desc(), of.c.find_text, of.c.account_id


def _counts(today: date) -> Select[Any]:
    calls_today = _C.urgency == int(Urgency.TODAY)
    return (
        select(
            _C.unit,
            _C.abroad,
            func.count().label("accounts"),
            func.count().filter(calls_today).label("today"),
            func.count().filter(_C.urgency == int(Urgency.THIS_WEEK)).label("this_week"),
            func.count().filter(_listed(Filter.RENEWING, today)).label("renewing"),
            func.count().filter(_C.under_review).label("under_review"),
            func.count().filter(_C.no_data).label("no_data"),
            func.coalesce(func.sum(_C.at_stake).filter(calls_today), 0).label("amount"),
        )
        .group_by(_C.abroad, _C.unit)
        .order_by(_C.abroad, _C.unit)
    )


def _listed(chosen: Filter, today: date) -> ColumnElement[bool]:
    match chosen:
        case Filter.NEEDS_YOU:
            return _C.urgency < int(Urgency.NONE)
        case Filter.RENEWING:
            return and_(_C.renews_on > today, _C.renews_on <= today + SOON)
        case Filter.UNDER_REVIEW:
            return _C.under_review
        case Filter.NO_DATA:
            return _C.no_data
        case Filter.ALL:
            return _C.urgency >= int(Urgency.TODAY)


def _found(search: str) -> ColumnElement[bool]:
    """Every word of the search stands in name or key, in any order."""
    words = folded(search).split()
    if any("\0" in word for word in words) or len(search) > LONGEST_SEARCH:
        return false()
    return and_(True, *(_C.find_text.contains(word, autoescape=True) for word in words))


def _beyond(query: Select[Any], after: _Place) -> Select[Any]:
    """The rows after a position. The first condition is what the index can start from under row security."""
    same = (_C.urgency == after.urgency, _C.abroad == after.abroad, _C.unit == after.unit)
    stake = Decimal(after.at_stake)
    return query.where(
        _C.urgency >= after.urgency,
        or_(
            tuple_(_C.urgency, _C.abroad, _C.unit) > tuple_(after.urgency, after.abroad, after.unit),
            and_(*same, _C.at_stake < stake),
            and_(
                *same,
                _C.at_stake == stake,
                tuple_(_C.find_text, _C.account_id) > tuple_(after.find_text, after.account_id),
            ),
        ),
    )


def _place(row: Row[Any]) -> _Place:
    return _Place(row.urgency, row.abroad, row.unit, format(row.at_stake, "f"), row.find_text, row.account_id)


def _portfolio_row(row: Row[Any]) -> PortfolioRow:
    stands = msgspec.convert(row.body, AccountStanding)
    return PortfolioRow(
        account=row.key,
        name=row.name,
        stage=row.stage,
        segment=row.segment,
        urgency=urgency_word(stands.urgency),
        at_stake=row.at_stake,
        unit=row.unit,
        stake=stands.stake,
        kind=stands.kind,
        signals=stands.signals,
        text="".join(span.text for span in stands.why),
        why=stands.why,
        insight_id=stands.insight_id,
        act=stands.act,
        status=stands.status,
        reason=stands.reason,
        realized=stands.realized,
        share=stands.share,
        series=stands.series,
        renews_on=row.renews_on,
        under_review=row.under_review,
        no_data=row.no_data,
        composed_at=row.composed_at,
    )
