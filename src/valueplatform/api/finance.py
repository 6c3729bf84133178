"""Finance: what a dollar invested delivered, retention, unit economics, and the exchange rates that totals need."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromQuery, JSONBody, PathParameter, QueryParameter

from valueplatform.accounts.exchange_rates import ExchangeRate, KnownRate, known_rates, record_rate
from valueplatform.api.calling import Caller, OpenGate
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.once import Sent, once
from valueplatform.core.authorization import Action, require, scope_of
from valueplatform.core.pages import DEFAULT_LIMIT, Page
from valueplatform.core.periods import Window
from valueplatform.stewardship.finance import SAYS, Figure
from valueplatform.stewardship.finance_definitions import DEFINITIONS, PARTS, Definition, Metric, Part, parts_of
from valueplatform.stewardship.finance_ground import Question
from valueplatform.stewardship.finance_opened import AccountPart, CostLine, OpenedMeasure, opened_measure, unit_of
from valueplatform.stewardship.finance_read import ContributionRow, Finance, LeftOut, NextDollar, read_finance
from valueplatform.value.models import newest_model


class Measure(msgspec.Struct, frozen=True):
    """A measure with its definition. `value` null: `reason` is the code and `says` the sentence why it cannot be told.
    `bounded`: the horizon of 60 months stands in for a longer lifetime. `parts` are totals that it is made of."""

    metric: Metric
    title: str
    unit: str
    value: Decimal | None
    reason: str | None
    says: str | None
    bounded: bool
    formula: str
    definition: str
    parts: Mapping[str, Decimal]


class StepOut(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """One step of the trend: value per dollar of the step itself, all else of the year that ends with it."""

    start: date
    end: date
    left_out: int
    measures: Mapping[str, Decimal | None]


class SegmentOut(msgspec.Struct, frozen=True):
    """A segment by the costs of its own accounts; shared cost belongs to none."""

    segment: str
    title: str
    accounts: int
    measures: Mapping[str, Decimal | None]


class FinanceOut(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """`currency` is the supplier's. `left_out` names every account that is in no total, and the rate that it lacks."""

    currency: str
    start: date
    end: date
    segment: str | None
    accounts: int
    measures: list[Measure]
    value_by_class: Mapping[str, Decimal]
    trend: list[StepOut]
    segments: list[SegmentOut]
    revenue: Mapping[str, Sequence[ContributionRow]]
    next_dollar: Sequence[NextDollar]
    left_out: Sequence[LeftOut]


class OpenedOut(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """A measure opened. `recomputed` is the same number by separate code, from the rows themselves; `uses` defines the
    measures that its formula names, `made_of` the parts."""

    measure: Measure
    uses: list[Definition]
    made_of: list[Part]
    source: str
    currency: str
    start: date
    end: date
    segment: str | None
    recomputed: Decimal | None
    agrees: bool
    shared_costs: Sequence[CostLine]
    rates: Sequence[ExchangeRate]
    left_out: Sequence[LeftOut]
    accounts: Page[AccountPart]


class RateIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One unit of `currency` is `rate` of the supplier's currency from `day` on, until the next day that has a rate."""

    currency: str
    day: date
    rate: Decimal
    source: str


_MEASURE: Final = {
    "metric": "nrr",
    "title": "Net revenue retention",
    "unit": "share",
    "value": "1.0416",
    "reason": None,
    "says": None,
    "bounded": False,
    "formula": DEFINITIONS[Metric.NRR].formula,
    "definition": DEFINITIONS[Metric.NRR].says,
    "parts": {
        "opening": "812400.0000",
        "expansion": "74115.8400",
        "contraction": "18320.0000",
        "churned": "22000.0000",
    },
}
_FINANCE: Final[dict[str, Any]] = {
    "currency": "USD",
    "from": "2025-05-01",
    "to": "2026-05-01",
    "segment": None,
    "accounts": 36,
    "measures": [_MEASURE],
    "value_by_class": {"cashable": "4130224.1180", "capacity": "6120443.0021"},
    "trend": [
        {"from": "2026-04-01", "to": "2026-05-01", "left_out": 0, "measures": {"nrr": "1.0416", "grr": "0.9503"}}
    ],
    "segments": [
        {"segment": "logistics", "title": "Logistics", "accounts": 7, "measures": {"nrr": "1.0620", "grr": "1.0000"}}
    ],
    "revenue": {
        "driver": [
            {
                "name": "dispatch_time",
                "title": "Dispatch time saved",
                "revenue": "402118.2231",
                "value": "1620440.1180",
                "attributed": True,
            }
        ]
    },
    "next_dollar": [
        {"rank": 1, "segment": "logistics", "title": "Logistics", "accounts": 7, "value_per_dollar": "6.1180"}
    ],
    "left_out": [{"account": "hokuriku", "name": "Hokuriku", "currency": "JPY", "day": "2025-05-01"}],
}
_ACCOUNT: Final = {
    "account": "harbor-logistics",
    "name": "Harbor Logistics",
    "segment": "logistics",
    "currency": "USD",
    "parts": {"opening": "41200.0000", "expansion": "2472.0000", "contraction": "0.0000", "churned": "0.0000"},
    "first_paid": "2024-12-01",
    "contracts": [
        {
            "contract_id": "harbor-logistics-term-1",
            "start": "2024-12-01",
            "end": "2025-12-01",
            "amount": "494400.000000000",
            "currency": "USD",
            "period": "year",
            "kind": "new",
            "provider": "supplier",
        }
    ],
    "costs": [],
    "value_by": {},
    "revenue_by": {},
    "value_at": "/api/v1/accounts/harbor-logistics/value?from=2025-05-01&to=2026-05-01",
    "left_out": False,
}
_OPENED: Final[dict[str, Any]] = {
    "measure": _MEASURE,
    "uses": [],
    "made_of": [msgspec.to_builtins(part) for part in parts_of(Metric.NRR)],
    "source": DEFINITIONS[Metric.NRR].source,
    "currency": "USD",
    "from": "2025-05-01",
    "to": "2026-05-01",
    "segment": None,
    "recomputed": "1.0416",
    "agrees": True,
    "shared_costs": [],
    "rates": [],
    "left_out": [],
    "accounts": {"items": [_ACCOUNT], "next_cursor": None},
}
_RATE: Final = {
    "rate": {"currency": "EUR", "target": "USD", "day": "2026-01-01", "rate": "1.0823", "source": "ECB"},
    "author": "finance@fieldnote.example",
    "known_at": "2026-01-02T08:00:00Z",
}
From = Annotated[date | None, QueryParameter(name="from", description="First day; without it, a year before `to`.")]
To = Annotated[
    date | None,
    QueryParameter(
        name="to", description="Day after the last, in the supplier's days; without both, this month's first."
    ),
]
Segment = Annotated[str | None, QueryParameter(description="Only accounts of it; shared cost is then in nothing.")]
By = Annotated[Window, QueryParameter(name="by", description="How long each step of the trend is: MONTH or QUARTER.")]


class FinanceController(Controller):
    path = "/api/v1/finance"
    tags = ("Finance",)

    @get(summary="Every measure of a window", responses=answers(FinanceOut, _FINANCE, *READS))
    async def finance(
        self,
        caller: Caller,
        gate: OpenGate,
        start: From = None,
        end: To = None,
        segment: Segment = None,
        steps: By = Window.MONTH,
    ) -> FinanceOut:
        """Over all accounts, in the supplier's currency, from contracts, costs and counted value. Without days, over
        the last twelve whole months.

        Value goes by the exchange rate of its day, contracts and costs by that of the first day of their month; an
        account whose rate is not known is in no total, and named. Retention in the trend is of the year that ends with
        the step, value per dollar of the step. For whoever may see every account."""
        require(caller, Action.READ_FINANCE)
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            return finance_out(await read_finance(tx, Question(start, end, segment, steps), gate.clock()))

    @get("/{metric:str}", summary="A measure, opened", responses=answers(OpenedOut, _OPENED, *READS))
    async def measure(
        self,
        caller: Caller,
        gate: OpenGate,
        metric: Annotated[Metric, PathParameter(description="As the list of measures names it.")],
        start: From = None,
        end: To = None,
        segment: Segment = None,
        limit: FromQuery[int] = DEFAULT_LIMIT,
        cursor: FromQuery[str | None] = None,
    ) -> OpenedOut:
        """Its definition, the totals that it is made of, every account's part with its contracts and costs, and
        the same number recomputed by separate code."""
        require(caller, Action.READ_FINANCE)
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            question = Question(start, end, segment)
            return opened_out(await opened_measure(tx, metric, question, gate.clock(), limit, cursor))


class RatesController(Controller):
    path = "/api/v1/exchange-rates"
    tags = ("Finance",)

    @get(summary="Every exchange rate that was said", responses=answers(list[KnownRate], [_RATE], *READS))
    async def rates(self, caller: Caller, gate: OpenGate) -> list[KnownRate]:
        """Into the supplier's currency, by currency and day; of two for one day the later holds."""
        require(caller, Action.READ_FINANCE)
        async with gate.web.transaction(scope_of(caller)) as tx:
            return await known_rates(tx, (await newest_model(tx)).supplier.currency)

    @post(summary="Say an exchange rate", responses=answers(KnownRate, _RATE, *WRITES, status=201))
    async def say(self, sending: Sent, gate: OpenGate, data: JSONBody[RateIn]) -> Response[KnownRate]:
        """Into the supplier's currency. What was said before stays in the record."""
        caller = sending.caller
        require(caller, Action.MANAGE_RATES)
        async with gate.web.transaction(scope_of(caller)) as tx:

            async def write() -> Any:
                target = (await newest_model(tx)).supplier.currency
                said = ExchangeRate(
                    currency=data.currency, target=target, day=data.day, rate=data.rate, source=data.source
                )
                return await record_rate(tx, said, caller.author, gate.clock())

            return await once(tx, sending, gate.clock, write)


def measure_out(figure: Figure, currency: str) -> Measure:
    definition = DEFINITIONS[figure.metric]
    return Measure(
        metric=figure.metric,
        title=definition.title,
        unit=unit_of(definition.unit, currency),
        value=figure.value,
        reason=figure.reason.value if figure.reason else None,
        says=SAYS[figure.reason] if figure.reason else None,
        bounded=figure.bounded,
        formula=definition.formula,
        definition=definition.says,
        parts=figure.parts,
    )


def _values(figures: Iterable[Figure]) -> dict[str, Decimal | None]:
    return {one.metric.value: one.value for one in figures}


def finance_out(found: Finance) -> FinanceOut:
    return FinanceOut(
        currency=found.currency,
        start=found.start,
        end=found.end,
        segment=found.segment,
        accounts=found.accounts,
        measures=[measure_out(one, found.currency) for one in found.figures],
        value_by_class=found.classes,
        trend=[StepOut(one.start, one.end, one.left_out, _values(one.figures)) for one in found.trend],
        segments=[SegmentOut(one.segment, one.title, one.accounts, _values(one.figures)) for one in found.segments],
        revenue=found.revenue,
        next_dollar=found.next_dollar,
        left_out=found.left_out,
    )


def opened_out(opened: OpenedMeasure) -> OpenedOut:
    return OpenedOut(
        measure=measure_out(opened.figure, opened.currency),
        uses=list(opened.uses),
        made_of=[PARTS[name] for name in opened.figure.parts],
        source=opened.definition.source,
        currency=opened.currency,
        start=opened.start,
        end=opened.end,
        segment=opened.segment,
        recomputed=opened.recomputed,
        agrees=opened.agrees,
        shared_costs=opened.shared_costs,
        rates=opened.rates,
        left_out=opened.left_out,
        accounts=opened.accounts,
    )
