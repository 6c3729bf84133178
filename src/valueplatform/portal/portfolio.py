"""The steward's home: who needs me today, and with what."""

from hashlib import sha256
from typing import Annotated, Final

from litestar import Response, get
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream

from valueplatform.core.authorization import Action, Side
from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import local_day
from valueplatform.portal.answers import wants_fragment
from valueplatform.portal.calling import Caller, PortalRequest
from valueplatform.portal.frame import supplier_notices, supplier_shell
from valueplatform.portal.notice_view import streamed
from valueplatform.portal.portal import Portal, Shared
from valueplatform.portal.portfolio_view import Asked, portfolio_view
from valueplatform.portal.streams import Feed, Fragment, event_stream
from valueplatform.portal.view.steward import Portfolio
from valueplatform.stewardship.portfolio import Filter, portfolio_page, portfolio_summary
from valueplatform.value.models import stored_model

ROWS: Final = 50
CALM: Final = 2.0
"""Seconds between two readings of a portfolio that is open: many accounts may change at once."""
UTC: Final = "UTC"

Show = Annotated[Filter, QueryParameter(name="show")]
Search = Annotated[str, QueryParameter(name="q")]


async def read_portfolio(caller: Caller, asked: Asked) -> Portfolio:
    """Raises NotFoundError for whoever has no portfolio."""
    if caller.user.side is not Side.SUPPLIER or not caller.may(Action.READ_PORTFOLIO):
        raise NotFoundError("There is no such page for you.")
    model = await stored_model(caller.tx)
    today = local_day(caller.now, model.supplier.timezone if model else UTC)
    summary = await portfolio_summary(caller.tx, today)
    page = await portfolio_page(
        caller.tx, today, chosen=asked.chosen, search=asked.search, limit=ROWS, cursor=asked.cursor
    )
    return portfolio_view(summary, page.items, page.next_cursor, asked, today)


@get("/portfolio")
async def portfolio(
    request: PortalRequest,
    portal: Shared,
    show: Show = Filter.NEEDS_YOU,
    search: Search = "",
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    async with portal.door.entered(request) as caller:
        found = await read_portfolio(caller, Asked(show, search.strip(), cursor))
        shell = await supplier_shell(caller, "/portfolio", streams=True)
    template = "_portfolio_rows.html" if wants_fragment(request) else "portfolio.html"
    answer = portal.pages.page(template, shell=shell, portfolio=found)
    answer.headers["Vary"] = "HX-Request"
    return answer


@get("/portfolio/live")
async def portfolio_live(
    request: PortalRequest,
    portal: Shared,
    show: Show = Filter.NEEDS_YOU,
    search: Search = "",
    cursor: FromQuery[str | None] = None,
) -> Stream:
    cookie = portal.door.cookie_of(request) or ""
    return event_stream(portal.live, cookie, await portfolio_feed(portal, cookie, Asked(show, search.strip(), cursor)))


async def portfolio_feed(portal: Portal, cookie: str, asked: Asked) -> Feed:
    """The rows, whenever they are others than now. Raises UnauthenticatedError, NotFoundError."""
    door = portal.door

    async def read(mark: str | None) -> Fragment | None:
        async with door.opened(await door.session(cookie)) as caller:
            found = await read_portfolio(caller, asked)
            _, bell = await supplier_notices(caller, "/portfolio")
            csrf = caller.session.csrf_token
        html = portal.pages.render("portfolio_live.html", portfolio=found, bell=streamed(bell), csrf=csrf)
        now = sha256(html.encode()).hexdigest()
        return None if now == mark else Fragment(now, html)

    first = await read(None)
    return Feed("portfolio", read, pause=CALM, mark=first.mark if first else None)


HANDLERS = (portfolio, portfolio_live)
