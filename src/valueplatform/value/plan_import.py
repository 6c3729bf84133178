"""Importing value plans."""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import ClassVar, Final

from valueplatform.accounts.fields import Fields, InvalidValueError, MissingValueError
from valueplatform.accounts.imports import Stored, Surroundings
from valueplatform.core.database import Transaction
from valueplatform.core.numbers import AMOUNT_PLACES
from valueplatform.value.plans import PlanRow, take_targets
from valueplatform.value.ranges import Range

_LAST_PLACE: Final = Decimal(1).scaleb(-AMOUNT_PLACES)


class PlanImport:
    """`drivers` are the slugs of the model in force, None where there is none yet.

    Without `low` or `high` the target has no range on that side; without all three the target is taken out again. Rows
    that would change a plan that both sides signed are rejected.
    """

    name: ClassVar[str] = "plans"
    account_column: ClassVar[str] = "account"
    required: ClassVar[Sequence[str]] = ("account", "id", "objective", "driver", "month", "expected")
    optional: ClassVar[Sequence[str]] = ("low", "high", "source")
    takes_rest: ClassVar[bool] = False

    def __init__(self, drivers: frozenset[str] | None) -> None:
        self._drivers = drivers

    def read(self, fields: Fields, around: Surroundings, /) -> PlanRow:
        return PlanRow(
            account_id=around.account(fields).account_id,
            plan_id=fields.text("id"),
            objective=fields.text("objective"),
            driver=self._driver(fields),
            month=fields.month("month"),
            value=_range(fields),
            source=fields.optional("source") or "import",
        )

    def identity(self, value: PlanRow, /) -> tuple[object, ...]:
        return value.identity

    async def store(self, tx: Transaction, values: Sequence[PlanRow], now: datetime, /) -> Stored:
        return await take_targets(tx, values, now)

    def _driver(self, fields: Fields) -> str:
        slug = fields.text("driver")
        if self._drivers is not None and slug not in self._drivers:
            known = ", ".join(sorted(self._drivers))
            raise InvalidValueError(f"Column driver is {slug!r}, which the model does not have; use one of {known}.")
        return slug


def _range(fields: Fields) -> Range | None:
    low, expected, high = (_amount(fields, column) for column in ("low", "expected", "high"))
    if expected is None:
        if low is None and high is None:
            return None
        raise MissingValueError("Column expected is empty; leave all three empty to take a target out.")
    value = Range(expected if low is None else low, expected, expected if high is None else high)
    if not value.low <= value.expected <= value.high:
        raise InvalidValueError(
            f"The range {value.low}, {value.expected}, {value.high} must not fall from low to high."
        )
    return value


def _amount(fields: Fields, column: str) -> Decimal | None:
    """Rounded to the places that amounts are kept with."""
    amount = fields.optional_amount(column)
    if amount is None:
        return None
    with localcontext(prec=60):
        return amount.quantize(_LAST_PLACE, ROUND_HALF_EVEN)
