"""Notices as they stand, live in the bar of a page, and putting them aside; they come back with the next news."""

from datetime import datetime
from typing import Final
from uuid import uuid4

from litestar import Response, get, post
from litestar.params import FromQuery
from litestar.response import Stream

from valueplatform.core.authorization import Action, Side, UserRole
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.portal.answers import is_own, see_other, wants_fragment
from valueplatform.portal.calling import Caller, Key, PortalRequest, both, form_field, place_of
from valueplatform.portal.frame import account_notices, supplier_notices
from valueplatform.portal.notice_view import BAD_NEWS_PATH, DISMISS_PATH, LIVE_PATH, bell_mark
from valueplatform.portal.open_pages import close_page, keep_open
from valueplatform.portal.portal import Portal, Shared
from valueplatform.portal.streams import Feed, Fragment, event_stream
from valueplatform.portal.view.shell import Bell, Notice
from valueplatform.stewardship.notices import dismiss, dismiss_bad_news

CALM: Final = 2.0
"""Seconds between two readings where many accounts may change at once."""
_LARGEST: Final = 2**31 - 1


@get(both(LIVE_PATH))
async def notices_live(
    request: PortalRequest, portal: Shared, key: Key = None, seen: FromQuery[str] = "", at: FromQuery[str] = ""
) -> Stream:
    """For pages without a stream of their own; `at` is the page, to come back to from a form."""
    cookie = portal.door.cookie_of(request) or ""
    return event_stream(portal.live, cookie, await notices_feed(portal, cookie, key, seen=seen, at=at))


async def notices_feed(portal: Portal, cookie: str, key: str | None, *, seen: str, at: str) -> Feed:
    """Raises UnauthenticatedError, and NotFoundError for whoever has no notices."""
    door, back, page_id = portal.door, at if is_own(at) else "", uuid4()
    session = await door.session(cookie)

    async def read(mark: str | None) -> Fragment | None:
        async with door.opened(await door.session(cookie)) as caller:
            account_id, notice, bell = await _standing(caller, key, back)
            if account_id:
                await keep_open(caller.tx, account_id, page_id, caller.now)
            now = bell_mark(bell)
            csrf = caller.session.csrf_token
        if now == mark:
            return None
        return Fragment(now, portal.pages.render("bell_live.html", bell=bell, notice=notice, csrf=csrf))

    async def closed() -> None:
        if topic:
            async with door.opened(session) as caller:
                await close_page(caller.tx, topic, page_id)

    async with door.opened(session) as caller:
        topic, _, bell = await _standing(caller, key, back)
    if bell is None:
        raise NotFoundError("There are no notices for you.")
    return Feed("notices", read, topic, pause=0.0 if topic else CALM, mark=seen or None, closed=closed)


async def _standing(caller: Caller, key: str | None, at: str) -> tuple[int, Notice | None, Bell | None]:
    """Of one account (its id), or of all that the supplier's people see (0)."""
    if key is None and caller.user.side is Side.SUPPLIER:
        return 0, *await supplier_notices(caller, at)
    place = await place_of(caller, key, Action.READ_STORY)
    return place.account.account_id, *await account_notices(caller, place, at)


@post(both(DISMISS_PATH), status_code=200)
async def dismiss_notice(request: PortalRequest, portal: Shared, key: Key = None) -> Response[str]:
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Action.READ_STORY)
        version = await form_field(request, "version")
        if not (version.isascii() and version.isdecimal() and len(version) <= len(str(_LARGEST))):
            raise InvalidInputError("This notice names no version of the story; reload the page.")
        seen = min(int(version), _LARGEST)
        await dismiss(caller.tx, place.account.account_id, caller.user.user_id, seen, caller.now)
        _, bell = await account_notices(caller, place, "")
        csrf = caller.session.csrf_token
    return await _gone(request, portal, place.path("/story"), bell, csrf)


@post(BAD_NEWS_PATH, status_code=200)
async def dismiss_unread(request: PortalRequest, portal: Shared) -> Response[str]:
    async with portal.door.entered(request) as caller:
        if caller.user.role is not UserRole.STEWARD:
            raise NotFoundError("There is no such page for you.")
        told = _moment(await form_field(request, "told"))
        await dismiss_bad_news(caller.tx, caller.user.user_id, told, caller.now)
        _, bell = await supplier_notices(caller, "")
        csrf = caller.session.csrf_token
    return await _gone(request, portal, "/portfolio", bell, csrf)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInputError("This notice names no moment; reload the page.")
    return moment


async def _gone(request: PortalRequest, portal: Portal, otherwise: str, bell: Bell | None, csrf: str) -> Response[str]:
    """Back to the page that it stood on; for a script, nothing in its place, and the bell as it is now."""
    if wants_fragment(request):
        return portal.pages.page("notice_gone.html", bell=bell, csrf=csrf)
    back = await form_field(request, "back")
    return see_other(back if is_own(back) else otherwise)


HANDLERS = (notices_live, dismiss_notice, dismiss_unread)
