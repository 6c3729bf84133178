"""Putting a notice aside; it comes back with the next news."""

from datetime import datetime

from litestar import Response, post

from valueplatform.core.authorization import Action, UserRole
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.portal.answers import see_other, wants_fragment
from valueplatform.portal.calling import Key, PortalRequest, both, form_field, place_of
from valueplatform.portal.notice_view import BAD_NEWS_PATH, DISMISS_PATH
from valueplatform.portal.portal import Portal, Shared
from valueplatform.stewardship.notices import dismiss, dismiss_bad_news

_LARGEST = 2**31 - 1


@post(both(DISMISS_PATH), status_code=200)
async def dismiss_notice(request: PortalRequest, portal: Shared, key: Key = None) -> Response[str]:
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Action.READ_STORY)
        version = await form_field(request, "version")
        if not (version.isascii() and version.isdecimal() and len(version) <= len(str(_LARGEST))):
            raise InvalidInputError("This notice names no version of the story; reload the page.")
        seen = min(int(version), _LARGEST)
        await dismiss(caller.tx, place.account.account_id, caller.user.user_id, seen, caller.now)
    return await _gone(request, portal, place.path("/story"))


@post(BAD_NEWS_PATH, status_code=200)
async def dismiss_unread(request: PortalRequest, portal: Shared) -> Response[str]:
    async with portal.door.entered(request) as caller:
        if caller.user.role is not UserRole.STEWARD:
            raise NotFoundError("There is no such page for you.")
        told = _moment(await form_field(request, "told"))
        await dismiss_bad_news(caller.tx, caller.user.user_id, told, caller.now)
    return await _gone(request, portal, "/portfolio")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInputError("This notice names no moment; reload the page.")
    return moment


async def _gone(request: PortalRequest, portal: Portal, otherwise: str) -> Response[str]:
    """Back to the page that it stood on; for a script, nothing in its place."""
    if wants_fragment(request):
        return portal.pages.page("notice_gone.html")
    back = await form_field(request, "back")
    own = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable()
    return see_other(back if own else otherwise)


HANDLERS = (dismiss_notice, dismiss_unread)
