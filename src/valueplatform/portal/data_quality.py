"""Data quality: whether what comes in can be relied on, for those who run it."""

from typing import Annotated, Final

from litestar import Response, get
from litestar.params import FromQuery, QueryParameter

from valueplatform.core.authorization import Action
from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import local_day
from valueplatform.portal.calling import Caller, PortalRequest
from valueplatform.portal.data_quality_view import PATH, Asked, quality_view
from valueplatform.portal.frame import has_quality, supplier_shell
from valueplatform.portal.portal import Shared
from valueplatform.portal.view.data_quality import DataQuality
from valueplatform.telemetry.quality_reads import Shown, quality_counts, quality_page
from valueplatform.value.models import stored_model

ROWS: Final = 50
UTC: Final = "UTC"

Show = Annotated[Shown, QueryParameter(name="show")]


async def read_quality(caller: Caller, asked: Asked) -> DataQuality:
    """Raises NotFoundError for whoever has no such page."""
    if not has_quality(caller):
        raise NotFoundError("There is no such page for you.")
    model = await stored_model(caller.tx)
    today = local_day(caller.now, model.supplier.timezone if model else UTC)
    counts = await quality_counts(caller.tx)
    page = await quality_page(
        caller.tx,
        caller.now,
        shown=asked.shown,
        account=asked.account,
        source=asked.source,
        limit=ROWS,
        cursor=asked.cursor,
    )
    opens = caller.may(Action.READ_STORY)
    return quality_view(counts, page, asked, caller.now, today, opens_accounts=opens)


@get(PATH)
async def data_quality(
    request: PortalRequest,
    portal: Shared,
    show: Show = Shown.ALL,
    account: FromQuery[str | None] = None,
    source: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    async with portal.door.entered(request) as caller:
        found = await read_quality(caller, Asked(show, account or None, source or None, cursor))
        shell = await supplier_shell(caller, PATH)
    return portal.pages.page("data_quality.html", shell=shell, quality=found)


HANDLERS = (data_quality,)
