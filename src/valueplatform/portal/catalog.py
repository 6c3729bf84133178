"""The catalog: what is sent, what of it is used and worth, what could be sent, and who answers for it."""

from typing import Annotated, Final

from litestar import Response, get, post
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream

from valueplatform.core.authorization import Action
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.core.periods import local_day
from valueplatform.portal.answers import see_other
from valueplatform.portal.calling import Caller, PortalRequest, form_field
from valueplatform.portal.catalog_csv import catalog_csv
from valueplatform.portal.catalog_view import CSV_PATH, LIVE_PATH, OWNER_PATH, PATH, Asked, Setting, catalog_view
from valueplatform.portal.frame import has_catalog, supplier_shell
from valueplatform.portal.gap_view import EFFORT_PATH, WISH_PATH, WITHDRAW_PATH, gap_anchor, gaps_view
from valueplatform.portal.live import CATALOG
from valueplatform.portal.portal import Portal, Shared
from valueplatform.portal.streams import Feed, Fragment, event_stream
from valueplatform.portal.view.catalog import Catalog, OpenedWorth
from valueplatform.portal.worth_view import opened_view
from valueplatform.portal.worth_words import WORTH_PATH
from valueplatform.telemetry.catalog_reads import set_owner
from valueplatform.telemetry.wanted import Size, Wish, set_effort, set_wish, withdraw_wish
from valueplatform.value.catalog import Chosen, Order, Question, catalog_counts, catalog_page
from valueplatform.value.catalog_gaps import Kind, catalog_gaps, owned_types, require_capturable
from valueplatform.value.feeds import Paths
from valueplatform.value.model import ValueModel
from valueplatform.value.models import stored_model
from valueplatform.value.type_worth import read_worth
from valueplatform.value.worth_opened import opened_worth
from valueplatform.value.worth_store import catalog_version

ROWS: Final = 50
UTC: Final = "UTC"
CALM: Final = 5.0
"""Seconds between two readings of a catalog that is open."""

Show = Annotated[Chosen, QueryParameter(name="show")]
Sort = Annotated[Order, QueryParameter(name="sort")]
Opened = Annotated[str | None, QueryParameter(name="open")]


async def read_catalog(caller: Caller, asked: Asked) -> Catalog:
    """Raises NotFoundError for whoever has no catalog."""
    _require(caller)
    model = await stored_model(caller.tx)
    setting = await _setting(caller, model)
    counts = await catalog_counts(caller.tx, model)
    gaps = await catalog_gaps(caller.tx, model, setting.book)
    if asked.chosen is Chosen.NOT_SENT:
        return gaps_view(counts, gaps, asked, setting)
    question = Question(asked.chosen, asked.order, ROWS, asked.cursor)
    page = await catalog_page(caller.tx, model, setting.book, question)
    return catalog_view(counts, len(gaps), page, asked, setting)


async def _setting(caller: Caller, model: ValueModel | None) -> Setting:
    timezone = model.supplier.timezone if model else UTC
    book = None
    if model is not None and caller.may(Action.READ_VALUE):
        book = await read_worth(caller.tx, Paths(model), model.supplier.currency)
    return Setting(
        today=local_day(caller.now, timezone),
        timezone=timezone,
        currency=model.supplier.currency if model else "",
        titles={driver.slug: driver.label for driver in model.drivers} if model else {},
        book=book,
        csrf=caller.session.csrf_token,
        may_own=caller.may(Action.WRITE_CATALOG),
    )


def _require(caller: Caller) -> None:
    if not has_catalog(caller):
        raise NotFoundError("There is no such page for you.")


@get(PATH)
async def catalog(
    request: PortalRequest,
    portal: Shared,
    show: Show = Chosen.ALL,
    sort: Sort = Order.VALUE,
    cursor: FromQuery[str | None] = None,
    opened: Opened = None,
) -> Response[str]:
    async with portal.door.entered(request) as caller:
        found = await read_catalog(caller, Asked(show, sort, cursor, opened))
        shell = await supplier_shell(caller, PATH)
    return portal.pages.page("catalog.html", shell=shell, catalog=found)


@get(LIVE_PATH)
async def catalog_live(
    request: PortalRequest,
    portal: Shared,
    show: Show = Chosen.ALL,
    sort: Sort = Order.VALUE,
    cursor: FromQuery[str | None] = None,
) -> Stream:
    cookie = portal.door.cookie_of(request) or ""
    return event_stream(portal.live, cookie, await catalog_feed(portal, cookie, Asked(show, sort, cursor)))


async def catalog_feed(portal: Portal, cookie: str, asked: Asked) -> Feed:
    """What is on the page, whenever there is something new: the worker has been round, or somebody has said something.
    Raises UnauthenticatedError, NotFoundError."""

    async def read(mark: str | None) -> Fragment | None:
        async with portal.door.opened(await portal.door.session(cookie)) as caller:
            _require(caller)
            now = await catalog_version(caller.tx)
            if now == mark:
                return None
            found = await read_catalog(caller, asked)
        return Fragment(now, portal.pages.render("_catalog.html", catalog=found))

    first = await read(None)
    return Feed("catalog", read, CATALOG, pause=CALM, mark=first.mark if first else None)


@get(WORTH_PATH)
async def worth(
    request: PortalRequest,
    portal: Shared,
    event_type: Annotated[str, QueryParameter(name="type")],
    path: Annotated[str, QueryParameter(name="property")] = "",
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """What an event type, or a property of it, is worth, opened."""
    async with portal.door.entered(request) as caller:
        found = await read_opened(caller, (event_type, path), cursor)
        shell = await supplier_shell(caller, PATH)
    return portal.pages.page("catalog_worth.html", shell=shell, opened=found)


async def read_opened(caller: Caller, place: tuple[str, str], cursor: str | None) -> OpenedWorth:
    """Raises NotFoundError where nothing was estimated, and for whoever has no catalog."""
    _require(caller)
    caller.require(Action.READ_VALUE)
    model = await stored_model(caller.tx)
    setting = await _setting(caller, model)
    opened = await opened_worth(caller.tx, setting.book, place, ROWS, cursor)
    segments = {segment.slug: segment.label for segment in model.segments} if model else {}
    return opened_view(opened, setting, segments, may_open_accounts=caller.may(Action.READ_PORTFOLIO))


@get(CSV_PATH)
async def types_csv(request: PortalRequest, portal: Shared) -> Response[bytes]:
    """Every type with its amounts, as a file."""
    async with portal.door.entered(request) as caller:
        _require(caller)
        model = await stored_model(caller.tx)
        content = await catalog_csv(caller.tx, model, (await _setting(caller, model)).book)
    disposition = {"Content-Disposition": 'attachment; filename="catalog.csv"'}
    return Response(content, media_type="text/csv", headers=disposition)


@post(OWNER_PATH)
async def own(request: PortalRequest, portal: Shared) -> Response[str]:
    """Say who answers for an event type; back to where the form stood."""
    event_type, owner = await form_field(request, "type"), await form_field(request, "owner")
    asked = await _asked(request, event_type)
    async with portal.door.entered(request) as caller:
        _require(caller)
        caller.require(Action.WRITE_CATALOG)
        known = await owned_types(caller.tx, await stored_model(caller.tx))
        await set_owner(caller.tx, event_type, owner, caller.user.author, caller.now, known=known)
    return see_other(asked.path)


@post(EFFORT_PATH)
async def say_effort(request: PortalRequest, portal: Shared) -> Response[str]:
    """Say what it takes to send something; '' lets the rule hold again."""
    event_type, path = await form_field(request, "type"), await form_field(request, "property")
    said, reason = await form_field(request, "effort"), await form_field(request, "reason")
    asked = await _asked(request, event_type)
    async with portal.door.entered(request) as caller:
        _require(caller)
        caller.require(Action.WRITE_CATALOG)
        await require_capturable(caller.tx, await stored_model(caller.tx), event_type, path)
        effort = _size(said) if said else None
        place = (event_type, path)
        await set_effort(caller.tx, place, effort, reason, author=caller.user.author, now=caller.now)
    return see_other(asked.path)


@post(WISH_PATH)
async def wish(request: PortalRequest, portal: Shared) -> Response[str]:
    """Wish for an event type."""
    event_type, name = await form_field(request, "type"), await form_field(request, "name")
    why, effort = await form_field(request, "why"), await form_field(request, "effort")
    async with portal.door.entered(request) as caller:
        _require(caller)
        caller.require(Action.WRITE_CATALOG)
        made = Wish(event_type, name, why, _size(effort), caller.user.author, caller.now)
        kept = await set_wish(caller.tx, made)
    return see_other(Asked(Chosen.NOT_SENT, opened=gap_anchor(Kind.WISH, kept.type, "")).path)


@post(WITHDRAW_PATH)
async def withdraw(request: PortalRequest, portal: Shared) -> Response[str]:
    """Take a wish back."""
    event_type = await form_field(request, "type")
    async with portal.door.entered(request) as caller:
        _require(caller)
        caller.require(Action.WRITE_CATALOG)
        await withdraw_wish(caller.tx, event_type, author=caller.user.author, now=caller.now)
    return see_other(Asked(Chosen.NOT_SENT).path)


def _size(said: str) -> Size:
    try:
        return Size(said)
    except ValueError as error:
        raise InvalidInputError(f"`effort` is {said!r}; it is small, medium or large.") from error


async def _asked(request: PortalRequest, event_type: str) -> Asked:
    """Where a form stood: on which list, and at which line."""
    show, sort = await form_field(request, "show"), await form_field(request, "sort")
    cursor, line = await form_field(request, "cursor"), await form_field(request, "line")
    chosen = Chosen(show) if show in set(Chosen) else Chosen.ALL
    order = Order(sort) if sort in set(Order) else Order.VALUE
    return Asked(chosen, order, cursor or None, line or event_type)


HANDLERS = (catalog, catalog_live, worth, types_csv, own, say_effort, wish, withdraw)
