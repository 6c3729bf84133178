"""The addresses of amounts on the pages of partners: each says itself which amount it is, so nothing is kept for it."""

import base64
import binascii
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, Self, TypeVar

import msgspec

from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import Period
from valueplatform.portal.exact import cents_text
from valueplatform.portal.sentences import proof_path
from valueplatform.portal.view.words import NumberState, NumberView
from valueplatform.value.values import FIRST_DAY, LAST_DAY

PARTY: Final = "pty_"
REPORT: Final = "rep_"


class Whose(StrEnum):
    """`offering`: of the joint drivers that a partner shares in, whole, while it does."""

    PARTY = "party"
    ALL = "all"
    OFFERING = "offering"


class PartyRef(msgspec.Struct, frozen=True, array_like=True):
    """What a party brought in [start, end) in a unit, by one driver or (None) by all that are money. Numbers are
    `realized` and `counted`."""

    account: str
    start: date
    end: date
    unit: str
    whose: Whose
    party: str = ""
    driver: str | None = None

    @property
    def period(self) -> Period:
        return Period(self.start, self.end)

    @property
    def text(self) -> str:
        return PARTY + _packed(self)

    def of(self, *, whose: Whose = Whose.PARTY, party: str = "", driver: str | None = None) -> Self:
        return msgspec.structs.replace(self, whose=whose, party=party, driver=driver)

    def number(self, name: str, amount: Decimal, *, counts: bool = True) -> NumberView:
        """The amount as pages show it; `counts`: nothing is in it that does not count."""
        return shown(self.text, name, amount, self.unit, "validated" if counts else "estimated")


class ReportRef(msgspec.Struct, frozen=True, array_like=True):
    """A contribution. Numbers are `reported`, `measured` (its driver in that month) and `claimed` (what was before)."""

    account: str
    contribution_id: int

    @property
    def text(self) -> str:
        return REPORT + _packed(self)


Ref = TypeVar("Ref", PartyRef, ReportRef)


def shown(ref: str, name: str, amount: Decimal, unit: str, state: NumberState = "validated") -> NumberView:
    return NumberView(name, cents_text(amount, unit), format(amount, "f"), unit, state, proof_path(ref, name))


def party_ref(text: str) -> PartyRef:
    """Raises NotFoundError for what is no address of ours."""
    found = _unpacked(text.removeprefix(PARTY), PartyRef)
    said = (found.account, found.unit, found.party, found.driver or "")
    if any("\0" in part for part in said) or not FIRST_DAY <= found.start < found.end <= LAST_DAY:
        raise NotFoundError("There is no such number.")
    return found


def report_ref(text: str) -> ReportRef:
    """Raises NotFoundError for what is no address of ours."""
    found = _unpacked(text.removeprefix(REPORT), ReportRef)
    if "\0" in found.account or not 0 < found.contribution_id < 2**63:
        raise NotFoundError("There is no such number.")
    return found


def _packed(ref: msgspec.Struct) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(ref)).decode().rstrip("=")


def _unpacked(packed: str, shape: type[Ref]) -> Ref:
    try:
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        return msgspec.json.decode(raw, type=shape)
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError) as error:
        raise NotFoundError("There is no such number.") from error
