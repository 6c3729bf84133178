"""What plans are, and signing them: business case, commitment, re-plan."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response, get, post, put
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from valueplatform.accounts.accounts import Account
from valueplatform.api.calling import AccountKey, Caller, OpenGate, open_account
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.given import day_of, text_of
from valueplatform.api.objectives import refuse_partner, require_planner
from valueplatform.api.once import Sent, once
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.api.plans import TARGET, TargetOut, target_out
from valueplatform.core.authorization import Action, scope_of
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.pages import Page
from valueplatform.telemetry.marks import append_marks
from valueplatform.value.assumption_record import Author
from valueplatform.value.plan_terms import (
    Counts,
    Plan,
    PlanKind,
    PlanState,
    Terms,
    counting,
    plans_of,
    without_terms,
)
from valueplatform.value.plans import Target, newest_targets
from valueplatform.value.signing import digest_of, put_terms, sign_plan, withdraw_plan

MOST_REPLACED: Final = 50


class SignatureOut(msgspec.Struct, frozen=True):
    """One side's word. `holds`: for what stands there now; a change after it voids it."""

    side: str
    signer: str
    signed_at: datetime
    holds: bool


class PlanOut(msgspec.Struct, frozen=True):
    """A plan. `kind` is null for one without terms: a commitment in force as it was imported, which both sides may sign
    as it stands. `state` is `draft`, `signed`, `withdrawn`, or `in-force` without terms and signatures. `stands_as` is
    what it is now: a signed business case is a commitment. `targets` are its own, whether they are in force (`in_force`
    counts how many are) or not."""

    plan: str
    kind: str | None
    stands_as: str
    title: str
    state: str
    contract: str | None
    milestone: str | None
    replaces: list[str]
    from_month: date | None
    digest: str
    signatures: list[SignatureOut]
    signed_at: datetime | None
    version: int
    author: str | None
    known_at: datetime | None
    in_force: int
    targets: list[TargetOut]


class TermsIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the plan is to be. A re-plan says which plans it `replaces`, and the first month in which it does."""

    kind: PlanKind
    title: Annotated[str, Meta(examples=["Business case, Reno and Sparks"])] = ""
    contract: str | None = None
    milestone: str | None = None
    replaces: list[str] = []
    from_month: date | None = None


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`digest` is the plan's as it was read: what is signed is that and nothing else."""

    digest: str


_NOW: Final = "2026-01-05T09:00:00Z"
_DIGEST: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_PLAN: Final = {
    "plan": "business-case",
    "kind": "business-case",
    "stands_as": "commitment",
    "title": "Business case, Reno and Sparks",
    "state": "signed",
    "contract": "c-2026",
    "milestone": None,
    "replaces": [],
    "from_month": None,
    "digest": _DIGEST,
    "signatures": [
        {"side": "supplier", "signer": "maya@fieldnote.example", "signed_at": _NOW, "holds": True},
        {"side": "customer", "signer": "daniel@harbor.example", "signed_at": _NOW, "holds": True},
    ],
    "signed_at": _NOW,
    "version": 1,
    "author": "maya@fieldnote.example",
    "known_at": _NOW,
    "in_force": 1,
    "targets": [TARGET],
}
PlanName = Annotated[str, PathParameter(description="As whoever stated it chose, such as `business-case`.")]


class PlanTermsController(Controller):
    path = "/api/v1/accounts/{key:str}"
    tags = ("Plans",)

    @get(
        "/plan-terms",
        summary="Plans, drafts too, with who signed them",
        responses=answers(Page[PlanOut], Page([_PLAN], None), *READS),
    )
    async def plans(
        self, caller: Caller, gate: OpenGate, key: AccountKey, limit: Limit = SHORT, cursor: Cursor = None
    ) -> Page[PlanOut]:
        """Each with its own targets. For customer and supplier."""
        refuse_partner(caller, Action.READ_PLAN)
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            account = await open_account(tx, caller, key, Action.READ_PLAN)
            shown = await _plans(tx, account)
        return page_after(shown, limit, cursor, lambda one: one.plan)

    @put(
        "/plans/{plan:str}/terms",
        summary="State what a plan is",
        responses=answers(PlanOut, _PLAN, *WRITES, 422),
    )
    async def put_terms(
        self, sending: Sent, gate: OpenGate, key: AccountKey, plan: PlanName, data: JSONBody[TermsIn]
    ) -> Response[PlanOut]:
        """A draft from then on: its targets count once both sides signed. Every version is kept. A signed plan, and one
        whose targets are in force without terms, stays as it is: 409."""
        plan_id, caller = text_of(plan, "plan"), sending.caller
        require_planner(caller)
        terms = _terms(data, plan_id)
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.MANAGE_PLAN)

            async def write() -> Any:
                author = Author(caller.author, caller.side)
                await put_terms(tx, account.account_id, plan_id, terms, author, gate.clock())
                return await _one(tx, account, plan_id)

            return await once(tx, sending, gate.clock, write, status=200)

    @post(
        "/plans/{plan:str}/sign",
        summary="Sign a plan for one's side",
        responses=answers(PlanOut, _PLAN, *WRITES, 422),
    )
    async def sign(
        self, sending: Sent, gate: OpenGate, key: AccountKey, plan: PlanName, data: JSONBody[SignIn]
    ) -> Response[PlanOut]:
        """For the customer a sponsor or economic buyer signs, for the supplier whoever stewards the account. Once both
        have signed the same, its targets are in force, without being stated again. A plan that was imported is in force
        already; signed by both, it stays as it was imported."""
        plan_id, caller = text_of(plan, "plan"), sending.caller
        refuse_partner(caller, Action.SIGN_PLAN)
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.SIGN_PLAN)

            async def write() -> Any:
                author = Author(caller.author, caller.side)
                signed = await sign_plan(tx, account.account_id, plan_id, data.digest, author, gate.clock())
                await append_marks(tx, signed.marks)
                return await _one(tx, account, plan_id)

            return await once(tx, sending, gate.clock, write, status=200)

    @post(
        "/plans/{plan:str}/withdraw",
        summary="Withdraw a draft",
        responses=answers(PlanOut, {**_PLAN, "state": "withdrawn", "signatures": [], "signed_at": None}, *WRITES),
    )
    async def withdraw(self, sending: Sent, gate: OpenGate, key: AccountKey, plan: PlanName) -> Response[PlanOut]:
        """Nobody can sign it then, and its targets stay as they are; the record keeps it. Stating its terms again makes
        it a draft again. A plan that counts is not withdrawn: 409."""
        plan_id, caller = text_of(plan, "plan"), sending.caller
        require_planner(caller)
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.MANAGE_PLAN)

            async def write() -> Any:
                await withdraw_plan(tx, account.account_id, plan_id, Author(caller.author, caller.side), gate.clock())
                return await _one(tx, account, plan_id)

            return await once(tx, sending, gate.clock, write, status=200)


def _terms(data: TermsIn, plan_id: str) -> Terms:
    month = None if data.from_month is None else day_of(data.from_month, "from_month")
    if month is not None and month.day != 1:
        raise InvalidInputError(f"`from_month` is {month}; write the first day of the month.")
    if bool(data.replaces) is not (month is not None) or len(data.replaces) > MOST_REPLACED:
        raise InvalidInputError(
            f"`replaces` and `from_month` come together: which plans, at most {MOST_REPLACED}, and from when."
        )
    if data.kind is PlanKind.RE_PLAN and not data.replaces:
        raise InvalidInputError("A re-plan says in `replaces` which plans it takes the place of, and from which month.")
    return Terms(
        kind=data.kind,
        title=text_of(data.title, "title", empty=plan_id),
        contract_id=None if data.contract is None else text_of(data.contract, "contract"),
        milestone_id=None if data.milestone is None else text_of(data.milestone, "milestone"),
        replaces=tuple(sorted({text_of(one, "replaces") for one in data.replaces})),
        from_month=month,
    )


async def _one(tx: Transaction, account: Account, plan_id: str) -> PlanOut:
    return next(one for one in await _plans(tx, account) if one.plan == plan_id)


async def _plans(tx: Transaction, account: Account) -> list[PlanOut]:
    with_terms = {plan.plan_id: plan for plan in await plans_of(tx, account.account_id)}
    targets = await newest_targets(tx, account.account_id)
    counts = counting(with_terms.values())
    names = sorted({*with_terms, *(target.plan_id for target in targets)})
    return [
        plan_out(with_terms.get(name) or without_terms(name), [one for one in targets if one.plan_id == name], counts)
        for name in names
    ]


def plan_out(plan: Plan, targets: Sequence[Target], counts: Counts) -> PlanOut:
    in_force = sum(counts(target.plan_id, target.month) for target in targets)
    shown = [target_out(target) for target in targets]
    digest = digest_of(plan, targets)
    signed = plan.state is PlanState.SIGNED
    terms = plan.terms
    is_case = terms.kind is PlanKind.BUSINESS_CASE
    return PlanOut(
        plan=plan.plan_id,
        kind=str(terms.kind) if plan.version else None,
        stands_as=str(PlanKind.COMMITMENT if signed and is_case else terms.kind),
        title=terms.title,
        state=str(plan.state),
        contract=terms.contract_id,
        milestone=terms.milestone_id,
        replaces=list(terms.replaces),
        from_month=terms.from_month,
        digest=digest,
        signatures=[
            SignatureOut(str(one.side), one.signer, one.signed_at, (one.version, one.digest) == (plan.version, digest))
            for one in plan.signatures
        ],
        signed_at=plan.signed_at,
        version=plan.version,
        author=plan.author,
        known_at=plan.known_at,
        in_force=in_force,
        targets=shown,
    )
