"""`/` sends each role home; who has no pages of their own is told what they can use."""

from typing import Final

from litestar import Response, get

from valueplatform.core.authorization import Action, UserRole
from valueplatform.portal.answers import see_other
from valueplatform.portal.calling import Caller, PortalRequest
from valueplatform.portal.frame import has_finance, has_quality, plain_shell
from valueplatform.portal.portal import Shared
from valueplatform.portal.view.shell import Failure
from valueplatform.portal.view.words import Link

PLAIN: Final = Failure(
    "Your accounts are open to you by the API.",
    "There are no pages for partners yet. Accounts, value, stories and reports can be read with a key, which whoever "
    "runs this installation creates for you.",
    "",
    (Link("Read the API documentation", "/api/docs"),),
)
"""For whoever has no pages: partners, so far."""


@get("/")
async def home(request: PortalRequest, portal: Shared) -> Response[str]:
    async with portal.door.entered(request) as caller:
        path = home_of(caller)
        if path is not None:
            return see_other(path)
        shell = await plain_shell(caller)
    return portal.pages.page("plain.html", shell=shell, plain=PLAIN)


def home_of(caller: Caller) -> str | None:
    if caller.user.role is UserRole.CUSTOMER:
        return "/story"
    if caller.user.role is UserRole.FINANCE and has_finance(caller):
        return "/finance"
    if caller.may(Action.READ_PORTFOLIO):
        return "/portfolio"
    if has_quality(caller):
        return "/data-quality"
    return "/connect" if caller.may(Action.READ_INGEST) else None


HANDLERS = (home,)
