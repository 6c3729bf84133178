"""`verify`, the value bridge: what is told of the last two whole months against what raw events give."""

from datetime import date, datetime
from decimal import Decimal

from valueplatform.accounts.accounts import Account
from valueplatform.core.database import Transaction
from valueplatform.core.periods import local_day
from valueplatform.value.bridge_cells import added
from valueplatform.value.bridge_read import BridgeQuestion, BridgeRead, periods_asked, read_bridge
from valueplatform.value.proof_bridge import Key, prove_bridge
from valueplatform.value.proof_bridge_steps import ProvedBridge
from valueplatform.value.proof_record import Source
from valueplatform.value.split_proof import lines_anew
from valueplatform.value.verify import Discrepancy

_ENDS = ("before", "after")


async def verify_bridge(
    tx: Transaction, source: Source, account: Account, now: datetime, since: date
) -> tuple[int, list[Discrepancy]]:
    """How many parts and ends were compared, and what differs; nothing where all of it is before `since`. Where joint
    drivers are shared, once more by party."""
    before, after = periods_asked(None, None, None, None, local_day(now, account.timezone))
    if after.end <= since:
        return 0, []
    count = 0
    found: list[Discrepancy] = []
    shared = bool(await lines_anew(tx, account.account_id))
    for by_party in (False, True) if shared else (False,):
        by = ("driver", "provider") if by_party else ("driver",)
        read = await read_bridge(tx, account, BridgeQuestion(before, after, by))
        days = (before.start, before.end), (after.start, after.end)
        compared, wrong = compare(read, await prove_bridge(tx, source, days, by_party=by_party))
        count, found = count + compared, [*found, *wrong]
    return count, found


def compare(read: BridgeRead, proved: dict[Key, ProvedBridge]) -> tuple[int, list[Discrepancy]]:
    """A driver that the model no longer has is left out: no event proves it, its postings are checked elsewhere."""
    known = {driver.slug for driver in read.model.drivers}
    stated: dict[tuple[Key, str], Decimal] = {}
    for line in read.lines:
        key = (line.driver, line.provider, line.unit, line.member)
        if line.driver in known:
            named = [(f"{part.kind} {part.subject}".strip(), part.amount) for part in line.parts]
            for name, amount in (*named, ("before", line.before), ("after", line.after)):
                stated[key, name] = added([stated.get((key, name), Decimal(0)), amount])
    recomputed = {
        (key, f"{kind} {subject}".strip()): amount
        for key, bridge in proved.items()
        for (kind, subject), amount in bridge.parts.items()
    }
    recomputed |= {(key, end): getattr(bridge, end) for key, bridge in proved.items() for end in _ENDS}
    found = []
    for key, name in sorted({*stated, *recomputed}, key=str):
        one, other = stated.get((key, name), Decimal(0)), recomputed.get((key, name), Decimal(0))
        if one != other:
            place = ", ".join([*key[:3], *(each or "none" for each in key[3]), name])
            found.append(Discrepancy("bridge", place, format(one, "f"), format(other, "f")))
    return len(stated), found
