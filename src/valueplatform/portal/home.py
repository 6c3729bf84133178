"""`/` sends each role home."""

from litestar import Response, get

from valueplatform.core.authorization import Action, UserRole
from valueplatform.portal.answers import see_other
from valueplatform.portal.calling import Caller, PortalRequest
from valueplatform.portal.frame import has_finance, has_quality
from valueplatform.portal.portal import Shared


@get("/")
async def home(request: PortalRequest, portal: Shared) -> Response[str]:
    async with portal.door.entered(request) as caller:
        return see_other(home_of(caller))


def home_of(caller: Caller) -> str:
    if caller.user.role is UserRole.CUSTOMER:
        return "/story"
    if caller.user.role is UserRole.PARTNER:
        return "/shared"
    if caller.user.role is UserRole.FINANCE and has_finance(caller):
        return "/finance"
    if caller.may(Action.READ_PORTFOLIO):
        return "/portfolio"
    return "/data-quality" if has_quality(caller) else "/connect"


HANDLERS = (home,)
