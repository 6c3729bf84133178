"""Finance: what a dollar invested delivered, for those who answer for it."""

from datetime import date, timedelta
from typing import Annotated, Final

from litestar import Response, get
from litestar.params import FromPath, FromQuery, QueryParameter

from valueplatform.core.authorization import Action
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.core.periods import Window
from valueplatform.portal.calling import Caller, PortalRequest
from valueplatform.portal.finance_csv import accounts_csv, measures_csv
from valueplatform.portal.finance_opened_view import opened_view
from valueplatform.portal.finance_view import ACCOUNTS_CSV, MEASURES_CSV, PATH, Asked, finance_view
from valueplatform.portal.frame import has_finance, supplier_shell
from valueplatform.portal.portal import Shared
from valueplatform.stewardship.finance_definitions import Metric
from valueplatform.stewardship.finance_ground import Question
from valueplatform.stewardship.finance_opened import opened_measure
from valueplatform.stewardship.finance_read import CUTS, STEPS, read_finance, stand_of
from valueplatform.value.models import newest_model

ROWS: Final = 50

Start = Annotated[str, QueryParameter(name="from")]
End = Annotated[str, QueryParameter(name="to")]
Last = Annotated[str, QueryParameter(name="through")]
Steps = Annotated[Window, QueryParameter(name="by")]


def _require(caller: Caller) -> None:
    """Raises NotFoundError for whoever has no such page."""
    if not has_finance(caller):
        raise NotFoundError("There is no such page for you.")
    caller.require(Action.READ_FINANCE)


def _asked(
    start: str, end: str, segment: str | None, *, last: str = "", steps: Window = Window.MONTH, cut: str = ""
) -> Asked:
    """`last` is the last day, as the form asks for it; addresses have the day after it. Raises InvalidInputError."""
    until = _day("through", last)
    after = until + timedelta(days=1) if until is not None else _day("to", end)
    chosen = steps if steps in STEPS else Window.MONTH
    return Asked(_day("from", start), after, segment, chosen, cut if cut in CUTS else CUTS[0])


def _day(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInputError(f"`{name}` is {text!r}; write the day as 2025-12-31.") from error


def _question(asked: Asked) -> Question:
    return Question(asked.start, asked.end, asked.segment, asked.steps)


@get(PATH)
async def finance(
    request: PortalRequest,
    portal: Shared,
    start: Start = "",
    end: End = "",
    last: Last = "",
    segment: FromQuery[str | None] = None,
    steps: Steps = Window.MONTH,
    cut: FromQuery[str] = "",
) -> Response[str]:
    asked = _asked(start, end, segment, last=last, steps=steps, cut=cut)
    async with portal.door.entered(request, steady=True) as caller:
        _require(caller)
        found = await read_finance(caller.tx, _question(asked), caller.now)
        shell = await supplier_shell(caller, PATH)
    return portal.pages.page("finance.html", shell=shell, finance=finance_view(found, asked))


@get(f"{PATH}/{{metric:str}}")
async def measure(
    request: PortalRequest,
    portal: Shared,
    metric: FromPath[str],
    start: Start = "",
    end: End = "",
    segment: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """A measure, opened."""
    asked = _asked(start, end, segment)
    async with portal.door.entered(request, steady=True) as caller:
        _require(caller)
        if metric not in set(Metric):
            raise NotFoundError(f"There is no measure {metric!r}.")
        opened = await opened_measure(caller.tx, Metric(metric), _question(asked), caller.now, ROWS, cursor)
        titles = {driver.slug: driver.label for driver in (await newest_model(caller.tx)).drivers}
        shell = await supplier_shell(caller, PATH)
    return portal.pages.page("finance_measure.html", shell=shell, opened=opened_view(opened, asked, titles))


@get(MEASURES_CSV)
async def measures(
    request: PortalRequest,
    portal: Shared,
    start: Start = "",
    end: End = "",
    segment: FromQuery[str | None] = None,
    steps: Steps = Window.MONTH,
) -> Response[bytes]:
    """Every measure as a file."""
    asked = _asked(start, end, segment, steps=steps)
    async with portal.door.entered(request, steady=True) as caller:
        _require(caller)
        content = measures_csv(await read_finance(caller.tx, _question(asked), caller.now))
    return _file(content, "finance.csv")


@get(ACCOUNTS_CSV)
async def accounts(
    request: PortalRequest, portal: Shared, start: Start = "", end: End = "", segment: FromQuery[str | None] = None
) -> Response[bytes]:
    """Every account's parts as a file."""
    asked = _asked(start, end, segment)
    async with portal.door.entered(request, steady=True) as caller:
        _require(caller)
        content = accounts_csv(await stand_of(caller.tx, _question(asked), caller.now))
    return _file(content, "finance-accounts.csv")


def _file(content: bytes, name: str) -> Response[bytes]:
    return Response(content, media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})


HANDLERS = (finance, measures, accounts, measure)
