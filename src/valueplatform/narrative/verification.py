"""`verify`, the part of narrative: every number of every insight that holds, recomputed from raw events."""

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.narrative.insight import Insight, Number
from valueplatform.narrative.proofs import prove_numbers
from valueplatform.value.proof_record import Source
from valueplatform.value.verify import Discrepancy

_HOLDING = text("SELECT insight_id, body::text AS body FROM insight WHERE account_id = :account AND until IS NULL")


async def verify_insights(tx: Transaction, source: Source) -> tuple[int, list[Discrepancy]]:
    """How many numbers were checked, and those that do not re-compute."""
    numbers: list[Number] = []
    owners: list[str] = []
    for row in await tx.rows(_HOLDING, {"account": source.account_id}):
        insight = msgspec.json.decode(row.body, type=Insight)
        numbers += insight.numbers
        owners += [f"{row.insight_id} ({insight.kind}), {number.name}" for number in insight.numbers]
    proved = await prove_numbers(tx, source, numbers)
    found = [
        Discrepancy("insight", owner, number.stated, number.recomputed)
        for owner, number in zip(owners, proved, strict=True)
        if not number.agrees
    ]
    return len(numbers), found
