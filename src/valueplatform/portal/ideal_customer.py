"""The ideal customer profile: what is declared beside what is observed, and which prospects fit."""

from typing import Final

from litestar import Response, get

from valueplatform.core.authorization import Action
from valueplatform.core.errors import NotFoundError
from valueplatform.narrative.ideal_profile_read import read_ideal_profile
from valueplatform.portal.calling import PortalRequest
from valueplatform.portal.catalog_view import PATH as CATALOG
from valueplatform.portal.frame import has_catalog, supplier_shell
from valueplatform.portal.ideal_customer_view import PATH, ideal_customer_view
from valueplatform.portal.portal import Shared
from valueplatform.value.models import newest_model


@get(PATH)
async def ideal_customer(request: PortalRequest, portal: Shared) -> Response[str]:
    async with portal.door.entered(request, steady=True) as caller:
        if not has_catalog(caller):
            raise NotFoundError("There is no such page for you.")
        caller.require(Action.READ_VALUE)
        found = await read_ideal_profile(caller.tx, await newest_model(caller.tx))
        shell = await supplier_shell(caller, CATALOG)
    return portal.pages.page("ideal-customer.html", shell=shell, profile=ideal_customer_view(found))


HANDLERS: Final = (ideal_customer,)
