"""What the customer lets each partner see and send."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import JSONBody
from msgspec import Meta

from valueplatform.accounts.consents import Consent, Purpose, Wish, ask_consent, consents_of, say_consent
from valueplatform.api.calling import AccountKey, Caller, OpenGate, open_account, partner_of
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.given import LONGEST_TEXT, text_of
from valueplatform.api.once import Sent, once
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.core.authorization import Action, scope_of
from valueplatform.core.errors import ForbiddenError
from valueplatform.core.pages import Page
from valueplatform.stewardship.collaboration_store import look_anew


class ConsentOut(msgspec.Struct, frozen=True):
    """One statement of the customer. `holds`: no later one has replaced it. A partner is not told who said it."""

    consent_id: int
    provider: str
    what: Purpose
    granted: bool
    holds: bool
    author: str | None
    reason: str
    known_at: datetime


class ConsentIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`see`: the partner may read its part of this account. `contribute`: it may send value events of its own, which
    needs `see` too. `granted` false withdraws it."""

    provider: Annotated[str, Meta(examples=["tessera"])]
    what: Purpose
    granted: bool
    reason: str


class RequestIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the partner asks to be let send value events of its own."""

    reason: str


class RequestOut(msgspec.Struct, frozen=True):
    """What a partner asked, and when."""

    request_id: int
    provider: str
    what: Purpose
    reason: str
    known_at: datetime


_REQUEST = {
    "request_id": 1,
    "provider": "tessera",
    "what": "contribute",
    "reason": "Our ledger has what the connector saves.",
    "known_at": "2026-05-04T09:00:00Z",
}
_EXAMPLE = {
    "consent_id": 1,
    "provider": "tessera",
    "what": "contribute",
    "granted": True,
    "holds": True,
    "author": "vera@harbor.example",
    "reason": "They keep our invoices.",
    "known_at": "2026-05-04T09:00:00Z",
}


class ConsentsController(Controller):
    path = "/api/v1/accounts/{key:str}/consents"
    tags = ("Consents",)

    @get(summary="What partners may see and send", responses=answers(Page[ConsentOut], Page([_EXAMPLE], None), *READS))
    async def read(
        self, caller: Caller, gate: OpenGate, key: AccountKey, limit: Limit = SHORT, cursor: Cursor = None
    ) -> Page[ConsentOut]:
        """Every statement, oldest first. A partner is shown those about itself. Without any, a partner whose key was
        made for the account sees it, and may not send."""
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_CONSENTS)
            found = await consents_of(tx, account.account_id, partner_of(caller))
        shown = [consent_out(one, masked=partner_of(caller) is not None) for one in found]
        return page_after(shown, limit, cursor, lambda one: str(one.consent_id))

    @post(summary="Grant or withdraw", responses=answers(ConsentOut, _EXAMPLE, *WRITES, status=201))
    async def say(
        self, sending: Sent, gate: OpenGate, key: AccountKey, data: JSONBody[ConsentIn]
    ) -> Response[ConsentOut]:
        """For leads and validators on the customer's side. It holds from the partner's next request on; what holds
        already is answered as it was said."""
        wish = Wish(
            text_of(data.provider, "provider"), data.what, data.granted, text_of(data.reason, "reason", LONGEST_TEXT)
        )
        caller = sending.caller
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.MANAGE_CONSENTS)

            async def write() -> Any:
                said = await say_consent(tx, account.account_id, wish, caller.author, gate.clock())
                await look_anew(tx, account.account_id, gate.clock())
                return consent_out(said, masked=False)

            return await once(tx, sending, gate.clock, write)

    @post("/requests", summary="Ask to be let report", responses=answers(RequestOut, _REQUEST, *WRITES, status=201))
    async def ask(
        self, sending: Sent, gate: OpenGate, key: AccountKey, data: JSONBody[RequestIn]
    ) -> Response[RequestOut]:
        """For partners. It stays open until the customer says something of it; what was asked and not answered is there
        already. What the customer lets the partner do is a conflict."""
        caller, why = sending.caller, text_of(data.reason, "reason", LONGEST_TEXT)
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.CONTRIBUTE)
            provider = partner_of(caller)
            if provider is None:
                raise ForbiddenError("Only a partner asks to be let report, with a key of its own.")

            async def write() -> Any:
                now = gate.clock()
                asked = await ask_consent(tx, account.account_id, provider, Purpose.CONTRIBUTE, why, caller.author, now)
                await look_anew(tx, account.account_id, now)
                return RequestOut(asked.request_id, asked.provider, asked.what, asked.reason, asked.known_at)

            return await once(tx, sending, gate.clock, write)


def consent_out(one: Consent, *, masked: bool) -> ConsentOut:
    """`masked`: for a partner, who is not told who said it."""
    author = None if masked else one.author
    wish = one.wish
    return ConsentOut(
        one.consent_id, wish.provider, wish.what, wish.granted, one.holds, author, wish.reason, one.known_at
    )
