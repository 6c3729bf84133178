"""The driver library: drivers by objective, class, category, stage and persona; each opened."""

from typing import Annotated, Final

from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from valueplatform.core.authorization import Action
from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import local_day
from valueplatform.portal.calling import Caller, PortalRequest
from valueplatform.portal.catalog_view import PATH as CATALOG
from valueplatform.portal.drivers_view import PATH, Setting, driver_view, library_view
from valueplatform.portal.frame import has_catalog, supplier_shell
from valueplatform.portal.portal import Shared
from valueplatform.value.driver_library import Shelf
from valueplatform.value.driver_library_read import Uses, opened_driver, uses_of
from valueplatform.value.model import BenefitClass, ValueModel
from valueplatform.value.models import newest_model

Word = Annotated[str, QueryParameter()]


def _require(caller: Caller) -> None:
    """Raises NotFoundError for whoever has no catalog."""
    if not has_catalog(caller):
        raise NotFoundError("There is no such page for you.")


async def _uses(caller: Caller, driver: str | None) -> Uses | None:
    """None for whoever may not read value."""
    if not caller.may(Action.READ_VALUE):
        return None
    return await uses_of(caller.tx, driver, may_open=caller.may(Action.READ_PORTFOLIO))


def _setting(caller: Caller, model: ValueModel) -> Setting:
    timezone = model.supplier.timezone
    return Setting(model, local_day(caller.now, timezone), timezone)


@get(PATH)
async def drivers(
    request: PortalRequest,
    portal: Shared,
    objective: Word = "",
    benefit_class: Word = "",
    category: Word = "",
    stage: Word = "",
    persona: Word = "",
) -> Response[str]:
    """An unknown word finds nothing, an unknown class is none."""
    shelf = Shelf(
        objective=objective or None,
        benefit_class=BenefitClass(benefit_class) if benefit_class in set(BenefitClass) else None,
        category=category or None,
        stage=stage or None,
        persona=persona or None,
    )
    async with portal.door.entered(request, steady=True) as caller:
        _require(caller)
        model = await newest_model(caller.tx)
        uses = await _uses(caller, None)
        shell = await supplier_shell(caller, CATALOG)
    return portal.pages.page("drivers.html", shell=shell, library=library_view(_setting(caller, model), shelf, uses))


@get(f"{PATH}/{{slug:str}}")
async def driver(request: PortalRequest, portal: Shared, slug: FromPath[str]) -> Response[str]:
    async with portal.door.entered(request, steady=True) as caller:
        _require(caller)
        model = await newest_model(caller.tx)
        found, versions = await opened_driver(caller.tx, model, slug)
        uses = await _uses(caller, slug)
        shell = await supplier_shell(caller, CATALOG)
    page = driver_view(_setting(caller, model), found, versions, uses)
    return portal.pages.page("driver.html", shell=shell, driver=page)


HANDLERS: Final = (drivers, driver)
