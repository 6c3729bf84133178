"""Every page of the portal, as one router."""

from collections.abc import Sequence

from litestar import Router
from litestar.types import ControllerRouterHandler

from valueplatform.portal import home, sign_in, story
from valueplatform.portal.failures import page_failures
from valueplatform.portal.portal import Portal, provided
from valueplatform.portal.static_files import static_file

LARGEST_FORM = 64 * 1024


def portal_handlers(portal: Portal) -> Sequence[ControllerRouterHandler]:
    """What `app.py` mounts: the pages, and the files that they load."""
    pages = Router(
        path="",
        route_handlers=[*home.HANDLERS, *sign_in.HANDLERS, *story.HANDLERS],
        dependencies=provided(portal),
        exception_handlers=page_failures(portal.pages),
        request_max_body_size=LARGEST_FORM,
        include_in_schema=False,
    )
    return pages, static_file
