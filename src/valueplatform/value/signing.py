"""Stating what a plan is, and signing it: both sides sign the same terms and targets, and then it counts.

Whoever changes terms or targets after one side signed voids that signature: it was for what stood there. Once both
signed, neither terms nor targets change any more; what is agreed later is a re-plan of its own. What was imported
without terms is in force before anybody signs; signed by both, it stays as it was imported.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import insert, select

from valueplatform.accounts.accounts import raise_revisions
from valueplatform.accounts.contracts import contracts_of
from valueplatform.accounts.imports import Mark
from valueplatform.accounts.milestones import milestones_of
from valueplatform.core.database import Transaction, lock_account
from valueplatform.core.errors import ConflictError, NotFoundError, UnprocessableError
from valueplatform.core.numbers import decimal_text
from valueplatform.core.periods import month_of
from valueplatform.value.assumption_record import Author
from valueplatform.value.models import newest_model
from valueplatform.value.plan_terms import Plan, PlanState, Terms, plans_of, without_terms
from valueplatform.value.plans import Target, targets_in_force, targets_of_plan
from valueplatform.value.tables import plan_signature, plan_target, plan_terms


class Signed(msgspec.Struct, frozen=True):
    """The plan with its new signature. `marks` are the months that are told anew: none while the other side has not
    signed, and none where its targets were in force before."""

    plan: Plan
    marks: Sequence[Mark]


def digest_of(plan: Plan, targets: Iterable[Target]) -> str:
    """Names exactly what is signed: these terms, where there are any, with these targets."""
    said = [
        [t.objective_id, t.driver, t.month.isoformat(), *map(decimal_text, (t.low, t.expected, t.high))]
        for t in sorted(targets, key=lambda t: (t.objective_id, t.driver, t.month))
    ]
    terms = msgspec.to_builtins(plan.terms) if plan.version else None
    content = [plan.plan_id, plan.version, terms, said]
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


async def put_terms(
    tx: Transaction, account_id: int, plan_id: str, terms: Terms, author: Author, now: datetime
) -> Plan:
    """State what a plan is; the same said again adds no version. Raises ConflictError for a plan that counts already,
    UnprocessableError for terms that do not fit the account."""
    await lock_account(tx, account_id)
    plans = {plan.plan_id: plan for plan in await plans_of(tx, account_id)}
    held = plans.get(plan_id) or without_terms(plan_id)
    if held.version and held.terms == terms and not held.withdrawn:
        return held
    if held.state is PlanState.SIGNED:
        raise ConflictError(f"Plan {plan_id!r} is signed by both sides and stays as it is; make a re-plan.")
    if not held.version and any(one.plan_id == plan_id for one in await targets_in_force(tx, account_id)):
        raise ConflictError(
            f"Plan {plan_id!r} has targets in force, which a draft would take out of force; choose another name."
        )
    await _check_terms(tx, account_id, plan_id, terms, plans.keys())
    return await _state(tx, account_id, held, terms, author, now)


async def withdraw_plan(tx: Transaction, account_id: int, plan_id: str, author: Author, now: datetime) -> Plan:
    """Take a draft back: nobody can sign it, and no target of it changes, until its terms are stated again. Withdrawn
    again changes nothing. Raises NotFoundError, ConflictError for a plan that counts."""
    await lock_account(tx, account_id)
    plan = await plan_of(tx, account_id, plan_id)
    if plan.state is PlanState.WITHDRAWN:
        return plan
    if plan.state is not PlanState.DRAFT:
        raise ConflictError(f"Plan {plan_id!r} is in force and is not withdrawn; make a re-plan that takes its place.")
    return await _state(tx, account_id, plan, plan.terms, author, now, withdrawn=True)


async def restore_plan(tx: Transaction, account_id: int, plan_id: str, author: Author, now: datetime) -> Plan:
    """A draft again, with the terms that it had. Raises as `put_terms`, and NotFoundError."""
    plan = await plan_of(tx, account_id, plan_id)
    return await put_terms(tx, account_id, plan_id, plan.terms, author, now)


async def _state(
    tx: Transaction,
    account_id: int,
    held: Plan,
    terms: Terms,
    author: Author,
    now: datetime,
    *,
    withdrawn: bool = False,
) -> Plan:
    await tx.execute(
        insert(plan_terms).values(
            account_id=account_id,
            plan_id=held.plan_id,
            version=held.version + 1,
            **{name: getattr(terms, name) for name in ("title", "contract_id", "milestone_id", "from_month")},
            kind=terms.kind.value,
            replaces=list(terms.replaces),
            withdrawn=withdrawn,
            author=author.name,
            author_side=author.side.value,
            known_at=now,
        )
    )
    return await plan_of(tx, account_id, held.plan_id)


async def plan_of(tx: Transaction, account_id: int, plan_id: str) -> Plan:
    """With its terms, or as it was imported. Raises NotFoundError where there are neither terms nor targets."""
    found = [plan for plan in await plans_of(tx, account_id) if plan.plan_id == plan_id]
    if found:
        return found[0]
    if await targets_of_plan(tx, account_id, plan_id):
        return without_terms(plan_id)
    raise NotFoundError(f"There is no plan {plan_id!r}.")


async def sign_plan(
    tx: Transaction, account_id: int, plan_id: str, digest: str, author: Author, now: datetime
) -> Signed:
    """One side signs what it read. Signing the same again changes nothing. Raises ConflictError where something else
    stands there by now, UnprocessableError for a plan that cannot be kept."""
    await lock_account(tx, account_id)
    plan = await plan_of(tx, account_id, plan_id)
    targets = await targets_of_plan(tx, account_id, plan_id)
    if digest != digest_of(plan, targets):
        raise ConflictError(f"Plan {plan_id!r} was changed since it was read; read it again before you sign.")
    if author.side in plan.signed_by(digest):
        return Signed(plan, ())
    if plan.state is PlanState.WITHDRAWN:
        raise ConflictError(f"Plan {plan_id!r} was withdrawn; state its terms again before it is signed.")
    if plan.state is not PlanState.SIGNED:
        await _check_targets(tx, plan, targets)
        await _check_terms(tx, account_id, plan_id, plan.terms, {p.plan_id for p in await plans_of(tx, account_id)})
    await tx.execute(
        insert(plan_signature).values(
            account_id=account_id,
            plan_id=plan_id,
            version=plan.version,
            digest=digest,
            side=author.side.value,
            signer=author.name,
            signed_at=now,
        )
    )
    await raise_revisions(tx, [account_id])
    signed = await plan_of(tx, account_id, plan_id)
    if signed.state is not PlanState.SIGNED or not signed.version:
        return Signed(signed, ())
    return Signed(signed, await _marks(tx, account_id, signed, targets))


async def _marks(tx: Transaction, account_id: int, plan: Plan, targets: Iterable[Target]) -> list[Mark]:
    """The months that the plan adds to, and those in which it takes something's place."""
    months = {target.month for target in targets}
    if plan.terms.from_month is not None:
        held = plan_target.c
        query = select(held.month).where(
            held.account_id == account_id,
            held.plan_id.in_(plan.terms.replaces),
            held.month >= plan.terms.from_month,
        )
        months |= {row.month for row in await tx.rows(query.distinct())}
    return [Mark(account_id, month_of(month), "plan") for month in sorted(months)]


async def _check_targets(tx: Transaction, plan: Plan, targets: Sequence[Target]) -> None:
    if not targets:
        raise UnprocessableError(f"Plan {plan.plan_id!r} has no targets yet; nobody can sign for nothing.")
    known = {driver.slug for driver in (await newest_model(tx)).drivers}
    gone = sorted({target.driver for target in targets} - known)
    if gone:
        raise UnprocessableError(f"Plan {plan.plan_id!r} commits to what the model does not have: {', '.join(gone)}.")
    start = plan.terms.from_month
    if start is not None and any(target.month < start for target in targets):
        raise UnprocessableError(
            f"Plan {plan.plan_id!r} takes the place of others from {start:%B %Y} on and has targets before it, which "
            "would count twice; take them out."
        )


async def _check_terms(tx: Transaction, account_id: int, plan_id: str, terms: Terms, with_terms: Iterable[str]) -> None:
    if plan_id in terms.replaces:
        raise UnprocessableError("A plan cannot take its own place.")
    if terms.replaces:
        query = select(plan_target.c.plan_id).where(plan_target.c.account_id == account_id).distinct()
        there = {row.plan_id for row in await tx.rows(query)} | set(with_terms)
        missing = sorted(set(terms.replaces) - there)
        if missing:
            raise UnprocessableError(f"There is no plan {', '.join(missing)} to take the place of.")
    contracts = {one.contract_id for one in await contracts_of(tx, account_id)} if terms.contract_id else set()
    if terms.contract_id and terms.contract_id not in contracts:
        raise UnprocessableError(f"There is no contract {terms.contract_id!r} that the plan could belong to.")
    stones = {one.milestone_id for one in await milestones_of(tx, account_id)} if terms.milestone_id else set()
    if terms.milestone_id and terms.milestone_id not in stones:
        raise UnprocessableError(f"There is no milestone {terms.milestone_id!r} that the plan could belong to.")
