"""What goes back to a browser: pages, fragments, the way on after a write."""

from collections.abc import Mapping, Sequence
from typing import Final

from jinja2 import Environment
from litestar import Response
from litestar.datastructures import Cookie
from litestar.enums import MediaType

from valueplatform.portal.calling import PortalRequest
from valueplatform.portal.view.shell import Shell

NAMELESS: Final = "Value Platform"
"""What the product is called before a value model names its supplier."""
HX_REQUEST: Final = "hx-request"


class Pages:
    """Renders templates into answers. `supplier` is the name on the last page, for pages that cannot look it up."""

    def __init__(self, templates: Environment) -> None:
        self._templates = templates
        self.supplier = NAMELESS

    def render(self, template: str, **values: object) -> str:
        shell = values.get("shell")
        if isinstance(shell, Shell):
            self.supplier = shell.supplier
        return self._templates.get_template(template).render(values)

    def page(
        self, template: str, *, status_code: int = 200, cookies: Sequence[Cookie] = (), **values: object
    ) -> Response[str]:
        return Response(
            self.render(template, **values), status_code=status_code, media_type=MediaType.HTML, cookies=list(cookies)
        )


def is_own(path: str) -> bool:
    """Whether a form may lead back there: it is an address of ours, and not of another host."""
    return path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()


def wants_fragment(request: PortalRequest) -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get(HX_REQUEST) == "true"


def see_other(path: str, cookies: Sequence[Cookie] = ()) -> Response[str]:
    """After a write, and to a page that is elsewhere."""
    return nothing(303, {"Location": path}, cookies)


def nothing(status_code: int, headers: Mapping[str, str], cookies: Sequence[Cookie] = ()) -> Response[str]:
    """An answer that is all in its headers."""
    return Response(
        "", status_code=status_code, media_type=MediaType.TEXT, headers=dict(headers), cookies=list(cookies)
    )
