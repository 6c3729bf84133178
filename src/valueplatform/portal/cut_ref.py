"""The address of a number of a bridge that is cut by something: it says itself which, so nothing is kept for it."""

import base64
import binascii
from datetime import date
from typing import Final, Self

import msgspec

from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import Period
from valueplatform.value.bridge_read import BridgeQuestion
from valueplatform.value.values import FIRST_DAY, LAST_DAY

CUT: Final = "cut_"


class CutRef(msgspec.Struct, frozen=True, array_like=True):
    """One member's part: `by` team, `member` North. Numbers are `before`, `after`, `change`, or kinds of parts."""

    account: str
    before_from: date
    before_to: date
    after_from: date
    after_to: date
    by: str
    member: str | None
    counted: bool = False

    @classmethod
    def of(cls, account: str, question: BridgeQuestion, by: str, member: str | None) -> Self:
        before, after = question.before, question.after
        return cls(account, before.start, before.end, after.start, after.end, by, member, question.counted)

    @property
    def question(self) -> BridgeQuestion:
        before, after = Period(self.before_from, self.before_to), Period(self.after_from, self.after_to)
        return BridgeQuestion(before, after, counted=self.counted)

    def text(self) -> str:
        return CUT + base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


def cut_ref(text: str) -> CutRef:
    """Raises NotFoundError for what is no address of ours."""
    packed = text.removeprefix(CUT)
    try:
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        found = msgspec.json.decode(raw, type=CutRef)
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError) as error:
        raise NotFoundError("There is no such number.") from error
    days = (found.before_from, found.before_to, found.after_from, found.after_to)
    unreadable = any("\0" in part for part in (found.account, found.by, found.member or ""))
    if unreadable or not all(FIRST_DAY <= day <= LAST_DAY for day in days) or days[0] >= days[1] or days[2] >= days[3]:
        raise NotFoundError("There is no such number.")
    return found
