"""Holding bad news back from an account's page, and releasing it."""

from contextlib import suppress

from litestar import Response, post
from litestar.params import FromPath

from valueplatform.core.authorization import Action
from valueplatform.core.errors import ConflictError, InvalidInputError, NotFoundError, TooLargeError, UnprocessableError
from valueplatform.portal.accounts import account_answer
from valueplatform.portal.answers import see_other
from valueplatform.portal.calling import PortalRequest, account_place, form_field
from valueplatform.portal.portal import Shared
from valueplatform.stewardship.holds import LONGEST_REASON, place_hold, release_hold


@post("/accounts/{key:str}/hold", status_code=200)
async def hold_news(request: PortalRequest, portal: Shared, key: FromPath[str]) -> Response[str]:
    reason = await form_field(request, "reason")
    try:
        async with portal.door.entered(request) as caller:
            place = await account_place(caller, key, Action.HOLD_NEWS)
            await place_hold(caller.tx, place.account, caller.user.author, reason, caller.now)
    except (ConflictError, InvalidInputError, TooLargeError, UnprocessableError) as error:
        return await account_answer(request, portal, key, reason=reason[:LONGEST_REASON], error=error.message)
    return see_other(place.path("/story#hold"))


@post("/accounts/{key:str}/hold/release")
async def release_news(request: PortalRequest, portal: Shared, key: FromPath[str]) -> Response[str]:
    async with portal.door.entered(request) as caller:
        place = await account_place(caller, key, Action.HOLD_NEWS)
        with suppress(NotFoundError):  # it ended meanwhile, which is what was asked for
            await release_hold(caller.tx, place.account, caller.user.author, caller.now)
    return see_other(place.path("/story#hold"))


HANDLERS = (hold_news, release_news)
