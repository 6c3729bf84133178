"""What a plan is, and whether it counts: business case, commitment, re-plan; a draft until both sides signed it.

A plan without terms is a commitment in force, as plans that are imported are. One with terms counts from the moment
when both sides had signed the same terms and targets; from its month on a signed plan takes the place of those that it
replaces. What it replaced stays readable, and in force for the months before.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum

import msgspec
from sqlalchemy import select

from valueplatform.core.authorization import Side
from valueplatform.core.database import Transaction
from valueplatform.value.tables import plan_signature, plan_terms

BOTH = frozenset({Side.CUSTOMER, Side.SUPPLIER})


class PlanKind(StrEnum):
    BUSINESS_CASE = "business-case"
    COMMITMENT = "commitment"
    RE_PLAN = "re-plan"


class PlanState(StrEnum):
    DRAFT = "draft"
    SIGNED = "signed"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan is said to be. It belongs to a contract or a milestone, where one is named."""

    kind: PlanKind
    title: str
    contract_id: str | None = None
    milestone_id: str | None = None
    replaces: tuple[str, ...] = ()
    from_month: date | None = None


class Signature(msgspec.Struct, frozen=True):
    """One side's word for the version of the terms, and the targets, that `digest` is of."""

    version: int
    digest: str
    side: Side
    signer: str
    signed_at: datetime


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The newest terms, and every signature, oldest first."""

    plan_id: str
    version: int
    terms: Terms
    author: str
    author_side: Side
    known_at: datetime
    signatures: Sequence[Signature] = ()

    @property
    def signed_at(self) -> datetime | None:
        """When the second of both sides signed what the first had signed; None for a draft."""
        signed: defaultdict[tuple[int, str], dict[Side, datetime]] = defaultdict(dict)
        for one in self.signatures:
            signed[one.version, one.digest][one.side] = one.signed_at
        return min((max(sides.values()) for sides in signed.values() if sides.keys() == BOTH), default=None)

    @property
    def state(self) -> PlanState:
        return PlanState.DRAFT if self.signed_at is None else PlanState.SIGNED

    def signed_by(self, digest: str) -> Mapping[Side, Signature]:
        """Who signed exactly this."""
        return {one.side: one for one in self.signatures if (one.version, one.digest) == (self.version, digest)}


Counts = Callable[[str, date], bool]
"""Whether a plan counts in a month."""


def counting(plans: Iterable[Plan]) -> Counts:
    """Whether a plan counts in a month, where these are all that have terms."""
    known = {plan.plan_id: plan for plan in plans}
    replaced: dict[str, date] = {}
    for plan in known.values():
        month = plan.terms.from_month
        if plan.state is PlanState.SIGNED and month is not None:
            for each in plan.terms.replaces:
                replaced[each] = min(month, replaced.get(each, month))

    def counts(plan_id: str, month: date) -> bool:
        plan = known.get(plan_id)
        if plan is not None and plan.state is PlanState.DRAFT:
            return False
        return plan_id not in replaced or month < replaced[plan_id]

    return counts


async def plans_of(tx: Transaction, account_id: int, as_of: datetime | None = None) -> list[Plan]:
    """All plans of an account that have terms, by when they were first stated; or as they were known at `as_of`."""
    said, sworn = plan_terms.c, plan_signature.c
    versions = select(plan_terms).where(said.account_id == account_id)
    signatures = select(plan_signature).where(sworn.account_id == account_id)
    if as_of is not None:
        versions, signatures = versions.where(said.known_at <= as_of), signatures.where(sworn.signed_at <= as_of)
    rows = await tx.rows(versions.order_by(said.version, said.known_at, said.plan_id))
    if not rows:
        return []
    by_plan: defaultdict[str, list[Signature]] = defaultdict(list)
    for row in await tx.rows(signatures.order_by(sworn.signed_at, sworn.side)):
        by_plan[row.plan_id].append(Signature(row.version, row.digest, Side(row.side), row.signer, row.signed_at))
    newest = {row.plan_id: row for row in rows}
    return [
        Plan(
            plan_id=row.plan_id,
            version=row.version,
            terms=Terms(
                kind=PlanKind(row.kind),
                title=row.title,
                contract_id=row.contract_id,
                milestone_id=row.milestone_id,
                replaces=tuple(row.replaces),
                from_month=row.from_month,
            ),
            author=row.author,
            author_side=Side(row.author_side),
            known_at=row.known_at,
            signatures=by_plan[row.plan_id],
        )
        for row in newest.values()
    ]
