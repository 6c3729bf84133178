"""What the features of the product are worth, over the accounts in reach."""

from datetime import date
from typing import Annotated, Any, Final

from litestar import Controller, get
from litestar.params import PathParameter, QueryParameter

from valueplatform.api.calling import Caller, OpenGate
from valueplatform.api.documentation import READS, answers
from valueplatform.core.authorization import Action, require, scope_of
from valueplatform.core.periods import local_day
from valueplatform.value.feature_book import FeatureBook, OpenedFeature
from valueplatform.value.feature_worth_read import feature_book, opened_feature, period_asked
from valueplatform.value.models import newest_model

_RELEASE: Final = {"slug": "reports-2", "title": "Reports 2", "day": "2026-04-01"}
_FEATURE: Final[dict[str, Any]] = {
    "feature": "job-reports",
    "title": "Job reports",
    "product": "mobile",
    "event_types": ["visit.completed"],
    "hypothesis": {
        "outcome": "A report filled in on site leaves less to go back for.",
        "driver": "repeat_visits_avoided",
        "meter": "visits",
        "baseline": "baseline_repeat_rate",
    },
    "missing": [],
    "drivers": ["repeat_visits_avoided"],
    "accounts": 31,
    "eligible": 36,
    "uses": 91240,
    "counted_by": "meter",
    "uses_says": "",
    "value": [
        {
            "driver": "repeat_visits_avoided",
            "unit": "USD",
            "benefit_class": "cashable",
            "state": "validated",
            "evidence": "measured",
            "accounts": 31,
            "divided": True,
            "low": None,
            "expected": "812440.5521",
            "high": None,
            "counted": "812440.5521",
        }
    ],
    "use": {
        "meter": "visits",
        "title": "Visits completed",
        "unit": "visit",
        "carried": True,
        "says": "By the meter that its hypothesis names, as far as its readings carry this feature: Visits completed.",
    },
    "per_use": [
        {
            "unit": "USD",
            "benefit_class": "cashable",
            "uses": "412310.0000",
            "expected": "1.9705",
            "counted": "1.9705",
        }
    ],
    "not_divided": [],
    "unrealized": [
        {
            "unit": "USD",
            "benefit_class": "cashable",
            "accounts": 4,
            "low": "31200.1000",
            "expected": "62110.8421",
            "high": "90811.0004",
            "cohorts": [
                {
                    "segment": "",
                    "users": 31,
                    "accounts": 4,
                    "low": "7800.0250",
                    "expected": "15527.7105",
                    "high": "22702.7501",
                }
            ],
            "not_compared": 0,
            "says": "",
        }
    ],
    "releases": [_RELEASE],
}
_DIVISION: Final = {
    "driver": "repeat_visits_avoided",
    "title": "Repeat visits avoided",
    "formula": "(visits * baseline_repeat_rate - repeat_visits) * cost_per_repeat_visit",
    "unit": "USD",
    "benefit_class": "cashable",
    "expected": "812440.5521",
    "counted": "812440.5521",
    "parts": [
        {"feature": "job-reports", "expected": "812440.5521", "counted": "812440.5521"},
        {"feature": "", "expected": "0.0000", "counted": "0.0000"},
    ],
    "says": "",
}
_BOOK: Final = {"start": "2026-03-01", "end": "2026-06-01", "features": [_FEATURE], "divisions": [_DIVISION]}


def _side(start: str, end: str, amount: str, a_day: str) -> dict[str, Any]:
    value = {
        "unit": "USD",
        "benefit_class": "cashable",
        "expected": amount,
        "counted": amount,
        "a_day": a_day,
        "per_use": "1.9705",
    }
    return {"start": start, "end": end, "using": 30, "uses": 55000, "uses_a_day": "982.1429", "value": [value]}


_OPENED: Final = {
    "start": "2026-03-01",
    "end": "2026-06-01",
    "worth": _FEATURE,
    "drivers": [
        {
            "driver": "repeat_visits_avoided",
            "title": "Repeat visits avoided",
            "formula": _DIVISION["formula"],
            "unit": "USD",
            "benefit_class": "cashable",
            "features": ["job-reports", "parts-check"],
        }
    ],
    "divisions": [_DIVISION],
    "releases": [
        {
            "release": _RELEASE,
            "days": 56,
            "accounts": 30,
            "before": _side("2026-02-04", "2026-04-01", "470112.0000", "8394.8571"),
            "after": _side("2026-04-01", "2026-05-27", "489742.0000", "8745.3929"),
            "says": "The same 30 accounts, 56 days on either side. Whatever else changed in these days is in it too, "
            "so this is no proof that the release caused the difference.",
        }
    ],
}
Start = Annotated[date | None, QueryParameter(name="from", description="First day; goes with `to`.")]
End = Annotated[
    date | None, QueryParameter(name="to", description="Day after the last. Without days, the last three whole months.")
]


class FeaturesController(Controller):
    path = "/api/v1/features"
    tags = ("Catalog",)

    @get(summary="What each feature is worth", responses=answers(FeatureBook, _BOOK, *READS))
    async def features(self, caller: Caller, gate: OpenGate, start: Start = None, end: End = None) -> FeatureBook:
        """Over all accounts in reach of the key: uses, and the feature's share of the value of the drivers that it
        serves, by driver, unit, class and state. Amounts are of the days that earned them, as computed now; what closed
        months were adjusted by stands elsewhere. Of a driver that several features serve, `divisions` tell each one's
        part, and what is attributed to none (`feature` empty): they add up to the driver.

        `per_use` is value over the quantity of the meter that the feature's hypothesis names, where its days add up,
        else over events of the feature: `use` says which. `uses` are always events.

        `unrealized` is an estimate, never part of a realized value. `missing` are the parts that the hypothesis of a
        feature lacks."""
        require(caller, Action.READ_CATALOG)
        require(caller, Action.READ_VALUE)
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            model = await newest_model(tx)
            today = local_day(gate.clock(), model.supplier.timezone)
            return await feature_book(tx, model, period_asked(start, end, today))

    @get(
        "/{feature:str}",
        summary="How the numbers of a feature come about",
        responses=answers(OpenedFeature, _OPENED, *READS),
    )
    async def opened(
        self,
        caller: Caller,
        gate: OpenGate,
        feature: Annotated[str, PathParameter(description="Its slug, as the model has it.")],
        start: Start = None,
        end: End = None,
    ) -> OpenedFeature:
        """The feature with its drivers' formulas, how shared drivers are divided, and its releases: value and uses of
        the same accounts over equally many days before and after, up to 56. That compares, and proves no cause."""
        require(caller, Action.READ_CATALOG)
        require(caller, Action.READ_VALUE)
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            model = await newest_model(tx)
            today = local_day(gate.clock(), model.supplier.timezone)
            return await opened_feature(tx, model, feature, period_asked(start, end, today), today)
