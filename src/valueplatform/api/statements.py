"""Value statements: a period frozen as it was known, and signed by both sides."""

from datetime import date, datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from valueplatform.api.calling import AccountKey, Caller, OpenGate, open_account
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.given import day_of, text_of
from valueplatform.api.objectives import refuse_partner
from valueplatform.api.once import Sent, once
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.core.authorization import Action, scope_of
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.pages import Page
from valueplatform.core.periods import Period
from valueplatform.value.assumption_record import Author
from valueplatform.value.statements import Statement, make_statement, sign_statement, statement_of, statements_of


class StatementSignatureOut(msgspec.Struct, frozen=True):
    side: str
    signer: str
    signed_at: datetime


class StatementOut(msgspec.Struct, frozen=True):
    """`as_of` is the day by whose end its numbers were known. `digest` is the SHA-256 of the frozen text, which
    `document` is read from: the value read by month, driver and provider."""

    statement: str
    title: str
    start: Annotated[date, Meta(description="First day.")]
    end: Annotated[date, Meta(description="The day after the last.")]
    as_of: date
    author: str
    made_at: datetime
    digest: str
    signed: bool
    signatures: list[StatementSignatureOut]
    document: dict[str, Any] | None


class StatementIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`statement` is a name of your choice. Days are over in the account's zone; `end` is the day after the last."""

    statement: str
    start: date
    end: date
    title: str = ""


class StatementSignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`digest` is the statement's as it was read: what is signed is that and nothing else."""

    digest: str


_AT: Final = "2026-05-04T16:01:00Z"
_STATEMENT: Final[dict[str, Any]] = {
    "statement": "first-quarter",
    "title": "First quarter",
    "start": "2026-01-01",
    "end": "2026-04-01",
    "as_of": "2026-05-03",
    "author": "maya@fieldnote.example",
    "made_at": _AT,
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "signed": False,
    "signatures": [{"side": "supplier", "signer": "maya@fieldnote.example", "signed_at": _AT}],
    "document": None,
}
Name = Annotated[str, PathParameter(description="As whoever made it chose.")]


class StatementsController(Controller):
    path = "/api/v1/accounts/{key:str}/statements"
    tags = ("Plans",)

    @get(summary="Value statements", responses=answers(Page[StatementOut], Page([_STATEMENT], None), *READS))
    async def statements(
        self, caller: Caller, gate: OpenGate, key: AccountKey, limit: Limit = SHORT, cursor: Cursor = None
    ) -> Page[StatementOut]:
        """Without their documents. For customer and supplier."""
        refuse_partner(caller, Action.READ_VALUE)
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            account = await open_account(tx, caller, key, Action.READ_VALUE)
            shown = [_out(one, whole=False) for one in await statements_of(tx, account.account_id)]
        return page_after(shown, limit, cursor, lambda one: one.statement)

    @get("/{statement:str}", summary="A value statement", responses=answers(StatementOut, _STATEMENT, *READS))
    async def statement(self, caller: Caller, gate: OpenGate, key: AccountKey, statement: Name) -> StatementOut:
        """With its document, as it was frozen."""
        refuse_partner(caller, Action.READ_VALUE)
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            account = await open_account(tx, caller, key, Action.READ_VALUE)
            return _out(await statement_of(tx, account.account_id, statement))

    @post(summary="Freeze a period", responses=answers(StatementOut, _STATEMENT, *WRITES, 422, status=201))
    async def make(
        self, sending: Sent, gate: OpenGate, key: AccountKey, data: JSONBody[StatementIn]
    ) -> Response[StatementOut]:
        """The value of the period, by month, driver and provider, as known by the end of yesterday in the account's
        zone. It never changes: what is posted later stands in later statements, as adjustments."""
        caller = sending.caller
        refuse_partner(caller, Action.SIGN_STATEMENT)
        name = text_of(data.statement, "statement")
        start, end = day_of(data.start, "start"), day_of(data.end, "end")
        if end <= start:
            raise InvalidInputError(f"`end` ({end}) must be after `start` ({start}); it is the day after the last one.")
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.SIGN_STATEMENT)

            async def write() -> Any:
                author = Author(caller.author, caller.side)
                title = text_of(data.title, "title", empty=name)
                made = await make_statement(tx, account, name, title, Period(start, end), author, gate.clock())
                return _out(made)

            return await once(tx, sending, gate.clock, write)

    @post(
        "/{statement:str}/sign",
        summary="Sign a statement for one's side",
        responses=answers(StatementOut, _STATEMENT, *WRITES),
    )
    async def sign(
        self, sending: Sent, gate: OpenGate, key: AccountKey, statement: Name, data: JSONBody[StatementSignIn]
    ) -> Response[StatementOut]:
        """For the customer a sponsor or economic buyer signs, for the supplier whoever stewards the account."""
        caller = sending.caller
        refuse_partner(caller, Action.SIGN_STATEMENT)
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.SIGN_STATEMENT)

            async def write() -> Any:
                author = Author(caller.author, caller.side)
                signed = await sign_statement(tx, account.account_id, statement, data.digest, author, gate.clock())
                return _out(signed)

            return await once(tx, sending, gate.clock, write, status=200)


def _out(one: Statement, *, whole: bool = True) -> StatementOut:
    return StatementOut(
        statement=one.statement_id,
        title=one.title,
        start=one.period.start,
        end=one.period.end,
        as_of=one.as_of,
        author=one.author,
        made_at=one.made_at,
        digest=one.digest,
        signed=one.is_signed,
        signatures=[StatementSignatureOut(str(s.side), s.signer, s.signed_at) for s in one.signatures],
        document=one.content if whole else None,
    )
