"""`verify`, kept scenarios: what each comes to when it is opened, month by month and driver by driver, against what its
levers give from raw events by other code. How much comparable accounts use a feature is taken as it is told; that is
checked with the figures of cohorts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import text

from valueplatform.accounts.accounts import Account
from valueplatform.core.database import Transaction
from valueplatform.core.errors import UnprocessableError
from valueplatform.core.periods import local_day
from valueplatform.value.proof_record import Source
from valueplatform.value.proof_scenario import (
    LOOK_BACK,
    Bounds,
    Past,
    Sums,
    Switched,
    added,
    money,
    past_of,
    spanned,
    worlds,
)
from valueplatform.value.proof_tallies import tally_events
from valueplatform.value.scenario import Outlook, look
from valueplatform.value.scenarios import all_scenarios, ground_of
from valueplatform.value.verify import Discrepancy

_STORED: Final = text("""
    SELECT scenario_id, name, start_month, months, changes FROM scenario
    WHERE account_id = :account AND removed_at IS NULL ORDER BY scenario_id
""")
_Amounts = dict[str, tuple[Fraction, ...]]


async def verify_scenarios(
    tx: Transaction, source: Source, account: Account, now: datetime
) -> tuple[int, list[Discrepancy]]:
    """How many amounts of an account's kept scenarios were recomputed, and those that differ. Results are not kept
    (docs/decisions/0022): it is what opening them tells now."""
    kept = await all_scenarios(tx, account.account_id)
    if not kept:
        return 0, []
    today = local_day(now, source.timezone)
    ground = await ground_of(tx, account, now)
    tallies = await tally_events(tx, source, source.model.get("meters", ()), today - LOOK_BACK, today)
    past = past_of(source, tallies, today)
    rows = {row.scenario_id: row for row in await tx.rows(_STORED, {"account": account.account_id})}
    count, found = 0, []
    for one in kept:
        try:
            outlook = look(ground, one.draft.changes, one.draft.start, one.draft.months)
        except UnprocessableError:
            continue  # it cannot be opened either: the model has moved on
        stated = _told(outlook)
        switched: Switched = {
            (each.feature, each.meter): (each.a_month(-1), each.a_month(0), each.a_month(1))
            for each in outlook.comparable
        }
        recomputed = _again(source, past, rows[one.scenario_id], account.currency, switched)
        count += len(stated)
        found += _differing(f"{one.scenario_id} ({one.draft.name})", stated, recomputed)
    return count, found


def _differing(name: str, stated: _Amounts, recomputed: _Amounts) -> list[Discrepancy]:
    return [
        Discrepancy("scenario", f"{name}, {key}", _shown(stated.get(key)), _shown(recomputed.get(key)))
        for key in sorted({*stated, *recomputed})
        if stated.get(key) != recomputed.get(key)
    ]


def _shown(bounds: Sequence[Fraction] | None) -> str:
    return "none" if bounds is None else " to ".join(f"{float(each):.4f}" for each in bounds)


def _told(outlook: Outlook) -> _Amounts:
    found: _Amounts = {}
    for month in outlook.months:
        for name in ("carried_on", "changed", "added"):
            found[f"{month.month}, {name}"] = tuple(map(Fraction, getattr(month, name)))
    for name in ("carried_on", "changed", "added"):
        found[f"total, {name}"] = tuple(map(Fraction, getattr(outlook.total, name)))
    for effect in outlook.drivers:
        for first, changed, more in effect.months:
            at = f"{effect.driver} {effect.unit} {effect.benefit_class} {first}"
            found[f"{at}, changed"] = tuple(map(Fraction, changed))
            found[f"{at}, added"] = tuple(map(Fraction, more))
    return found


def _again(source: Source, past: Past, row: Any, currency: str, switched: Switched) -> _Amounts:
    months = _months(row.start_month, row.months)
    changes: Sequence[Mapping[str, Any]] = row.changes
    both = worlds(source, past, months, changes, switched), worlds(source, past, months, ())
    found: _Amounts = {}
    for name, span in (*((str(month), [month]) for month in months), ("total", months)):
        changed, carried = ([money(sums, currency, span) for sums in world] for world in both)
        found[f"{name}, carried_on"] = spanned(carried)
        found[f"{name}, changed"] = spanned(changed)
        found[f"{name}, added"] = added(changed, carried)
    for key in {key[1:] for world in both for sums in world for key in sums}:
        for month in months:
            changed, carried = ([_of(sums, (month, *key)) for sums in world] for world in both)
            found[f"{' '.join(key)} {month}, changed"] = spanned(changed)
            found[f"{' '.join(key)} {month}, added"] = added(changed, carried)
    return found


def _of(sums: Sums, key: tuple[date, str, str, str]) -> Bounds:
    return sums.get(key, Bounds(Fraction(0), Fraction(0), Fraction(0)))


def _months(start: date, number: int) -> list[date]:
    first = start.year * 12 + start.month - 1
    return [date(at // 12, at % 12 + 1, 1) for at in range(first, first + number)]
