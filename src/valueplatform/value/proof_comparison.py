"""The independent path: figures of how accounts compare, read from the newest run as plain data.

What a run holds is recomputed from accruals, of all accounts, by `proof_benchmark`; no one account's proof could do it,
since it may not read the others. Here is only checked that a number is what the run in force says.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value.derivation import Benchmark

_RUN: Final = text("""
    SELECT run, document::text AS document FROM benchmark_run
    WHERE document IS NOT NULL ORDER BY run DESC LIMIT 1
""")
_OWN: Final = text("""
    SELECT driver, unit, standings::text AS standings FROM benchmark_member
    WHERE account_id = :account AND run = :run
""")
_USES: Final = text("SELECT feature FROM benchmark_use WHERE account_id = :account AND run = :run AND is_used")


async def compared(tx: Transaction, account_id: int, asked: Iterable[Benchmark]) -> dict[Benchmark, Fraction]:
    """Each figure as the newest run has it; what it does not have, or an older run had, is absent."""
    wanted = set(asked)
    row = await tx.row(_RUN) if wanted else None
    if row is None:
        return {}
    where = {"account": account_id, "run": row.run}
    document = json.loads(row.document)
    standings = {
        (own.driver, own.unit, one["segment"], one["per"]): one
        for own in await tx.rows(_OWN, where)
        for one in json.loads(own.standings)
    }
    used = {one.feature for one in await tx.rows(_USES, where)}
    found = {}
    for leaf in wanted:
        if leaf.run == row.run and (leaf.start, leaf.end) == _span(document):
            value = next(_values(leaf, document, standings, used), None)
            if value is not None:
                found[leaf] = Fraction(str(value))
    return found


def _span(document: Mapping[str, Any]) -> tuple[date, date]:
    months = sorted(date.fromisoformat(month) for month in document["months"])
    return months[0], (months[-1] + timedelta(days=31)).replace(day=1)


def _values(
    leaf: Benchmark,
    document: Mapping[str, Any],
    standings: Mapping[tuple[str, str, str, str], Mapping[str, Any]],
    used: set[str],
) -> Iterator[object]:
    if leaf.what == "uses":
        yield int(leaf.feature in used)
    elif leaf.feature:
        for practice in document["practices"]:
            if (practice["segment"], practice["driver"], practice["per"]) == (leaf.segment, leaf.driver, leaf.per):
                yield from (habit[leaf.what] for habit in practice["habits"] if habit["feature"] == leaf.feature)
    else:
        own = standings.get((leaf.driver, leaf.unit, leaf.segment, leaf.per))
        if own is not None and leaf.what in {"accounts", "percentile"}:
            yield own[leaf.what]
