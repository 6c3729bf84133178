"""Reading what prompts rest on beside signals: the people of both sides, what waits for a signature or an answer, what
ends, and what is talked about already."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from sqlalchemy import text

from valueplatform.accounts.consents import open_requests
from valueplatform.accounts.people import people_of
from valueplatform.accounts.providers import provider_names
from valueplatform.accounts.stewards import steward_of
from valueplatform.core.authorization import Side
from valueplatform.core.database import Transaction
from valueplatform.core.periods import local_day, next_month
from valueplatform.stewardship.collaboration import Occasion, Party
from valueplatform.stewardship.collaboration_rules import STEWARD, Ending, Ground, Waiting
from valueplatform.stewardship.signal import Signal
from valueplatform.stewardship.signals import Situation
from valueplatform.value.contribution_record import standings_of
from valueplatform.value.contributions import Contribution, Standing
from valueplatform.value.model import ValueModel
from valueplatform.value.models import stored_model
from valueplatform.value.objectives import ObjectiveState, objectives_of
from valueplatform.value.plan_terms import Plan, PlanState, counting, plans_of
from valueplatform.value.plans import Target, newest_targets
from valueplatform.value.signing import digest_of
from valueplatform.value.split_record import read_splits
from valueplatform.value.splits import SplitState
from valueplatform.value.statements import statements_of

TALKED_FOR: Final = timedelta(days=30)
"""How long after the last word a conversation still stands for what it is about."""

_TALKED: Final = text("""
    SELECT c.assumption AS about FROM conversation c
     WHERE c.account_id = :account AND c.last_at > :since AND c.assumption IS NOT NULL
     UNION SELECT m.insight->'sentence'->>'insight_id' FROM conversation c
      JOIN message m ON m.account_id = c.account_id AND m.conversation_id = c.conversation_id
     WHERE c.account_id = :account AND c.last_at > :since AND m.insight IS NOT NULL
""")
_RAISED: Final = text("""
    SELECT collaboration_id, matter, raised_at FROM collaboration WHERE account_id = :account AND settled_at IS NULL
""")


async def read_ground(tx: Transaction, account_id: int, given: Situation, found: Sequence[Signal]) -> Ground:
    """`found` are the signals with their words; the account's lock is held."""
    zone, now = given.facts.timezone, given.facts.now
    people = await people_of(tx, account_id)
    steward = await steward_of(tx, account_id)
    model = await stored_model(tx)
    targets, plans = await newest_targets(tx, account_id), await plans_of(tx, account_id)
    raised = await tx.rows(_RAISED, {"account": account_id})
    talked = await tx.rows(_TALKED, {"account": account_id, "since": now - TALKED_FOR})
    waiting = [
        *_plans(plans, targets, zone),
        *await _statements(tx, account_id, zone),
        *(await _splits(tx, account_id, model) if model else ()),
        *await _of_partners(tx, account_id, zone),
    ]
    names = {person.email: person.name for person in people} | ({steward.email: steward.name} if steward else {})
    return Ground(
        given=given,
        found=found,
        people=[Party(p.name, p.email, p.role.value, Side.CUSTOMER) for p in people],
        steward=Party(steward.name, steward.email, STEWARD, Side.SUPPLIER) if steward else None,
        leads=await _leads(tx, account_id, targets),
        waiting=[_named(one, names) for one in waiting],
        ending=[*_plan_ends(plans, targets, given), *(_baselines(model, given) if model else ())],
        raised={(row.collaboration_id, row.matter): local_day(row.raised_at, zone) for row in raised},
        talked=frozenset(row.about for row in talked),
    )


def _named(one: Waiting, names: Mapping[str, str]) -> Waiting:
    return replace(one, by=names.get(one.by or "", one.by))


async def _leads(tx: Transaction, account_id: int, targets: Iterable[Target]) -> dict[str, str]:
    """Who answers for a driver: the owner of the first open objective that it serves."""
    leads: dict[str, str] = {}
    served = [(target.objective_id, target.driver) for target in targets]
    for one in await objectives_of(tx, account_id):
        if one.aim.owner and one.aim.state is ObjectiveState.OPEN:
            drivers = [*one.aim.drivers, *(driver for owner, driver in served if owner == one.objective_id)]
            for driver in drivers:
                leads.setdefault(driver, one.aim.owner)
    return leads


def _plans(plans: Iterable[Plan], targets: Sequence[Target], zone: str) -> list[Waiting]:
    """Drafts with targets that one side has signed as they stand, and the other has not."""
    found = []
    for plan in plans:
        own = [target for target in targets if target.plan_id == plan.plan_id]
        signed = plan.signed_by(digest_of(plan, own))
        if plan.state is PlanState.DRAFT and len(signed) == 1:
            (signature,) = signed.values()
            since = local_day(signature.signed_at, zone)
            side = _other(signature.side)
            found.append(Waiting(Occasion.PLAN, plan.plan_id, plan.terms.title, side, since, signature.signer))
    return found


async def _statements(tx: Transaction, account_id: int, zone: str) -> list[Waiting]:
    """Statements that one side has signed, and the other has not."""
    found = []
    for one in await statements_of(tx, account_id):
        if len(one.signatures) == 1:
            (signature,) = one.signatures
            since, side = local_day(signature.signed_at, zone), _other(signature.side)
            found.append(Waiting(Occasion.STATEMENT, one.statement_id, one.title, side, since, signature.signer))
    return found


async def _splits(tx: Transaction, account_id: int, model: ValueModel) -> Iterable[Waiting]:
    """Proposals of shares that the customer or the supplier has yet to agree to."""
    titles = {driver.slug: driver.label for driver in model.drivers}
    proposed = [one for one in await read_splits(tx, account_id) if one.state is SplitState.PROPOSED]
    return [
        Waiting(Occasion.SPLIT, str(one.split_id), titles.get(one.driver, one.driver), side, one.said[0].day)
        for one in proposed
        for side in (Side.CUSTOMER, Side.SUPPLIER)
        if side not in one.agreed
    ]


async def _of_partners(tx: Transaction, account_id: int, zone: str) -> list[Waiting]:
    """What partners ask to be let do, and for each what it reported that nobody and nothing has answered, together."""
    names = await provider_names(tx)
    asked = [
        Waiting(Occasion.CONSENT, one.provider, names.get(one.provider, one.provider), Side.CUSTOMER,
                local_day(one.known_at, zone), newest=one.request_id)
        for one in await open_requests(tx, account_id)
    ]  # fmt: skip
    reported: defaultdict[str, list[Contribution]] = defaultdict(list)
    for found in await standings_of(tx, account_id):
        if found.standing is Standing.REPORTED:
            reported[found.contribution.reported.provider].append(found.contribution)
    return asked + [
        Waiting(Occasion.CONTRIBUTION, provider, names.get(provider, provider), Side.CUSTOMER,
                local_day(several[0].known_at, zone), newest=several[-1].contribution_id)
        for provider, several in sorted(reported.items())
    ]  # fmt: skip


def _other(side: Side) -> Side:
    return Side.SUPPLIER if side is Side.CUSTOMER else Side.CUSTOMER


def _plan_ends(plans: Iterable[Plan], targets: Iterable[Target], given: Situation) -> Iterator[Ending]:
    """When the last month of all that is committed is over; nothing where that is past already."""
    counts = counting(plans)
    last = max((t for t in targets if counts(t.plan_id, t.month)), key=lambda t: (t.month, t.plan_id), default=None)
    if last is not None and next_month(last.month) > given.facts.today:
        yield Ending(Occasion.PLAN_ENDS, last.plan_id, last.plan_id, next_month(last.month))


def _baselines(model: ValueModel, given: Situation) -> Iterator[Ending]:
    """Baselines that the account's value rests on, and that are stale from a day on."""
    known = {one.slug: one.title for one in given.facts.inputs}
    used = {name for driver in given.facts.drivers for name in driver.inputs}
    for one in model.baselines:
        if one.expires_on is not None and one.slug in known and one.slug in used and one.expires_on > given.facts.today:
            yield Ending(Occasion.BASELINE, one.slug, known[one.slug], one.expires_on)
