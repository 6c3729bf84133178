"""What a reader has not seen of a story, and holding bad news back."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.params import JSONBody, QueryParameter
from sqlalchemy import text

from valueplatform.accounts.accounts import Account
from valueplatform.api.calling import AccountKey, Caller, OpenGate, open_account
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.given import moment_of, text_of
from valueplatform.api.once import Sent, once
from valueplatform.core.authorization import Action, KeyPrincipal, Side, require, scope_of
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ForbiddenError, InvalidInputError
from valueplatform.narrative.document import Audience
from valueplatform.narrative.news import news_since
from valueplatform.narrative.store import newest_story
from valueplatform.stewardship.holds import LONGEST_REASON, Hold, held_until, holds_of, place_hold, release_hold
from valueplatform.stewardship.notices import Reading, unseen

_LARGEST: Final = 2**31 - 1
_USER: Final = text("SELECT user_id FROM app_user WHERE email = :email AND disabled_at IS NULL")


class NewsLine(msgspec.Struct, frozen=True):
    """One line; `insight_id` is the sentence of the story that it leads to."""

    text: str
    insight_id: str


class NoticesOut(msgspec.Struct, frozen=True):
    """What is new up to `version` of the customer's story; no items where nothing is."""

    account: str
    version: int
    items: list[NewsLine]


class HoldOut(msgspec.Struct, frozen=True):
    """`told_at` is when the oldest bad news that it covers was first told; `stands`: notices and digests wait now."""

    hold_id: int
    author: str
    reason: str
    placed_at: datetime
    told_at: datetime
    until: datetime
    released_by: str | None
    released_at: datetime | None
    stands: bool


class HoldsOut(msgspec.Struct, frozen=True):
    """Every hold of the account, the newest first."""

    items: list[HoldOut]


class HoldIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`until` at most two working days after the news was first told; without it, until then."""

    reason: str
    until: datetime | None = None


_NOTICES: Final = {
    "account": "harbor-logistics",
    "version": 12,
    "items": [{"text": "Savings fell by a third in May.", "insight_id": "ins_0c1d2e3f4a5b6c7d8e9f"}],
}
_HOLD: Final = {
    "hold_id": 1,
    "author": "maya@fieldnote.example",
    "reason": "I call Carl first.",
    "placed_at": "2026-06-15T09:00:00Z",
    "told_at": "2026-06-15T08:00:00Z",
    "until": "2026-06-17T08:00:00Z",
    "released_by": None,
    "released_at": None,
    "stands": True,
}


class NoticesController(Controller):
    path = "/api/v1/accounts/{key:str}/notices"
    tags = ("Story",)

    @get(summary="What is new for a reader", responses=answers(NoticesOut, _NOTICES, *READS))
    async def read(
        self,
        caller: Caller,
        gate: OpenGate,
        key: AccountKey,
        since: Annotated[
            int | None,
            QueryParameter(
                ge=0,
                le=_LARGEST,
                description="The version of the story that was seen. Without it, the last visit of the person whom the "
                "key acts for.",
            ),
        ] = None,
    ) -> NoticesOut:
        """The lines that a notice above the customer's pages begins with. Where the supplier holds bad news back, they
        come at most two working days later; the story itself is never held."""
        if caller.side is Side.PARTNER:
            raise ForbiddenError("A partner has no notices: its story is composed whenever it is read.")
        require(caller, Action.READ_STORY)
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_STORY)
            return await _notices(tx, caller, account, since, gate.clock())


async def _notices(
    tx: Transaction, caller: KeyPrincipal, account: Account, since: int | None, now: datetime
) -> NoticesOut:
    newest = await newest_story(tx, account.account_id, Audience.CUSTOMER)
    nothing = NoticesOut(account.key, newest.version if newest else 0, [])
    if since is None:
        found = await unseen(tx, await _reading(tx, caller, account), now)
        news = found[0] if found else None
    else:
        news = await news_since(tx, account.account_id, Audience.CUSTOMER, since)
        # When that version was seen is not known: whatever bad news may be held might be in between.
        ever = datetime.min.replace(tzinfo=now.tzinfo)
        if caller.side is Side.CUSTOMER and await held_until(tx, account.account_id, account.timezone, ever, now):
            news = None
    if news is None:
        return nothing
    return NoticesOut(account.key, news.stored.version, [NewsLine(line.text, line.insight_id) for line in news.lines])


async def _reading(tx: Transaction, caller: KeyPrincipal, account: Account) -> Reading:
    """Raises InvalidInputError for a key that acts for nobody."""
    if caller.person is None:
        raise InvalidInputError("This key acts for no person, so say with `since` which version was seen.")
    user_id = await tx.scalar(_USER, {"email": caller.person})
    return Reading(account, user_id if user_id is not None else 0, is_customer=True)


class HoldController(Controller):
    path = "/api/v1/accounts/{key:str}/hold"
    tags = ("Stewardship",)

    @get(summary="Holds on an account's bad news", responses=answers(HoldsOut, {"items": [_HOLD]}, *READS))
    async def read(self, caller: Caller, gate: OpenGate, key: AccountKey) -> HoldsOut:
        """Who held news back, why, from when until when; nothing of it can be changed later."""
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.HOLD_NEWS)
            found = await holds_of(tx, account.account_id)
        return HoldsOut([_out(hold, gate.clock()) for hold in found])

    @post(summary="Hold bad news back", responses=answers(HoldOut, _HOLD, *WRITES, status=201))
    async def place(self, sending: Sent, gate: OpenGate, key: AccountKey, data: JSONBody[HoldIn]) -> Response[HoldOut]:
        """Notices and digests to the customer wait; pages and the API do not. Never for longer than two working days
        from when the news was first told."""
        reason, caller = text_of(data.reason, "reason", LONGEST_REASON), sending.caller
        until = moment_of(data.until, "until") if data.until is not None else None
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.HOLD_NEWS)

            async def write() -> Any:
                now = gate.clock()
                return _out(await place_hold(tx, account, caller.author, reason, now, until), now)

            return await once(tx, sending, gate.clock, write)

    @delete(summary="Release the news", status_code=200, responses=answers(HoldOut, _HOLD, *WRITES))
    async def release(self, sending: Sent, gate: OpenGate, key: AccountKey) -> Response[HoldOut]:
        """What waited is sent at once."""
        caller = sending.caller
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.HOLD_NEWS)

            async def write() -> Any:
                return _out(await release_hold(tx, account, caller.author, gate.clock()), gate.clock())

            return await once(tx, sending, gate.clock, write, status=200)


def _out(hold: Hold, now: datetime) -> HoldOut:
    return HoldOut(**msgspec.structs.asdict(hold), stands=hold.stands(now))
