"""What a plan is, and whether it counts: business case, commitment, re-plan; a draft until both sides signed it.

A plan without terms is a commitment in force, as plans that are imported are; both sides may sign it as it stands, and
then it stays so. One with terms counts from the moment when both sides had signed the same terms and targets; from its
month on a signed plan takes the place of those that it replaces. What it replaced stays readable, and in force for the
months before. A draft may be withdrawn: the record keeps it, and stating its terms again brings it back.
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
    """`in-force`: without terms, and not signed by both."""

    DRAFT = "draft"
    SIGNED = "signed"
    WITHDRAWN = "withdrawn"
    IN_FORCE = "in-force"


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
    """The newest terms, and every signature, oldest first. `version` 0: nobody stated terms, its targets count as they
    are; nobody is its author then."""

    plan_id: str
    version: int
    terms: Terms
    withdrawn: bool = False
    author: str | None = None
    author_side: Side | None = None
    known_at: datetime | None = None
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
        if self.signed_at is not None:
            return PlanState.SIGNED
        if not self.version:
            return PlanState.IN_FORCE
        return PlanState.WITHDRAWN if self.withdrawn else PlanState.DRAFT

    def signed_by(self, digest: str) -> Mapping[Side, Signature]:
        """Who signed exactly this."""
        return {one.side: one for one in self.signatures if (one.version, one.digest) == (self.version, digest)}


def without_terms(plan_id: str, signatures: Sequence[Signature] = ()) -> Plan:
    """A plan that was stated by its targets alone, as imports do."""
    terms = Terms(kind=PlanKind.COMMITMENT, title=plan_id)
    return Plan(plan_id=plan_id, version=0, terms=terms, signatures=signatures)


Counts = Callable[[str, date], bool]
"""Whether a plan counts in a month."""


def counting(plans: Iterable[Plan]) -> Counts:
    """Whether a plan counts in a month, where these are all that have terms or signatures."""
    known = {plan.plan_id: plan for plan in plans}
    replaced: dict[str, date] = {}
    for plan in known.values():
        month = plan.terms.from_month
        if plan.state is PlanState.SIGNED and month is not None:
            for each in plan.terms.replaces:
                replaced[each] = min(month, replaced.get(each, month))

    def counts(plan_id: str, month: date) -> bool:
        plan = known.get(plan_id)
        if plan is not None and plan.state in {PlanState.DRAFT, PlanState.WITHDRAWN}:
            return False
        return plan_id not in replaced or month < replaced[plan_id]

    return counts


async def plans_of(tx: Transaction, account_id: int, as_of: datetime | None = None) -> list[Plan]:
    """All plans of an account that have terms, by when they were first stated, then those that were signed without; or
    as they were known at `as_of`."""
    said, sworn = plan_terms.c, plan_signature.c
    versions = select(plan_terms).where(said.account_id == account_id)
    signatures = select(plan_signature).where(sworn.account_id == account_id)
    if as_of is not None:
        versions, signatures = versions.where(said.known_at <= as_of), signatures.where(sworn.signed_at <= as_of)
    rows = await tx.rows(versions.order_by(said.version, said.known_at, said.plan_id))
    by_plan: defaultdict[str, list[Signature]] = defaultdict(list)
    for row in await tx.rows(signatures.order_by(sworn.signed_at, sworn.side)):
        by_plan[row.plan_id].append(Signature(row.version, row.digest, Side(row.side), row.signer, row.signed_at))
    newest = {row.plan_id: row for row in rows}
    stated = [
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
            withdrawn=row.withdrawn,
            author=row.author,
            author_side=Side(row.author_side),
            known_at=row.known_at,
            signatures=by_plan[row.plan_id],
        )
        for row in newest.values()
    ]
    return stated + [without_terms(name, by_plan[name]) for name in sorted(by_plan.keys() - newest.keys())]
