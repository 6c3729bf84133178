"""Why value of one period differs from that of another."""

from datetime import date
from typing import Annotated

from litestar import Controller, get
from litestar.params import QueryParameter

from valueplatform.api.calling import AccountKey, Caller, OpenGate, groups_of, open_account, partner_of
from valueplatform.api.documentation import READS, answers
from valueplatform.core.authorization import Action, scope_of
from valueplatform.core.periods import local_day
from valueplatform.value.bridge_answer import BridgeAnswer, bridge_answer
from valueplatform.value.bridge_read import GROUPS, BridgeQuestion, periods_asked, read_bridge

_PARTS = {
    "volume": "1200.0000",
    "mix": "0.0000",
    "rate": "-400.0000",
    "assumption": "-150.0000",
    "new": "0.0000",
    "lost": "0.0000",
    "adjusted": "35.5000",
}
_BRIDGE = {
    "account": "harbor-logistics",
    "currency": "USD",
    "from": "2026-05-01",
    "to": "2026-06-01",
    "against_from": "2026-04-01",
    "against_to": "2026-05-01",
    "by": ["driver"],
    "counted": False,
    "rows": [
        {
            "driver": "dispatch_time",
            "unit": "USD",
            "benefit_class": "capacity",
            "state": "validated",
            "evidence": "measured",
            "before": "10342.5000",
            "after": "11028.0000",
            "change": "685.5000",
            "parts": _PARTS,
            "assumptions": [{"slug": "hourly_cost", "amount": "-150.0000", "before": "45", "after": "44"}],
            "volume": {"meter": "jobs", "before": "1150", "after": "1283", "days_before": 30, "days_after": 31},
        }
    ],
    "totals": {
        "before": "10342.5000",
        "after": "11028.0000",
        "change": "685.5000",
        "counted_before": "10342.5000",
        "counted_after": "11028.0000",
        "parts": _PARTS,
        "excluded": [],
    },
    "without_value": [],
    "waits": False,
}


class BridgeController(Controller):
    path = "/api/v1/accounts"
    tags = ("Accounts",)

    @get(
        "/{key:str}/bridge",
        summary="Why value of one period differs from that of another",
        responses=answers(BridgeAnswer, _BRIDGE, *READS, 422),
    )
    async def bridge(
        self,
        caller: Caller,
        gate: OpenGate,
        key: AccountKey,
        start: Annotated[
            date | None, QueryParameter(name="from", description="First day; without it, of the last whole month.")
        ] = None,
        end: Annotated[
            date | None, QueryParameter(name="to", description="Day after the last; goes with `from`.")
        ] = None,
        against_start: Annotated[
            date | None,
            QueryParameter(
                name="against_from",
                description="First day of the period to compare with; without it, as long a period right before.",
            ),
        ] = None,
        against_end: Annotated[
            date | None, QueryParameter(name="against_to", description="Day after its last; goes with `against_from`.")
        ] = None,
        by: Annotated[
            str | None,
            QueryParameter(
                description=f"Comma list of {', '.join(GROUPS)} and dimensions of meters (`team`); without it, driver."
            ),
        ] = None,
        driver: Annotated[str | None, QueryParameter(description="Comma list of drivers; without it, all.")] = None,
        *,
        counted: Annotated[
            bool, QueryParameter(description="Only what value rule 10 counts: validated, or measured by telemetry.")
        ] = False,
    ) -> BridgeAnswer:
        """Each row's change is split into volume, mix, rate, assumption, new, lost and adjusted parts that add up to it
        exactly, one step after the other: each with those before it as they are now and those after it as they were.
        Both ends are those of the value read. A dimension divides what adds; mix is then over its members.

        A partner reads its own rows, worked out from these alone.
        """
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            account = await open_account(tx, caller, key, Action.READ_VALUE)
            today = local_day(gate.clock(), account.timezone)
            before, after = periods_asked(start, end, against_start, against_end, today)
            question = BridgeQuestion(
                before=before,
                after=after,
                by=groups_of(by, ("driver",)),
                drivers=groups_of(driver, ()),
                provider=partner_of(caller),
                counted=counted,
            )
            return bridge_answer(await read_bridge(tx, account, question))
