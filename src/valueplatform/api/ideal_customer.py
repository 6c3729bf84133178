"""The ideal customer profile, over the accounts in reach."""

from typing import Any, Final

from litestar import Controller, get

from valueplatform.api.calling import Caller, OpenGate
from valueplatform.api.documentation import READS, answers
from valueplatform.core.authorization import Action, require, scope_of
from valueplatform.narrative.ideal_profile_read import METHOD, IdealProfile, read_ideal_profile
from valueplatform.value.models import newest_model

_GROUP: Final[dict[str, Any]] = {
    "choice": None,
    "above": "60",
    "up_to": None,
    "currency": "USD",
    "accounts": 12,
    "median": "48200",
}
_EXAMPLE: Final = {
    "as_of": "2026-05-04T16:01:00Z",
    "months": ["2026-02-01", "2026-03-01", "2026-04-01"],
    "accounts": 38,
    "skill": "0.412",
    "says": "",
    "declared": [
        {
            "criterion": "mid-size",
            "title": "Mid-size field service",
            "attribute": "technicians",
            "one_of": [],
            "at_least": "30",
            "at_most": "400",
            "met": 25,
            "unmet": 11,
            "unknown": 2,
            "observed": True,
        }
    ],
    "observed": [
        {
            "attribute": "technicians",
            "kind": "number",
            "accounts": 36,
            "strength": "0.702",
            "p_value": "0.000034",
            "holds": True,
            "groups": [_GROUP],
        }
    ],
    "not_compared": ["crm_id"],
    "prospects": [
        {
            "account": "northgate",
            "name": "Northgate",
            "score": "71",
            "says": "",
            "reasons": [{"attribute": "technicians", "points": "14.2"}],
            "declared": [{"criterion": "mid-size", "title": "Mid-size field service", "met": True}],
        }
    ],
    "method": METHOD,
}


class IdealCustomerController(Controller):
    path = "/api/v1/ideal-customer"
    tags = ("Catalog",)

    @get(summary="The ideal customer profile, declared and observed", responses=answers(IdealProfile, _EXAMPLE, *READS))
    async def profile(self, caller: Caller, gate: OpenGate) -> IdealProfile:
        """Over all accounts in reach of the key: what the model declares of an ideal customer; which attributes go with
        realized value, with the accounts that they set apart; and how well accounts without value fit, with the
        reasons. `skill` is measured on accounts that the fit was not made from; where it is too low, there is no score.
        Groups of fewer than five, or with one of more than half, have no median. Going together is no cause."""
        require(caller, Action.READ_CATALOG)
        require(caller, Action.READ_VALUE)
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            return await read_ideal_profile(tx, await newest_model(tx))
