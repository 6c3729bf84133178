"""What the customer lets each partner see and send."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import JSONBody
from msgspec import Meta

from valueplatform.accounts.consents import Consent, Purpose, Wish, consents_of, say_consent
from valueplatform.api.calling import AccountKey, Caller, OpenGate, open_account, partner_of
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.given import LONGEST_TEXT, text_of
from valueplatform.api.once import Sent, once
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.core.authorization import Action, scope_of
from valueplatform.core.pages import Page


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
                return consent_out(said, masked=False)

            return await once(tx, sending, gate.clock, write)


def consent_out(one: Consent, *, masked: bool) -> ConsentOut:
    """`masked`: for a partner, who is not told who said it."""
    author = None if masked else one.author
    wish = one.wish
    return ConsentOut(
        one.consent_id, wish.provider, wish.what, wish.granted, one.holds, author, wish.reason, one.known_at
    )
