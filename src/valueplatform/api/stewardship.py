"""What calls for a person: the portfolio by value at stake, and open signals."""

from typing import Annotated

from litestar import Controller, get
from litestar.params import FromQuery, QueryParameter

from valueplatform.api.calling import Caller, OpenGate
from valueplatform.api.documentation import READS, answers
from valueplatform.core.authorization import Action, require, scope_of
from valueplatform.core.pages import DEFAULT_LIMIT, Page
from valueplatform.core.periods import local_day
from valueplatform.stewardship.portfolio import Filter, PortfolioRow, portfolio_page
from valueplatform.stewardship.signal_store import SignalItem, signals_page
from valueplatform.value.models import newest_model


class StewardshipController(Controller):
    path = "/api/v1"
    tags = ("Stewardship",)

    @get("/portfolio", summary="Accounts by value at stake", responses=answers(Page[PortfolioRow], None, *READS))
    async def portfolio(
        self,
        caller: Caller,
        gate: OpenGate,
        chosen: Annotated[Filter, QueryParameter(name="filter", description="Which accounts.")] = Filter.ALL,
        search: Annotated[str, QueryParameter(description="Part of an account's name or key.")] = "",
        limit: FromQuery[int] = DEFAULT_LIMIT,
        cursor: FromQuery[str | None] = None,
    ) -> Page[PortfolioRow]:
        """Those that call today first, and among them the most at stake."""
        require(caller, Action.READ_PORTFOLIO)
        async with gate.web.transaction(scope_of(caller)) as tx:
            today = local_day(gate.clock(), (await newest_model(tx)).supplier.timezone)
            return await portfolio_page(tx, today, chosen=chosen, search=search, limit=limit, cursor=cursor)

    @get("/signals", summary="Open signals, the latest first", responses=answers(Page[SignalItem], None, *READS))
    async def signals(
        self,
        caller: Caller,
        gate: OpenGate,
        limit: FromQuery[int] = DEFAULT_LIMIT,
        cursor: FromQuery[str | None] = None,
    ) -> Page[SignalItem]:
        require(caller, Action.READ_SIGNALS)
        async with gate.web.transaction(scope_of(caller)) as tx:
            return await signals_page(tx, limit=limit, cursor=cursor)
