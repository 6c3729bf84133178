"""A prospect's own estimate, for machines."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, post
from litestar.params import JSONBody
from msgspec import Meta

from valueplatform.api.calling import Caller, OpenGate
from valueplatform.api.documentation import READS, answers
from valueplatform.api.given import range_of
from valueplatform.core.authorization import Action, require, scope_of
from valueplatform.core.errors import InvalidInputError
from valueplatform.value.benchmark_store import newest_benchmarks
from valueplatform.value.model import CURRENCIES, ValueModel
from valueplatform.value.models import newest_model
from valueplatform.value.projection import Prospect
from valueplatform.value.self_estimate import Answers, SelfEstimate, self_estimate

_PROJECTED: Final = {
    "driver": "dispatch_time",
    "title": "Dispatch hours saved",
    "unit": "USD",
    "benefit_class": "capacity",
    "low": "21759.0361",
    "expected": "29783.1325",
    "high": "38313.2530",
    "per": "scale",
    "cohort": "facilities",
    "cohort_title": "Facilities and HVAC",
    "accounts": 38,
    "lower": "301",
    "median": "412",
    "upper": "530",
    "scale": "60",
    "evidence": "benchmark",
    "state": "projection",
}
_EXAMPLE: Final[dict[str, Any]] = {
    "projection": {
        "as_of": "2026-05-04T16:01:00Z",
        "months": ["2026-02-01", "2026-03-01", "2026-04-01"],
        "scale": "technicians",
        "drivers": [],
        "not_projected": [],
        "state": "projection",
        "method": "The quartiles of the cohort, each times the scale where there is one, rounded once.",
    },
    "drivers": [
        {
            "projected": _PROJECTED,
            "adjusted": [
                {
                    "slug": "dispatcher_hourly_cost",
                    "title": "Hourly cost of a dispatcher",
                    "own": "50",
                    "typical": "41.5",
                    "not_adjusted": None,
                }
            ],
        }
    ],
    "not_projected": [],
}


class EstimateIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Without a segment, of all companies; without a scale, per company; without drivers, of all. `values` are own
    values of assumptions and baselines, by slug."""

    segment: str | None = None
    currency: Annotated[str | None, Meta(examples=["USD"])] = None
    scale: Annotated[Decimal | None, Meta(examples=["60"])] = None
    drivers: tuple[str, ...] = ()
    values: Mapping[str, Decimal] = {}


class EstimatesController(Controller):
    path = "/api/v1/estimate"
    tags = ("Benchmarks",)

    @post(
        summary="What a company may expect, from a few answers",
        status_code=200,
        responses=answers(SelfEstimate, _EXAMPLE, *READS, 413),
    )
    async def estimate(self, caller: Caller, gate: OpenGate, data: JSONBody[EstimateIn]) -> SelfEstimate:
        """Figures of cohorts alone, by driver and a month, times the scale. An own value changes a figure by its ratio
        to what is usual in the cohort, where the amount is a multiple of it; `not_adjusted` says why it does not.
        Nothing is kept."""
        require(caller, Action.READ_VALUE)
        async with gate.web.transaction(scope_of(caller)) as tx:
            model, stored = await newest_model(tx), await newest_benchmarks(tx)
        return self_estimate(stored, model, checked(data, model))


def checked(data: EstimateIn, model: ValueModel) -> Answers:
    """Raises InvalidInputError, naming what the model does not have, or what is no positive number."""
    _known("segment", [data.segment] if data.segment is not None else [], {one.slug for one in model.segments})
    _known("currency", [data.currency] if data.currency is not None else [], CURRENCIES)
    _known("drivers", data.drivers, {one.slug for one in model.drivers})
    _known("values", data.values, {one.slug for one in (*model.assumptions, *model.baselines)})
    for name, value in [("scale", data.scale), *data.values.items()]:
        if value is not None and range_of(value, None, None, name).low <= 0:
            raise InvalidInputError(f"{name} is {value}; it must be above zero.")
    prospect = Prospect(data.segment, data.currency or model.supplier.currency, data.scale)
    return Answers(prospect, data.drivers, data.values)


def _known(name: str, given: Iterable[str], there_are: Collection[str]) -> None:
    for one in given:
        if one not in there_are:
            raise InvalidInputError(f"`{name}`: the value model has no {one!r}.")
