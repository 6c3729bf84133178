"""Value that partners report of their own, under the customer's consent."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.params import FromQuery, JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from valueplatform.accounts.accounts import Account
from valueplatform.api.calling import AccountKey, Caller, OpenGate, open_account, partner_of
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.given import LONGEST_TEXT, day_of, range_of, text_of
from valueplatform.api.once import Sent, once
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.core.authorization import Action, KeyPrincipal, Side, scope_of
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ForbiddenError, InvalidInputError, NotFoundError
from valueplatform.core.numbers import decimal_text, round_half_even
from valueplatform.core.pages import Page
from valueplatform.core.periods import ONE_DAY, Period, local_day, month_of
from valueplatform.stewardship.collaboration_store import look_anew
from valueplatform.value.answer import Amount
from valueplatform.value.contribution_record import answer, contribute, standings_of, withdraw
from valueplatform.value.contributions import Answer, Answering, Reported, Standing, Standings, as_partners_see
from valueplatform.value.model import BY_EVENT
from valueplatform.value.models import newest_model

_PERIOD: Final = re.compile(r"([0-9]{4}-[0-9]{2})(-[0-9]{2})?")
_LARGEST_ID: Final = 2**63 - 1
ContributionId = Annotated[int, PathParameter(ge=1, le=_LARGEST_ID, description="As listed.")]


class ContributionIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`id` is the partner's own, one for each contribution to the account. `driver` names one of the partner's drivers,
    whose measured value can corroborate it; without one it needs a `title`. Without a unit the amount is in the
    account's currency; a loss is negative."""

    account: Annotated[str, Meta(examples=["harbor-logistics"])]
    id: str
    amount: Decimal
    period: Annotated[str, Meta(description="A month or a day, local to the account.", examples=["2026-05"])]
    evidence: Annotated[str, Meta(description="What it rests on, for people to check.")]
    driver: str | None = None
    title: str | None = None
    unit: str | None = None
    source: str = "api"


class ContributionOut(msgspec.Struct, frozen=True, kw_only=True):
    """Partner-reported until `corroborated_by` is `validator` or `telemetry`; in no total of realized value either way.
    `end` is the day after the last. A partner is told neither of disputes nor who on the customer's side answered."""

    contribution_id: int
    provider: str
    id: str
    driver: str | None
    title: str
    amount: Amount
    unit: str
    start: date
    end: date
    evidence: str
    source: str
    author: str
    known_at: datetime
    state: Standing
    corroborated_by: str | None
    answered_by: str | None
    reason: str | None


class ReasonIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(examples=["Agrees with our own books."])]


_EXAMPLE = {
    "contribution_id": 1,
    "provider": "tessera",
    "id": "2026-05-invoices",
    "driver": "invoices_synced",
    "title": "Invoices synced",
    "amount": "1200.0000",
    "unit": "USD",
    "start": "2026-05-01",
    "end": "2026-06-01",
    "evidence": "600 invoices in our ledger, two dollars each",
    "source": "ledger",
    "author": "key Tessera",
    "known_at": "2026-06-02T09:00:00Z",
    "state": "partner-reported",
    "corroborated_by": None,
    "answered_by": None,
    "reason": None,
}
AccountQuery = Annotated[str, QueryParameter(name="account", description="The account's key.")]


class ContributionsController(Controller):
    path = "/api/v1/contributions"
    tags = ("Contributions",)

    @post(summary="Report value", responses=answers(ContributionOut, _EXAMPLE, *WRITES, status=201))
    async def send(self, sending: Sent, gate: OpenGate, data: JSONBody[ContributionIn]) -> Response[ContributionOut]:
        """For partners that the customer lets (`consents`). The same contribution sent again is there already; another
        under the same id is a conflict, and the first stays."""
        caller = sending.caller
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, data.account, Action.CONTRIBUTE)
            provider = _provider(caller)

            async def write() -> Any:
                now = gate.clock()
                reported = await reported_of(tx, account, provider, data, local_day(now, account.timezone))
                made = await contribute(tx, account.account_id, reported, caller.author, now)
                await look_anew(tx, account.account_id, now)
                return await _one(tx, account, caller, made.contribution_id)

            return await once(tx, sending, gate.clock, write)

    @get(summary="What partners reported", responses=answers(Page[ContributionOut], Page([_EXAMPLE], None), *READS))
    async def listed(
        self, caller: Caller, gate: OpenGate, account: AccountQuery, limit: Limit = SHORT, cursor: Cursor = None
    ) -> Page[ContributionOut]:
        """In the order in which it came, with what was withdrawn. A partner is shown its own."""
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            found = await _seen(tx, await open_account(tx, caller, account, Action.READ_VALUE), caller)
        masked = partner_of(caller) is not None
        shown = [contribution_out(one, masked=masked) for one in found]
        return page_after(shown, limit, cursor, lambda one: str(one.contribution_id))

    @delete(
        summary="Withdraw what was reported", status_code=200, responses=answers(ContributionOut, _EXAMPLE, *WRITES)
    )
    async def take_back(
        self,
        sending: Sent,
        gate: OpenGate,
        account: AccountQuery,
        name: Annotated[str, QueryParameter(name="id", description="The partner's own id of it.")],
        reason: FromQuery[str] = "",
    ) -> Response[ContributionOut]:
        """It stays on record as withdrawn, and its id is not used again."""
        caller, why = sending.caller, text_of(reason, "reason", LONGEST_TEXT, empty="withdrawn")
        async with gate.web.transaction(scope_of(caller)) as tx:
            found = await open_account(tx, caller, account, Action.CONTRIBUTE)
            provider, wanted = _provider(caller), text_of(name, "id")

            async def write() -> Any:
                number = await withdraw(tx, found.account_id, provider, wanted, caller.author, gate.clock(), why)
                await look_anew(tx, found.account_id, gate.clock())
                return await _one(tx, found, caller, number)

            return await once(tx, sending, gate.clock, write, status=200)


class AnswersController(Controller):
    path = "/api/v1/accounts/{key:str}/contributions/{contribution_id:int}"
    tags = ("Contributions",)

    @post("/corroborate", summary="Corroborate", responses=answers(ContributionOut, _EXAMPLE, *WRITES, status=201))
    async def corroborate(
        self,
        sending: Sent,
        gate: OpenGate,
        key: AccountKey,
        contribution_id: ContributionId,
        data: JSONBody[ReasonIn],
    ) -> Response[ContributionOut]:
        """For a named validator on the customer's side."""
        return await _answer(sending, gate, key, contribution_id, Answering.CORROBORATE, data.reason)

    @post("/dispute", summary="Dispute", responses=answers(ContributionOut, _EXAMPLE, *WRITES, status=201))
    async def dispute(
        self,
        sending: Sent,
        gate: OpenGate,
        key: AccountKey,
        contribution_id: ContributionId,
        data: JSONBody[ReasonIn],
    ) -> Response[ContributionOut]:
        """For everybody on the customer's side."""
        return await _answer(sending, gate, key, contribution_id, Answering.DISPUTE, data.reason)


_RIGHT: Final = {
    Answering.CORROBORATE: Action.VALIDATE_ASSUMPTION,
    Answering.DISPUTE: Action.DISPUTE_ASSUMPTION,
}


async def _answer(
    sending: Sent, gate: OpenGate, key: str, contribution_id: int, action: Answering, reason: str
) -> Response[ContributionOut]:
    caller, why = sending.caller, text_of(reason, "reason", LONGEST_TEXT)
    async with gate.web.transaction(scope_of(caller)) as tx:
        account = await open_account(tx, caller, key, _RIGHT[action])
        if caller.side is not Side.CUSTOMER:
            raise ForbiddenError("Only the customer answers what a partner reports.")

        async def write() -> Any:
            said = Answer(action, caller.author, caller.side, why, gate.clock())
            await answer(tx, account.account_id, contribution_id, said)
            await look_anew(tx, account.account_id, said.known_at)
            return await _one(tx, account, caller, contribution_id)

        return await once(tx, sending, gate.clock, write)


def _provider(caller: KeyPrincipal) -> str:
    provider = partner_of(caller)
    if provider is None:
        raise ForbiddenError("Only a partner reports contributions, with a key of its own.")
    return provider


async def reported_of(tx: Transaction, account: Account, provider: str, data: ContributionIn, today: date) -> Reported:
    """What a partner sends, held to what the record can keep. Raises NotFoundError, InvalidInputError."""
    drivers = {one.slug: one for one in (await newest_model(tx)).drivers if one.provider in {provider, BY_EVENT}}
    driver = None if data.driver is None else drivers.get(text_of(data.driver, "driver"))
    if data.driver is not None and driver is None:
        raise NotFoundError(f"There is no driver {data.driver!r} of yours.")
    period = _period(data.period)
    if period.start > today:
        raise InvalidInputError(f"`period` ({data.period}) has not begun; report what was realized.")
    amount = range_of(data.amount, None, None, "amount").expected
    amount = round_half_even(*amount.as_integer_ratio())
    if not amount:
        raise InvalidInputError("`amount` is nothing; report a gain, or a loss as a negative number.")
    return Reported(
        provider=provider,
        id=text_of(data.id, "id"),
        driver=None if driver is None else driver.slug,
        title=text_of(data.title or "", "title", empty=None if driver is None else driver.title),
        amount=amount,
        unit=text_of(data.unit or "", "unit", empty=account.currency),
        period=period,
        evidence=text_of(data.evidence, "evidence", LONGEST_TEXT),
        source=text_of(data.source, "source", empty="api"),
    )


def _period(text: str) -> Period:
    parts = _PERIOD.fullmatch(text)
    try:
        day = date.fromisoformat(f"{parts[1]}{parts[2] or '-01'}" if parts else "")
    except ValueError as error:
        raise InvalidInputError(f"`period` is {text!r}; write a month as 2026-05 or a day as 2026-05-04.") from error
    day_of(day, "period")
    return Period(day, day + ONE_DAY) if parts and parts[2] else month_of(day)


async def _seen(tx: Transaction, account: Account, caller: KeyPrincipal) -> list[Standings]:
    found, provider = await standings_of(tx, account.account_id), partner_of(caller)
    return found if provider is None else as_partners_see(found, provider)


async def _one(tx: Transaction, account: Account, caller: KeyPrincipal, contribution_id: int) -> ContributionOut:
    found = await _seen(tx, account, caller)
    one = next(one for one in found if one.contribution.contribution_id == contribution_id)
    return contribution_out(one, masked=partner_of(caller) is not None)


def contribution_out(one: Standings, *, masked: bool) -> ContributionOut:
    """`masked`: for a partner, who is not told what others answered."""
    held, reported = one.contribution, one.contribution.reported
    last = held.answers[-1] if held.answers else None
    if last is not None and masked and last.side is not Side.PARTNER:
        last = None
    return ContributionOut(
        contribution_id=held.contribution_id,
        provider=reported.provider,
        id=reported.id,
        driver=reported.driver,
        title=reported.title,
        amount=decimal_text(reported.amount),
        unit=reported.unit,
        start=reported.period.start,
        end=reported.period.end,
        evidence=reported.evidence,
        source=reported.source,
        author=held.author,
        known_at=held.known_at,
        state=one.standing,
        corroborated_by=one.by,
        answered_by=None if last is None else last.author,
        reason=None if last is None else last.reason,
    )
