"""Parts that members of a dimension have of a driver's value, worked out again by `value.proof_slices`: from rollups
where an insight is admitted, from raw events where it is proved. Who is told with others (value rule 18) is one rule
of `value.slice_read`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import UnprocessableError
from valueplatform.core.periods import Period
from valueplatform.narrative.faithful.leaves import parts_in
from valueplatform.value.cuts import names_of
from valueplatform.value.derivation import Derivation, Part
from valueplatform.value.models import newest_model
from valueplatform.value.proof_record import Source
from valueplatform.value.proof_slices import Tally, prove_slices
from valueplatform.value.proof_tallies import Cuts, MeterTally, tally_cuts
from valueplatform.value.slice_read import names_persons, told_together

_ROLLUPS: Final = text("""
    SELECT split_part(meter, '#', 1) AS meter, provider, day, dimensions, events - unmetered AS events, total
    FROM rollup JOIN account USING (account_id)
    WHERE account_id = :account AND day >= :start AND day < :end AND split_part(meter, '#', 1) = ANY(:meters)
      AND meter = split_part(meter, '#', 1) || edition
""")


async def member_parts(
    tx: Transaction, source: Source, derivations: Iterable[Derivation], tally: Tally = tally_cuts
) -> dict[Part, Fraction]:
    """Each part as the record gives it; a member that has none, or is told with others, is absent."""
    together: defaultdict[tuple[str, str, date, date], list[Part]] = defaultdict(list)
    for leaf in parts_in(derivations):
        together[leaf.driver, leaf.dimension, leaf.told_from, leaf.told_to].append(leaf)
    found: dict[Part, Fraction] = {}
    for (driver, dimension, start, end), leaves in together.items():
        if names_persons(dimension):
            continue
        model = await newest_model(tx)
        meters = [meter for meter in model.meters if meter.slug in names_of(model, driver)]
        try:
            told = await told_together(tx, source.account_id, Period(start, end), meters, [dimension])
        except UnprocessableError:  # days archived since, whose persons are not counted: nothing of them is told
            continue
        proved = {
            days: await prove_slices(tx, source, days, [driver], [dimension], told, tally)
            for days in {(leaf.start, leaf.end) for leaf in leaves}
        }
        # A member of one of the stretches has nothing in the others.
        members = {cut for parts in proved.values() for _, _, cut in parts} - set(told)
        for leaf in (one for one in leaves if (one.member,) in members):
            own = [part for (_, _, cut), part in proved[leaf.start, leaf.end].items() if cut == (leaf.member,)]
            found[leaf] = sum((Fraction(part.counted if leaf.counted else part.realized) for part in own), Fraction(0))
    return found


async def rolled_cuts(
    tx: Transaction, source: Source, meters: Sequence[Mapping[str, Any]], start: date, end: date
) -> Cuts:
    """What `tally_cuts` gives of meters that add, from rollups."""
    kept = {meter.get("stored_as") or meter["slug"]: meter["slug"] for meter in meters}
    where = {"account": source.account_id, "start": start, "end": end, "meters": list(kept)}
    tallies: dict[tuple[str, str, date, tuple[str | None, ...]], MeterTally] = {}
    for row in await tx.rows(_ROLLUPS, where):
        given = MeterTally(events=row.events, total=Fraction(row.total))
        tallies[kept[row.meter], row.provider, row.day, tuple(row.dimensions)] = given
    return tallies
