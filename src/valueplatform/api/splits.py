"""How joint drivers are shared with partners: proposed by one of three parties, in force once all agree."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from valueplatform.accounts.accounts import Account
from valueplatform.api.calling import AccountKey, Caller, OpenGate, open_account, partner_of
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.given import LONGEST_TEXT, range_of, text_of
from valueplatform.api.once import Sent, once
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.core.authorization import Action, Principal, Side, scope_of
from valueplatform.core.numbers import decimal_text
from valueplatform.core.pages import Page
from valueplatform.core.periods import local_day
from valueplatform.stewardship.collaboration_store import look_anew
from valueplatform.value.answer import Amount
from valueplatform.value.models import newest_model
from valueplatform.value.split_record import Proposal, Speaker, answer_split, propose_split, read_splits
from valueplatform.value.splits import Act, Split, SplitState

SplitId = Annotated[int, PathParameter(ge=1, le=2**63 - 1, description="As listed.")]


class SaidOut(msgspec.Struct, frozen=True):
    """What one party said. A partner is not told who spoke for others."""

    side: Side
    action: Act
    author: str | None
    reason: str
    known_at: datetime


class SplitOut(msgspec.Struct, frozen=True):
    """In force from `since` until the day before `until`, local to the account; `said` names who agreed and when."""

    split_id: int
    driver: str
    provider: str
    share: Amount
    supplier_share: Amount
    state: SplitState
    since: date | None
    until: date | None
    said: tuple[SaidOut, ...]


class SplitIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`share` of a joint driver for the partner `provider`, and for the supplier beside it; from 0 to 1, together at
    most 1. What no line takes stays joint."""

    driver: str
    provider: Annotated[str, Meta(examples=["tessera"])]
    share: Annotated[Decimal, Meta(examples=["0.3"])]
    reason: str
    supplier_share: Decimal = Decimal(0)


class WhyIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: str


_NOW = "2026-02-01T09:00:00Z"
_EXAMPLE = {
    "split_id": 1,
    "driver": "invoices_paid_sooner",
    "provider": "tessera",
    "share": "0.3",
    "supplier_share": "0.5",
    "state": "in-force",
    "since": "2026-02-01",
    "until": None,
    "said": [
        {"side": "supplier", "action": "propose", "author": "key admin", "reason": "As we sold it.", "known_at": _NOW},
        {"side": "partner", "action": "agree", "author": "key Tessera", "reason": "Fine.", "known_at": _NOW},
        {"side": "customer", "action": "agree", "author": "vera@harbor.example", "reason": "Fair.", "known_at": _NOW},
    ],
}


class SplitsController(Controller):
    path = "/api/v1/accounts/{key:str}/splits"
    tags = ("Splits",)

    @get(summary="Splits, and who agreed", responses=answers(Page[SplitOut], Page([_EXAMPLE], None), *READS))
    async def read(
        self, caller: Caller, gate: OpenGate, key: AccountKey, limit: Limit = SHORT, cursor: Cursor = None
    ) -> Page[SplitOut]:
        """Every proposal, oldest first, with all that was said of it. A partner is shown those of its own share."""
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_VALUE)
            found = await read_splits(tx, account.account_id)
        shown = [
            split_out(one, masked=partner_of(caller) is not None)
            for one in found
            if partner_of(caller) in {None, one.provider}
        ]
        return page_after(shown, limit, cursor, lambda one: str(one.split_id))

    @post(summary="Propose a split", responses=answers(SplitOut, _EXAMPLE, *WRITES, status=201))
    async def propose(
        self, sending: Sent, gate: OpenGate, key: AccountKey, data: JSONBody[SplitIn]
    ) -> Response[SplitOut]:
        """For the customer's validator, the supplier and the partner itself. The proposer's party agrees by it; it
        is in force from the day on which the third has agreed, and replaces the partner's line before."""
        wanted, caller = proposal_of(data), sending.caller
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.AGREE_SPLIT)

            async def write() -> Any:
                who = speaker_of(caller, account, gate.clock())
                made = await propose_split(tx, account.account_id, await newest_model(tx), wanted, who)
                await look_anew(tx, account.account_id, gate.clock())
                return split_out(made, masked=who.provider is not None)

            return await once(tx, sending, gate.clock, write)

    @post("/{split_id:int}/agree", summary="Agree", responses=answers(SplitOut, _EXAMPLE, *WRITES, status=201))
    async def agree(
        self, sending: Sent, gate: OpenGate, key: AccountKey, split_id: SplitId, data: JSONBody[WhyIn]
    ) -> Response[SplitOut]:
        """For one's own party. Only the newest proposal of a driver and a partner can be agreed to."""
        return await _answer(sending, gate, key, split_id, (Act.AGREE, data.reason))

    @post("/{split_id:int}/refuse", summary="Refuse", responses=answers(SplitOut, _EXAMPLE, *WRITES, status=201))
    async def refuse(
        self, sending: Sent, gate: OpenGate, key: AccountKey, split_id: SplitId, data: JSONBody[WhyIn]
    ) -> Response[SplitOut]:
        """One refusal ends the proposal; what held before goes on."""
        return await _answer(sending, gate, key, split_id, (Act.REFUSE, data.reason))

    @post("/{split_id:int}/withdraw", summary="Withdraw", responses=answers(SplitOut, _EXAMPLE, *WRITES, status=201))
    async def withdraw(
        self, sending: Sent, gate: OpenGate, key: AccountKey, split_id: SplitId, data: JSONBody[WhyIn]
    ) -> Response[SplitOut]:
        """For the party that proposed it."""
        return await _answer(sending, gate, key, split_id, (Act.WITHDRAW, data.reason))


async def _answer(sending: Sent, gate: OpenGate, key: str, split_id: int, said: tuple[Act, str]) -> Response[SplitOut]:
    act, why = said[0], text_of(said[1], "reason", LONGEST_TEXT)
    caller = sending.caller
    async with gate.web.transaction(scope_of(caller)) as tx:
        account = await open_account(tx, caller, key, Action.AGREE_SPLIT)

        async def write() -> Any:
            who = speaker_of(caller, account, gate.clock())
            answered = await answer_split(tx, account.account_id, split_id, act, why, who)
            await look_anew(tx, account.account_id, gate.clock())
            return split_out(answered, masked=who.provider is not None)

        return await once(tx, sending, gate.clock, write)


def proposal_of(data: SplitIn) -> Proposal:
    """Raises InvalidInputError for what the record cannot keep."""
    return Proposal(
        text_of(data.driver, "driver"),
        text_of(data.provider, "provider"),
        range_of(data.share, None, None, "share").expected,
        range_of(data.supplier_share, None, None, "supplier_share").expected,
        text_of(data.reason, "reason", LONGEST_TEXT),
    )


def speaker_of(caller: Principal, account: Account, now: datetime) -> Speaker:
    provider = caller.provider if caller.side is Side.PARTNER else None
    return Speaker(caller.author, caller.side, provider, local_day(now, account.timezone), now)


def split_out(one: Split, *, masked: bool) -> SplitOut:
    """`masked`: for a partner, who is not told who spoke for others."""
    said = tuple(
        SaidOut(
            entry.side,
            entry.action,
            None if masked and entry.side is not Side.PARTNER else entry.author,
            entry.reason,
            entry.known_at,
        )
        for entry in one.said
    )
    return SplitOut(
        one.split_id,
        one.driver,
        one.provider,
        decimal_text(one.share),
        decimal_text(one.supplier_share),
        one.state,
        one.since,
        one.until,
        said,
    )
