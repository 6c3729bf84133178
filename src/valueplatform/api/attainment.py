"""Attainment: realized beside committed for the same months, as it was known at each month's end."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Final

import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter

from valueplatform.api.calling import AccountKey, Caller, OpenGate, open_account, partner_of
from valueplatform.api.documentation import READS, answers
from valueplatform.core.authorization import Action, scope_of
from valueplatform.core.numbers import decimal_text
from valueplatform.value.answer import Amount
from valueplatform.value.attainment import Asked, Line, read_attainment


class LineOut(msgspec.Struct, frozen=True):
    """Both sides of one ratio, in one unit and benefit class. `realized` is what value rule 10 counts. Where
    `attainment` is null it is not defined, and `reason` says why. `name` is a driver, a benefit class or the id of an
    objective."""

    scope: str
    name: str
    title: str
    unit: str
    benefit_class: str | None
    realized: Amount | None
    committed_low: Amount | None
    committed_expected: Amount | None
    committed_high: Amount | None
    attainment: Amount | None
    reason: str | None


class PointOut(msgspec.Struct, frozen=True):
    """As known at the end of `as_of`, over the months that were `closed` by then. `open` months are in neither side."""

    as_of: date
    closed: Sequence[date]
    open: Sequence[date]
    lines: Sequence[LineOut]


class AttainmentOut(msgspec.Struct, frozen=True, kw_only=True):
    """`to` is the day after the last. `to_date` is as it stands now, with what open months have so far; null with
    `as_of`."""

    account: str
    currency: str
    start: date = msgspec.field(name="from")
    end: date = msgspec.field(name="to")
    as_of: date | None
    state: str = "counted"
    points: Sequence[PointOut]
    to_date: Sequence[LineOut] | None


_LINE: Final = {
    "scope": "driver",
    "name": "dispatch_time",
    "title": "Dispatch time saved",
    "unit": "USD",
    "benefit_class": "capacity",
    "realized": "10342.5000",
    "committed_low": "8000.0000",
    "committed_expected": "10000.0000",
    "committed_high": "12000.0000",
    "attainment": "1.034250",
    "reason": None,
}
_EXAMPLE: Final = {
    "account": "harbor-logistics",
    "currency": "USD",
    "from": "2026-05-01",
    "to": "2026-06-16",
    "as_of": None,
    "state": "counted",
    "points": [{"as_of": "2026-06-30", "closed": ["2026-05-01"], "open": ["2026-06-01"], "lines": [_LINE]}],
    "to_date": [_LINE],
}


class AttainmentController(Controller):
    path = "/api/v1/accounts/{key:str}/attainment"
    tags = ("Plans",)

    @get(
        summary="Attainment at every month's end, as it was known then",
        responses=answers(AttainmentOut, _EXAMPLE, *READS),
    )
    async def read(
        self,
        caller: Caller,
        gate: OpenGate,
        key: AccountKey,
        start: Annotated[
            date | None, QueryParameter(name="from", description="First day; without it, of the first month with any.")
        ] = None,
        end: Annotated[
            date | None, QueryParameter(name="to", description="Day after the last; without it, tomorrow.")
        ] = None,
        as_of: Annotated[
            date | None, QueryParameter(description="Points up to this day alone, without what stands now.")
        ] = None,
        objective: Annotated[int | None, QueryParameter(description="Of this objective and its drivers alone.")] = None,
    ) -> AttainmentOut:
        """Realized ÷ committed over the months that were closed by then: in total, by benefit class, objective and
        driver. What is posted and planned is never changed, so a point reads the same whenever it is asked for. A
        partner is told of its own drivers."""
        asked = Asked(start, end, as_of, objective, partner_of(caller))
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            account = await open_account(tx, caller, key, Action.READ_VALUE, Action.READ_PLAN)
            found = await read_attainment(tx, account, asked, gate.clock())
        return AttainmentOut(
            account=account.key,
            currency=account.currency,
            start=found.period.start,
            end=found.period.end,
            as_of=as_of,
            points=[
                PointOut(one.as_of, one.closed, one.open, [line_out(line) for line in one.lines])
                for one in found.points
            ],
            to_date=None if found.to_date is None else [line_out(line) for line in found.to_date],
        )


def line_out(line: Line) -> LineOut:
    return LineOut(
        scope=line.scope,
        name=line.name,
        title=line.title,
        unit=line.unit,
        benefit_class=line.benefit_class or None,
        realized=_text(line.realized),
        committed_low=_text(line.committed_low),
        committed_expected=_text(line.committed_expected),
        committed_high=_text(line.committed_high),
        attainment=_text(line.attainment),
        reason=line.reason,
    )


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else decimal_text(amount)
