"""What a partner may see of an account's value (value rule 19): its own rows, its own share, the combined total."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec

from valueplatform.core.numbers import round_half_even
from valueplatform.core.periods import Period
from valueplatform.value.derivation import Bound
from valueplatform.value.model import JOINT, SUPPLIER
from valueplatform.value.plans import committed
from valueplatform.value.shown import ShownValue
from valueplatform.value.splits import Part
from valueplatform.value.states import State
from valueplatform.value.values import ZERO, Pledge, is_money


class Combined(msgspec.Struct, frozen=True):
    """All providers together, in the account's currency. `share` is the partner's part of `realized`, to 4 places;
    None where there is no positive total, or the partner's part is negative."""

    realized: Decimal
    counted: Decimal
    share: Decimal | None


class Offering(msgspec.Struct, frozen=True):
    """Joint drivers in which the partner has an agreed share, whole, on the days on which it has it. `attainment` is
    counted by committed value, to 4 places; None where nothing positive was committed (value rule 15)."""

    drivers: tuple[str, ...]
    realized: Decimal
    counted: Decimal
    committed: Decimal
    attainment: Decimal | None


def rows_of_partner(values: Iterable[ShownValue], provider: str) -> list[ShownValue]:
    """Its own rows. That a number is disputed is between customer and supplier: it shows as an estimate."""
    return [
        msgspec.structs.replace(value, state=State.ESTIMATED) if value.state is State.UNDER_REVIEW else value
        for value in values
        if value.provider == provider
    ]


def combined(
    values: Iterable[ShownValue],
    provider: str,
    period: Period,
    currency: str,
    hiding: Iterable[ShownValue] | None = None,
) -> Combined | None:
    """The combined total; None where one has no part in it, or where taking that part from it would tell what one other
    partner brought.

    The supplier's part may follow from it: who sells together with the supplier alone shares one total with it.
    Another partner's part may not. It would follow wherever that partner is the only other provider, be it on a single
    day, since the totals of two periods that differ by that day can be subtracted too. So every day of the period must
    be safe, in what is realized and in what counts: on it the others are nobody, the supplier, what is joint, or more
    than one.

    `hiding` leaves out of the values what the partner can reckon itself: from its part of a joint driver and its share
    follows the whole driver, so neither the supplier's part nor what stays joint of that hides anybody.
    """
    money = _money(values, period, currency)
    if not any(v.provider == provider and v.expected for v in money):
        return None
    unknown = money if hiding is None else _money(hiding, period, currency)
    if _tells_one_partner(unknown, provider) or _tells_one_partner([v for v in unknown if v.counted], provider):
        return None
    realized = sum((v.expected for v in money), ZERO)
    own = sum((v.expected for v in money if v.provider == provider), ZERO)
    return Combined(realized, sum((v.expected for v in money if v.counted), ZERO), _share(own, realized))


def offering(
    parts: Iterable[Part],
    pledged: Iterable[Pledge],
    shared: Sequence[tuple[str, Period]],
    provider: str,
    currency: str,
) -> Offering | None:
    """The joint drivers of `shared`, with the days on which the partner has a share in them; None where there are
    none. It tells no more than the partner can reckon, and what was committed to together."""
    if not shared:
        return None
    drivers = tuple(sorted({driver for driver, _ in shared}))
    money = [part.value for part in parts if provider in part.known_to and _is_money_in(part.value, currency)]
    realized = sum((v.expected for v in money), ZERO)
    counted = sum((v.expected for v in money if v.counted), ZERO)
    priced = [p.target for p in pledged if p.unit == currency and is_money(p.unit, p.benefit_class)]
    together = sum(
        (
            committed([target for target in priced if target.driver == driver], days, Bound.EXPECTED)
            for driver, days in shared
        ),
        ZERO,
    )
    attainment = None
    if together > 0:
        quotient = Fraction(counted) / Fraction(together)
        attainment = round_half_even(quotient.numerator, quotient.denominator)
    return Offering(drivers, realized, counted, together, attainment)


def _money(values: Iterable[ShownValue], period: Period, currency: str) -> list[ShownValue]:
    return [value for value in values if value.day in period and _is_money_in(value, currency)]


def _is_money_in(value: ShownValue, currency: str) -> bool:
    return value.unit == currency and is_money(value.unit, value.benefit_class)


def _tells_one_partner(values: Sequence[ShownValue], provider: str) -> bool:
    others: defaultdict[date, set[str]] = defaultdict(set)
    for value in values:
        if value.provider != provider and value.expected:
            others[value.day].add(value.provider)
    return any(len(found) == 1 and not found & {SUPPLIER, JOINT} for found in others.values())


def _share(own: Decimal, realized: Decimal) -> Decimal | None:
    if realized <= 0 or own < 0:
        return None
    share = Fraction(own) / Fraction(realized)
    return round_half_even(share.numerator, share.denominator)
