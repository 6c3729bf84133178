"""How an account compares with others."""

from typing import Final

import msgspec
from litestar import Controller, get

from valueplatform.api.calling import AccountKey, Caller, OpenGate, open_account, partner_of
from valueplatform.api.documentation import READS, answers
from valueplatform.core.authorization import Action, scope_of
from valueplatform.value.benchmark_read import METHOD, PRACTICE_METHOD, AccountBenchmarks, read_benchmarks
from valueplatform.value.models import newest_model
from valueplatform.value.projection import METHOD as PROJECTION_METHOD
from valueplatform.value.projection import PROJECTION, Projection, read_projection

_EXAMPLE: Final = {
    "account": "harbor-logistics",
    "as_of": "2026-05-04T16:01:00Z",
    "months": ["2026-02-01", "2026-03-01", "2026-04-01"],
    "scale": "technicians",
    "drivers": [
        {
            "driver": "dispatch_time",
            "title": "Dispatch hours saved",
            "unit": "USD",
            "benefit_class": "capacity",
            "total": "36402.5000",
            "scale": "27.000000000",
            "compared": [
                {
                    "per": "scale",
                    "cohort": "logistics",
                    "cohort_title": "Logistics and cold chain",
                    "accounts": 38,
                    "lower": "301",
                    "median": "412",
                    "upper": "530",
                    "value": "449.413580247",
                    "percentile": "62.2",
                }
            ],
            "withheld": None,
            "practice": {
                "cohort": "logistics",
                "cohort_title": "Logistics and cold chain",
                "practice": {
                    "segment": "logistics",
                    "driver": "dispatch_time",
                    "per": "scale",
                    "top": 10,
                    "rest": 28,
                    "compared": 9,
                    "habits": [],
                },
                "habits": [
                    {
                        "title": "Route planning",
                        "habit": {
                            "feature": "route-planning",
                            "top_using": 9,
                            "top": 10,
                            "rest_using": 7,
                            "rest": 28,
                            "difference": "0.6500",
                            "low": "0.1466",
                            "high": "0.8540",
                            "position": "3.0",
                        },
                    }
                ],
            },
            "evidence": "benchmark",
        }
    ],
    "method": METHOD,
    "practice_method": PRACTICE_METHOD,
}
_PROJECTED: Final = {
    "account": "vista-campus",
    "projection": {
        "as_of": "2026-05-04T16:01:00Z",
        "months": ["2026-02-01", "2026-03-01", "2026-04-01"],
        "scale": "technicians",
        "drivers": [
            {
                "driver": "dispatch_time",
                "title": "Dispatch hours saved",
                "unit": "USD",
                "benefit_class": "capacity",
                "low": "17400.0000",
                "expected": "24720.0000",
                "high": "32460.0000",
                "per": "scale",
                "cohort": "facilities",
                "cohort_title": "Facilities and HVAC",
                "accounts": 38,
                "lower": "290",
                "median": "412",
                "upper": "541",
                "scale": "60",
                "evidence": "benchmark",
                "state": PROJECTION,
            }
        ],
        "not_projected": [
            {"driver": "quotes_on_site", "title": "Work quoted and won on site", "reason": "fewer-than-five"}
        ],
        "profile": [
            {"attribute": "segment", "accounts": 152, "strength": "0.071", "p_value": "0.037564", "holds": True},
            {"attribute": "technicians", "accounts": 152, "strength": "0.673", "p_value": "0.000000", "holds": True},
        ],
        "says": "Realized value grows with technicians (rank correlation 0.67 over 152 companies), so companies are "
        "compared by their technicians.",
        "state": PROJECTION,
        "method": PROJECTION_METHOD,
    },
}


class ProjectionOut(msgspec.Struct, frozen=True):
    """`projection` is null once the account has value of its own."""

    account: str
    projection: Projection | None


class BenchmarksController(Controller):
    path = "/api/v1/accounts/{key:str}"
    tags = ("Benchmarks",)

    @get(
        "/benchmarks",
        summary="Where an account stands among others",
        responses=answers(AccountBenchmarks, _EXAMPLE, *READS),
    )
    async def benchmarks(self, caller: Caller, gate: OpenGate, key: AccountKey) -> AccountBenchmarks:
        """By driver: the quartiles of a cohort a month, per account and per unit of scale, and the account's own value
        and percentile; then what the top quartile uses that others do not, in the usual order of adoption. A cohort is
        its segment where that has five accounts of which none is more than half, else all accounts; else `withheld`
        says why there is no figure. Nothing names another account, and nothing is said of causes. A partner reads its
        own drivers."""
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_VALUE)
            return await read_benchmarks(tx, account, provider=partner_of(caller))

    @get(
        "/projection",
        summary="What an account without value may expect",
        responses=answers(ProjectionOut, _PROJECTED, *READS),
    )
    async def projection(self, caller: Caller, gate: OpenGate, key: AccountKey) -> ProjectionOut:
        """By driver, a month: the median of comparable accounts, and between which one further account falls in one
        case of two; of its segment where that is a cohort, else of all; times its scale where that is known and
        realized value grows with it (`profile`). It is a projection, in no realized and no counted value, and null
        once the account has value of its own. A partner reads its own drivers."""
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_VALUE)
            model = await newest_model(tx)
            return ProjectionOut(account.key, await read_projection(tx, account, model, provider=partner_of(caller)))
