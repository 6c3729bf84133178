"""What a partner may see of an account's value (value rule 19): its own rows, its own share, the combined total."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec

from valueplatform.core.numbers import round_half_even
from valueplatform.core.periods import Period
from valueplatform.value.model import SUPPLIER
from valueplatform.value.shown import ShownValue
from valueplatform.value.states import State
from valueplatform.value.values import ZERO, is_money


class Combined(msgspec.Struct, frozen=True):
    """All providers together, in the account's currency. `share` is the partner's part of `realized`, to 4 places;
    None where there is no positive total, or the partner's part is negative."""

    realized: Decimal
    counted: Decimal
    share: Decimal | None


def rows_of_partner(values: Iterable[ShownValue], provider: str) -> list[ShownValue]:
    """Its own rows. That a number is disputed is between customer and supplier: it shows as an estimate."""
    return [
        msgspec.structs.replace(value, state=State.ESTIMATED) if value.state is State.UNDER_REVIEW else value
        for value in values
        if value.provider == provider
    ]


def combined(values: Iterable[ShownValue], provider: str, period: Period, currency: str) -> Combined | None:
    """The combined total; None where one has no part in it, or where taking that part from it would tell what one other
    partner brought.

    The supplier's part may follow from it: who sells together with the supplier alone shares one total with it.
    Another partner's part may not. It would follow wherever that partner is the only other provider, be it on a single
    day, since the totals of two periods that differ by that day can be subtracted too. So every day of the period must
    be safe, in what is realized and in what counts: on it the others are nobody, the supplier, or more than one.
    """
    money = [v for v in values if v.day in period and v.unit == currency and is_money(v.unit, v.benefit_class)]
    if not any(v.provider == provider and v.expected for v in money):
        return None
    if _tells_one_partner(money, provider) or _tells_one_partner([v for v in money if v.counted], provider):
        return None
    realized = sum((v.expected for v in money), ZERO)
    own = sum((v.expected for v in money if v.provider == provider), ZERO)
    return Combined(realized, sum((v.expected for v in money if v.counted), ZERO), _share(own, realized))


def _tells_one_partner(values: Sequence[ShownValue], provider: str) -> bool:
    others: defaultdict[date, set[str]] = defaultdict(set)
    for value in values:
        if value.provider != provider and value.expected:
            others[value.day].add(value.provider)
    return any(len(found) == 1 and SUPPLIER not in found for found in others.values())


def _share(own: Decimal, realized: Decimal) -> Decimal | None:
    if realized <= 0 or own < 0:
        return None
    share = Fraction(own) / Fraction(realized)
    return round_half_even(share.numerator, share.denominator)
