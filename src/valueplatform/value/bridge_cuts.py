"""A value bridge put together by one thing at a time: provider, benefit class, or a dimension of the meters.

A dimension divides what adds; drivers that it cannot divide, and those that have left the model, are left out and
stand beside it as what is not divided.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from valueplatform.accounts.accounts import Account
from valueplatform.core.database import Transaction
from valueplatform.core.errors import UnprocessableError
from valueplatform.value.bridge_answer import money_lines
from valueplatform.value.bridge_cells import Line
from valueplatform.value.bridge_read import BridgeQuestion, BridgeRead, read_bridge
from valueplatform.value.cuts import dimensions_of
from valueplatform.value.model import ValueModel
from valueplatform.value.models import newest_model

DRIVER: Final = "driver"
WHOLE: Final = ("provider", "benefit_class")
"""What every driver has one of, so that all value is cut by it."""


@dataclass(frozen=True, slots=True)
class CutRead:
    """`lines` are those that are divided: monetized value in the account's currency. `left_out` are the drivers that
    cannot be cut so."""

    by: str
    read: BridgeRead
    lines: Sequence[Line]
    left_out: Sequence[str]

    def member(self, line: Line) -> str | None:
        """Whose part the line is; None: events that carry no value of the dimension, and adjustments."""
        return member_of(line, self.by)

    def members(self) -> list[str | None]:
        return list(dict.fromkeys(self.member(line) for line in self.lines))

    def of(self, member: str | None) -> list[Line]:
        return [line for line in self.lines if self.member(line) == member]


def member_of(line: Line, by: str) -> str | None:
    if by == "provider":
        return line.provider
    return line.benefit_class if by == "benefit_class" else line.member[0]


def cuts_of(model: ValueModel) -> list[str]:
    """Everything that value of this model may be cut by."""
    named = {path for driver in model.drivers for path in dimensions_of(driver, model)}
    return [DRIVER, *WHOLE, *sorted(named)]


async def read_cut(tx: Transaction, account: Account, question: BridgeQuestion, by: str) -> CutRead:
    """The question's bridge cut by `by`. Raises NoModelError, UnprocessableError for what nothing can be cut by."""
    model = await newest_model(tx)
    known = [cut for cut in cuts_of(model) if cut != DRIVER]
    if by not in known:
        raise UnprocessableError(f"Value is not cut by {by!r} here; use {', '.join([DRIVER, *known])}.")
    drivers = [one.slug for one in model.drivers if by in WHOLE or by in dimensions_of(one, model)]
    cut = (DRIVER,) if by == "benefit_class" else (DRIVER, by)
    asked = msgspec.structs.replace(question, by=cut, drivers=tuple(drivers))
    read = await read_bridge(tx, account, asked)
    return CutRead(by, read, money_lines(read), [one.slug for one in model.drivers if one.slug not in drivers])
