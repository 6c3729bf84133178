"""Whether what comes in can be relied on: freshness, volume, shares, clocks, and what was found."""

from typing import Annotated, Final

from litestar import Controller, get
from litestar.params import FromQuery, QueryParameter

from valueplatform.api.calling import Caller, OpenGate
from valueplatform.api.documentation import READS, answers
from valueplatform.core.authorization import Action, require, scope_of
from valueplatform.core.pages import DEFAULT_LIMIT, Page
from valueplatform.telemetry.quality_reads import Shown, SourceQuality, quality_page

_ITEM: Final = {
    "account": "harbor-logistics",
    "account_name": "Harbor Logistics",
    "source": "segment",
    "freshness": {
        "last_received_at": "2026-05-04T15:58:40Z",
        "last_event_day": "2026-05-04",
        "silent_days": 6,
    },
    "volume": {"events": 1204, "usual": 9310},
    "intake": {"received": 1230, "duplicates": 26, "conflicts": 0, "rejected": 0, "clock_ahead_seconds": None},
    "findings": [
        {
            "what": "freshness",
            "place": "segment",
            "severity": "warning",
            "usual": "events every day",
            "seen": "no events for 6 days",
            "since": "2026-05-05",
            "through": "2026-05-10",
            "found_at": "2026-05-06T08:00:00Z",
        }
    ],
}


class DataQualityController(Controller):
    path = "/api/v1/data-quality"
    tags = ("Data quality",)

    @get(
        summary="Sources by account, and what was found",
        responses=answers(Page[SourceQuality], Page([_ITEM], None), *READS),
    )
    async def data_quality(
        self,
        caller: Caller,
        gate: OpenGate,
        shown: Annotated[
            Shown, QueryParameter(name="filter", description="`open`: only those with open findings.")
        ] = Shown.ALL,
        account: Annotated[str | None, QueryParameter(description="Only this account, by its key.")] = None,
        source: Annotated[str | None, QueryParameter(description="Only this source, in full.")] = None,
        limit: FromQuery[int] = DEFAULT_LIMIT,
        cursor: FromQuery[str | None] = None,
    ) -> Page[SourceQuality]:
        """What is told is of the last seven days of the account. What was found about no single source stands under the
        account without one. Looked at once an hour; a finding ends when it is looked for again and gone."""
        require(caller, Action.READ_QUALITY)
        async with gate.web.transaction(scope_of(caller)) as tx:
            return await quality_page(
                tx, gate.clock(), shown=shown, account=account, source=source, limit=limit, cursor=cursor
            )
