"""Who uses which feature, and since when, of all accounts: read from what is counted, never from single events."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value.model import Feature, ValueModel
from valueplatform.value.practice import Use

_BY_TYPE: Final = text("""
    SELECT t.account_id, min((t.first_seen AT TIME ZONE a.timezone)::date) AS first,
           max((t.last_seen AT TIME ZONE a.timezone)::date) >= :since AS is_used
    FROM catalog_type t JOIN account a ON a.account_id = t.account_id
    WHERE t.type = ANY(CAST(:types AS text[])) GROUP BY t.account_id ORDER BY t.account_id
""")
_BY_METER: Final = text("""
    SELECT account_id, min(day) AS first, max(day) >= :since AS is_used FROM rollup
    WHERE meter = :meter AND events > 0 GROUP BY account_id ORDER BY account_id
""")


async def uses_of(tx: Transaction, model: ValueModel, feature: Feature, since: date) -> list[Use]:
    """Of a feature that `is_known`; in use = used since the day `since`."""
    if feature.filter is None:
        rows = await tx.rows(_BY_TYPE, {"types": list(feature.event_types), "since": since})
    else:
        rows = await tx.rows(_BY_METER, {"meter": _meter(model, feature), "since": since})
    return [Use(row.account_id, feature.slug, row.first, row.is_used) for row in rows]


def known_features(model: ValueModel) -> Sequence[Feature]:
    """Those whose use is counted: without a filter by their types, with one by a meter that has the same filter."""
    return [feature for feature in model.features if feature.filter is None or _meter(model, feature) is not None]


def _meter(model: ValueModel, feature: Feature) -> str | None:
    same = (
        meter.rollup_name()
        for meter in model.meters
        if meter.filter == feature.filter and set(meter.event_types) == set(feature.event_types)
    )
    return next(same, None)
