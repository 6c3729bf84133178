"""`verify`, value cut by dimensions: what is told of the last two whole months against what raw events give."""

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal

from valueplatform.accounts.accounts import Account
from valueplatform.core.database import Transaction
from valueplatform.core.periods import Period, local_day
from valueplatform.value.bridge_cells import Member, added
from valueplatform.value.bridge_read import periods_asked
from valueplatform.value.cuts import names_of, why_uncut
from valueplatform.value.model import ValueModel
from valueplatform.value.models import newest_model
from valueplatform.value.proof_record import Source
from valueplatform.value.proof_slices import Sliced, prove_slices
from valueplatform.value.reading import Question, read_value
from valueplatform.value.slice_read import FEATURE, named_dimensions, names_persons, told_together
from valueplatform.value.split_record import read_splits
from valueplatform.value.verify import Discrepancy

_Key = tuple[str, str, Member]


async def verify_slices(
    tx: Transaction, source: Source, account: Account, now: datetime, since: date
) -> tuple[int, list[Discrepancy]]:
    """How many amounts by each dimension were compared, and what differs; nothing where all of it is before `since`.

    Joint drivers that were ever split are left out: what parties have is compared with the splits.
    """
    before, after = periods_asked(None, None, None, None, local_day(now, account.timezone))
    if after.end <= since:
        return 0, []
    period, model = Period(before.start, after.end), await newest_model(tx)
    split = {one.driver for one in await read_splits(tx, account.account_id) if one.since is not None}
    count, found = 0, []
    for path in sorted(named_dimensions(model)):
        drivers = [] if names_persons(path) else sorted(_divided_by(path, model) - split)
        if drivers:
            stated = await _stated(tx, account, period, path, drivers, now)
            meters = [one for one in model.meters if any(one.slug in names_of(model, slug) for slug in drivers)]
            told = await told_together(tx, account.account_id, period, meters, [path])
            days = (period.start, period.end)
            proved = await prove_slices(tx, source, days, drivers, [path], told)
            count += len(stated)
            found += _differing(path, stated, proved)
    return count, found


def _divided_by(path: str, model: ValueModel) -> set[str]:
    """By feature only drivers of several are divided."""
    drivers = [one for one in model.drivers if path != FEATURE or len(one.features) > 1]
    return {one.slug for one in drivers if why_uncut(one, model, [path]) is None}


async def _stated(
    tx: Transaction, account: Account, period: Period, path: str, drivers: list[str], now: datetime
) -> dict[_Key, Sliced]:
    question = Question(
        start=period.start, end=period.end, group_by=("driver", "provider", path), drivers=tuple(drivers)
    )
    realized: defaultdict[_Key, list[Decimal]] = defaultdict(list)
    counted: defaultdict[_Key, list[Decimal]] = defaultdict(list)
    for row in (await read_value(tx, account, question, now)).rows:
        if row.evidence is not None:
            key = (row.groups["driver"], row.groups["provider"], (row.groups[path] or None,))
            realized[key].append(row.realized)
            counted[key].append(row.counted)
    return {key: Sliced(added(realized[key]), added(counted[key])) for key in realized}


def _differing(path: str, stated: dict[_Key, Sliced], proved: dict[_Key, Sliced]) -> list[Discrepancy]:
    nothing = Sliced(Decimal(0), Decimal(0))
    found = []
    for key in sorted({*stated, *proved}, key=str):
        one, other = stated.get(key, nothing), proved.get(key, nothing)
        if one != other:
            place = f"{key[0]}, {key[1]}, {path} {key[2][0] or 'none'}"
            told = [f"{each.realized:f}, counted {each.counted:f}" for each in (one, other)]
            found.append(Discrepancy("cut", place, *told))
    return found
