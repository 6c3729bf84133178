"""`verify`, the part of splits: what the value read gives each party of joint drivers, against `split_proof`."""

from collections import Counter
from datetime import date
from fractions import Fraction

from valueplatform.core.database import Transaction
from valueplatform.core.periods import Period
from valueplatform.value.split_proof import Place, shared_anew
from valueplatform.value.split_record import cut_values, read_splits

_UNIT = 10_000


async def split_differences(tx: Transaction, account_id: int, start: date, end: date) -> list[tuple[str, str, str]]:
    """Where they differ: the place, what is stated, what is recomputed."""
    cut = await cut_values(tx, account_id, Period(start, end), (), await read_splits(tx, account_id))
    stated: Counter[Place] = Counter()
    for part in cut.parts:
        one = part.value
        for bound, amount in (("low", one.low), ("expected", one.expected), ("high", one.high)):
            stated[one.driver, one.provider, one.day, bound] += int(Fraction(amount) * _UNIT)
    recomputed = await shared_anew(tx, account_id, start, end)
    return [
        (", ".join(map(str, place)), f"{stated[place]} / {_UNIT}", f"{recomputed[place]} / {_UNIT}")
        for place in sorted({*stated, *recomputed}, key=str)
        if stated[place] != recomputed[place]
    ]
