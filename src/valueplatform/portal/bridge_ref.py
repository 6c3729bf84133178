"""The address of a number of a value bridge: it says itself which, so nothing is kept for it."""

import base64
import binascii
from datetime import date
from typing import Final, Self

import msgspec

from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import Period
from valueplatform.value.bridge_read import BridgeQuestion
from valueplatform.value.values import FIRST_DAY, LAST_DAY

BRIDGE: Final = "brg_"
ENDS: Final = ("before", "after", "change")


class BridgeRef(msgspec.Struct, frozen=True, array_like=True):
    """`driver` None: all of the account's monetized value. Numbers are `ENDS`, kinds of parts, or `assumption:SLUG`.
    `counted`: only of what counts."""

    account: str
    before_from: date
    before_to: date
    after_from: date
    after_to: date
    unit: str
    driver: str | None = None
    counted: bool = False

    @classmethod
    def of(cls, account: str, question: BridgeQuestion, unit: str, driver: str | None = None) -> Self:
        before, after = question.before, question.after
        return cls(account, before.start, before.end, after.start, after.end, unit, driver, question.counted)

    @property
    def before(self) -> Period:
        return Period(self.before_from, self.before_to)

    @property
    def after(self) -> Period:
        return Period(self.after_from, self.after_to)

    def text(self) -> str:
        return BRIDGE + base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


def bridge_ref(text: str) -> BridgeRef:
    """Raises NotFoundError for what is no address of ours."""
    packed = text.removeprefix(BRIDGE)
    try:
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        found = msgspec.json.decode(raw, type=BridgeRef)
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError) as error:
        raise NotFoundError("There is no such number.") from error
    days = (found.before_from, found.before_to, found.after_from, found.after_to)
    unreadable = any("\0" in part for part in (found.account, found.unit, found.driver or ""))
    if unreadable or not all(FIRST_DAY <= day <= LAST_DAY for day in days) or days[0] >= days[1] or days[2] >= days[3]:
        raise NotFoundError("There is no such number.")
    return found
