"""Every page of the portal, as one router."""

from typing import Final

from litestar import Router

from valueplatform.portal import home, proof, sign_in, story
from valueplatform.portal.failures import page_failures
from valueplatform.portal.portal import Portal, provided

LARGEST_FORM: Final = 64 * 1024


def portal_router(portal: Portal) -> Router:
    return Router(
        path="/",
        route_handlers=[*home.HANDLERS, *sign_in.HANDLERS, *story.HANDLERS, *proof.HANDLERS],
        dependencies=provided(portal),
        exception_handlers=page_failures(portal.pages),
        request_max_body_size=LARGEST_FORM,
        include_in_schema=False,
    )
