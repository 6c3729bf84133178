"""The catalog: what is sent, what of it is used, and who answers for it."""

from typing import Annotated, Final

from litestar import Response, get, post
from litestar.params import FromQuery, QueryParameter

from valueplatform.core.authorization import Action
from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import local_day
from valueplatform.portal.answers import see_other
from valueplatform.portal.calling import Caller, PortalRequest, form_field
from valueplatform.portal.catalog_view import OWNER_PATH, PATH, Asked, catalog_view
from valueplatform.portal.frame import has_catalog, supplier_shell
from valueplatform.portal.portal import Shared
from valueplatform.portal.view.catalog import Catalog
from valueplatform.telemetry.catalog_reads import set_owner
from valueplatform.value.catalog import Chosen, Question, catalog_counts, catalog_page
from valueplatform.value.models import stored_model

ROWS: Final = 50
UTC: Final = "UTC"

Show = Annotated[Chosen, QueryParameter(name="show")]
Opened = Annotated[str | None, QueryParameter(name="open")]


async def read_catalog(caller: Caller, asked: Asked) -> Catalog:
    """Raises NotFoundError for whoever has no catalog."""
    _require(caller)
    model = await stored_model(caller.tx)
    today = local_day(caller.now, model.supplier.timezone if model else UTC)
    counts = await catalog_counts(caller.tx, model)
    page = await catalog_page(caller.tx, model, None, Question(asked.chosen, limit=ROWS, cursor=asked.cursor))
    return catalog_view(counts, page, asked, today, may_own=caller.may(Action.WRITE_CATALOG))


def _require(caller: Caller) -> None:
    if not has_catalog(caller):
        raise NotFoundError("There is no such page for you.")


@get(PATH)
async def catalog(
    request: PortalRequest,
    portal: Shared,
    show: Show = Chosen.ALL,
    cursor: FromQuery[str | None] = None,
    opened: Opened = None,
) -> Response[str]:
    async with portal.door.entered(request) as caller:
        found = await read_catalog(caller, Asked(show, cursor, opened))
        shell = await supplier_shell(caller, PATH)
    return portal.pages.page("catalog.html", shell=shell, catalog=found)


@post(OWNER_PATH)
async def own(request: PortalRequest, portal: Shared) -> Response[str]:
    """Say who answers for an event type; back to where the form stood."""
    event_type, owner = await form_field(request, "type"), await form_field(request, "owner")
    show, cursor = await form_field(request, "show"), await form_field(request, "cursor")
    async with portal.door.entered(request) as caller:
        _require(caller)
        caller.require(Action.WRITE_CATALOG)
        await set_owner(caller.tx, event_type, owner, caller.user.author, caller.now)
    chosen = Chosen(show) if show in set(Chosen) else Chosen.ALL
    return see_other(Asked(chosen, cursor or None, event_type).path)


HANDLERS = (catalog, own)
