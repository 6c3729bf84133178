"""Features: what each part of the product is worth, and which have no whole value hypothesis."""

from datetime import date, timedelta
from typing import Annotated, Final

from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from valueplatform.core.authorization import Action
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.core.periods import local_day
from valueplatform.portal.calling import Caller, PortalRequest
from valueplatform.portal.catalog_view import PATH as CATALOG
from valueplatform.portal.features_view import PATH, Asked, feature_view, features_view
from valueplatform.portal.frame import has_catalog, supplier_shell
from valueplatform.portal.portal import Shared
from valueplatform.value.feature_worth_read import feature_book, opened_feature, period_asked
from valueplatform.value.models import newest_model

Start = Annotated[str, QueryParameter(name="from")]
End = Annotated[str, QueryParameter(name="to")]
Last = Annotated[str, QueryParameter(name="through")]


def _require(caller: Caller) -> None:
    """Raises NotFoundError for whoever has no catalog."""
    if not has_catalog(caller):
        raise NotFoundError("There is no such page for you.")
    caller.require(Action.READ_VALUE)


def _asked(start: str, end: str, last: str = "") -> Asked:
    """`last` is the last day, as the form asks for it; addresses have the day after it. Raises InvalidInputError."""
    until = _day("through", last)
    return Asked(_day("from", start), until + timedelta(days=1) if until is not None else _day("to", end))


def _day(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInputError(f"`{name}` is {text!r}; write the day as 2025-12-31.") from error


@get(PATH)
async def features(
    request: PortalRequest, portal: Shared, start: Start = "", end: End = "", last: Last = ""
) -> Response[str]:
    asked = _asked(start, end, last)
    async with portal.door.entered(request, steady=True) as caller:
        _require(caller)
        model = await newest_model(caller.tx)
        today = local_day(caller.now, model.supplier.timezone)
        book = await feature_book(caller.tx, model, period_asked(asked.start, asked.end, today))
        shell = await supplier_shell(caller, CATALOG)
    shown = features_view(book, asked, model.supplier.currency)
    return portal.pages.page("features.html", shell=shell, features=shown)


@get(f"{PATH}/{{feature:str}}")
async def feature(
    request: PortalRequest, portal: Shared, feature: FromPath[str], start: Start = "", end: End = ""
) -> Response[str]:
    """How the numbers of one feature come about."""
    asked = _asked(start, end)
    async with portal.door.entered(request, steady=True) as caller:
        _require(caller)
        model = await newest_model(caller.tx)
        today = local_day(caller.now, model.supplier.timezone)
        period = period_asked(asked.start, asked.end, today)
        found = await opened_feature(caller.tx, model, feature, period, today)
        shell = await supplier_shell(caller, CATALOG)
    return portal.pages.page("feature.html", shell=shell, feature=feature_view(found, asked, model.supplier.currency))


HANDLERS: Final = (features, feature)
