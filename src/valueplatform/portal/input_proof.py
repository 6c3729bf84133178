"""An assumption or baseline, opened as a number of its own: the record read a second time, by the code of the proof."""

from valueplatform.core.authorization import Action
from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import ONE_DAY, local_day
from valueplatform.narrative.insight import Insight, Number, Standing, Strength
from valueplatform.narrative.insights.inputs import said_unit
from valueplatform.narrative.proofs import StoredInsight
from valueplatform.portal.calling import Caller, Place, place_of
from valueplatform.value.assumptions import holding
from valueplatform.value.derivation import Input
from valueplatform.value.refreshing import read_record
from valueplatform.value.states import State

REF = "input"
_STANDINGS = {
    State.UNDER_REVIEW: Standing.UNDER_REVIEW,
    State.ESTIMATED: Standing.ESTIMATED,
    State.PROPOSED: Standing.PROPOSED,
}


async def input_insight(caller: Caller, key: str | None, slug: str | None) -> tuple[Place, StoredInsight, str]:
    """What holds of an input today, as an insight that no story tells; and what the input is called.

    Raises NotFoundError for an input that the model does not have, or that has no value.
    """
    place = await place_of(caller, key, Action.READ_ASSUMPTIONS)
    record, _ = await read_record(caller.tx, place.account.account_id)
    rate = record.model.rate(slug or "")
    today = local_day(caller.now, place.account.timezone)
    held = holding(record.entries.get(rate.slug, ()), record.defaults().get(rate.slug), today) if rate else None
    if rate is None or held is None:
        raise NotFoundError("There is no such value.")
    number = Number(
        name=REF,
        value=held.value.expected,
        unit=said_unit(held.unit),
        derivation=Input(rate.slug, today),
        standing=_STANDINGS.get(held.state, Standing.VALIDATED),
    )
    insight = Insight(REF, rate.slug, today, today + ONE_DAY, (number,), Strength.STRONG, 0.0)
    return place, StoredInsight(place.account.account_id, REF, 0, insight, holds=True), rate.label
