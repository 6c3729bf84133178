"""Objectives, plans and moments in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from valueplatform.core.authorization import Side
from valueplatform.core.periods import local_day
from valueplatform.portal.calling import Place
from valueplatform.portal.exact import bare_text, cents_text, day_text, machine_time, range_text, short_text
from valueplatform.portal.view import objectives as view
from valueplatform.portal.view.drawings import Column, TableView
from valueplatform.portal.view.words import Act, Chip, NumberView, Span
from valueplatform.value.attainment import Attainment, Line
from valueplatform.value.objectives import Gap, Objective, ObjectiveState
from valueplatform.value.plan_terms import Counts, Plan, PlanKind, PlanState
from valueplatform.value.plans import Target
from valueplatform.value.signing import digest_of
from valueplatform.value.timeline import ADJUSTMENT, ASSUMPTION, MILESTONE, OBJECTIVE, PLAN, Moment

BEHIND: Final = "/plan/attainment"
_GAPS: Final = {
    Gap.NO_OWNER: "owner",
    Gap.NO_CUSTOMER_SPONSOR: "sponsor on the customer side",
    Gap.NO_SUPPLIER_SPONSOR: "sponsor on the supplier side",
    Gap.NO_DRIVER: "driver",
    Gap.NO_DATE: "date",
}
_KINDS: Final = {
    PlanKind.BUSINESS_CASE: "Business case",
    PlanKind.COMMITMENT: "Commitment",
    PlanKind.RE_PLAN: "Re-plan",
}
_BOUNDS: Final = ("Low", "Expected", "High")
_STANDS: Final = {
    PlanState.DRAFT: Chip("proposed", "Draft, counts nowhere yet"),
    PlanState.SIGNED: Chip("validated", "Signed by both"),
    PlanState.WITHDRAWN: Chip("nodata", "Withdrawn, counts nowhere"),
    PlanState.IN_FORCE: Chip("on", "In force, unsigned"),
}
_SIDES: Final = {Side.CUSTOMER: "the customer", Side.SUPPLIER: "the supplier"}
_DID: Final = {
    "drafted": "drafted",
    "changed": "changed",
    "signed": "signed",
    "withdrawn": "withdrawn",
    "validate": "validated",
    "dispute": "disputed",
    "open": "stated",
    "reached": "reached",
    "dropped": "dropped",
}


@dataclass(frozen=True, slots=True)
class PlanRights:
    """`side` is the one that this reader may sign for; `drivers` are labels and units by slug, in this account."""

    side: Side | None
    may_withdraw: bool
    drivers: Mapping[str, tuple[str, str]]


def objective_row(
    one: Objective, in_force: Sequence[Target], lines: Sequence[Line], place: Place, today: date
) -> view.ObjectiveRow:
    aim = one.aim
    mine = [target for target in in_force if target.objective_id == one.objective_id]
    months = sorted(target.month for target in mine if target.month > today)
    if aim.due is not None and aim.due >= today:
        coming = f"Due {day_text(aim.due)}"
    else:
        coming = f"Next target {months[0]:%B %Y}" if months else ""
    people = (
        ("Owner", aim.owner),
        ("Customer sponsor", aim.customer_sponsor),
        ("Supplier sponsor", aim.supplier_sponsor),
    )
    href = place.path(f"{BEHIND}?objective={one.objective_id}")
    return view.ObjectiveRow(
        title=one.title,
        chip=_state(aim.state, aim.reason),
        people=tuple((label, name) for label, name in people if name),
        tactics=aim.tactics,
        attained=tuple(
            attained(line, href) for line in lines if line.scope == "objective" and line.name == str(one.objective_id)
        ),
        next=coming,
        gaps=tuple(_missing(one.gaps({target.driver for target in mine}, today))),
    )


def _missing(gaps: Sequence[Gap]) -> Iterator[str]:
    if missing := [_GAPS[gap] for gap in gaps if gap in _GAPS]:
        yield f"Missing: {', '.join(missing)}"
    if Gap.DATE_PASSED in gaps:
        yield "Its date has passed"


def _state(state: ObjectiveState, reason: str) -> Chip | None:
    if state is ObjectiveState.OPEN:
        return None
    if state is ObjectiveState.REACHED:
        return Chip("validated", "Reached")
    return Chip("nodata", f"Dropped: {reason}")


def attained(line: Line, href: str) -> view.Attained:
    expected = line.committed_expected
    span = ""
    if line.committed_low is not None and line.committed_high is not None:
        span = range_text(line.committed_low, line.committed_high, line.unit)
    return view.Attained(
        realized=None if line.realized is None else _number("realized", line.realized, line.unit, href),
        committed=None if expected is None else _number("committed", expected, line.unit, href),
        span=span,
        ratio=None if line.attainment is None else _number("attainment", line.attainment, "share", href),
        reason=line.reason or "",
    )


def _number(name: str, amount: Decimal, unit: str, href: str) -> NumberView:
    return NumberView(name, short_text(amount, unit), bare_text(amount), unit, "validated", href)


def plan_row(
    plan: Plan,
    targets: Sequence[Target],
    counts: Counts,
    names: Mapping[str, str],
    place: Place,
    rights: PlanRights,
) -> view.PlanRow:
    digest = digest_of(plan, targets)
    signed = plan.signed_by(digest)
    return view.PlanRow(
        title=plan.terms.title,
        kind=_KINDS[plan.terms.kind],
        chip=_STANDS[plan.state],
        about=tuple(_about(plan, targets, counts, names, place.account.timezone)),
        amounts=_amounts(plan, targets, rights),
        acts=tuple(_plan_acts(plan, digest if targets and rights.side not in signed else "", place, rights)),
    )


def _about(
    plan: Plan, targets: Sequence[Target], counts: Counts, names: Mapping[str, str], timezone: str
) -> Iterator[str]:
    in_force = sum(counts(target.plan_id, target.month) for target in targets)
    yield f"{len(targets)} {'target' if len(targets) == 1 else 'targets'}, {in_force} in force"
    signed = plan.signed_by(digest_of(plan, targets))
    for each, signature in signed.items():
        day = day_text(local_day(signature.signed_at, timezone))
        yield f"Signed for {_SIDES[each]} by {names.get(signature.signer, signature.signer)}, {day}"
    if plan.state is PlanState.DRAFT or (signed and plan.state is PlanState.IN_FORCE):
        yield from (f"Waits for {_SIDES[each]} to sign" for each in _SIDES if each not in signed)
    if plan.state in {PlanState.DRAFT, PlanState.IN_FORCE} and len(plan.signatures) > len(signed):
        yield "It was changed after it was signed; that signature holds no more"
    if plan.withdrawn and plan.known_at is not None and plan.author is not None:
        day = day_text(local_day(plan.known_at, timezone))
        yield f"Withdrawn by {names.get(plan.author, plan.author)}, {day}"
    month = plan.terms.from_month
    if month is not None:
        yield f"Takes the place of {', '.join(plan.terms.replaces)} from {month:%B %Y} on"
    if belongs := plan.terms.contract_id or plan.terms.milestone_id:
        yield f"Belongs to {belongs}"


def _plan_acts(plan: Plan, digest: str, place: Place, rights: PlanRights) -> Iterator[Act]:
    """`digest` is of what this reader's side may sign, '' where there is nothing."""
    title, fields = plan.terms.title, (("plan", plan.plan_id),)
    if digest and rights.side is not None and plan.state in {PlanState.DRAFT, PlanState.IN_FORCE}:
        signs = (*fields, ("digest", digest))
        yield Act(f"Sign {title} for {_SIDES[rights.side]}", place.path("/plan/sign"), signs)
    if rights.may_withdraw and plan.state is PlanState.DRAFT:
        yield Act(f"Withdraw {title}", place.path("/plan/withdraw"), fields)
    if rights.may_withdraw and plan.state is PlanState.WITHDRAWN:
        yield Act(f"Make {title} a draft again", place.path("/plan/restore"), fields)


def _amounts(plan: Plan, targets: Sequence[Target], rights: PlanRights) -> TableView | None:
    """By driver and month, as they were committed to."""
    if not targets:
        return None
    columns = (Column("Driver"), Column("Month"), *(Column(text, numeric=True) for text in _BOUNDS))
    rows = []
    for target in sorted(targets, key=lambda one: (one.driver, one.month, one.objective)):
        label, unit = rights.drivers.get(target.driver, (target.driver, ""))
        amounts = (target.low, target.expected, target.high)
        said = (cents_text(amount, unit) if unit else bare_text(amount) for amount in amounts)
        rows.append((Span(label), Span(f"{target.month:%b %Y}"), *map(Span, said)))
    return TableView(f"Amounts of {plan.terms.title}", columns, tuple(rows))


def moment_row(one: Moment, names: Mapping[str, str], timezone: str) -> view.MomentRow:
    kind, note = _MOMENTS[one.kind], ""
    title = one.title.removeprefix(kind).removeprefix(",").strip()
    if one.kind in {PLAN, OBJECTIVE, ASSUMPTION}:
        who = names.get(one.author or "", one.author or "")
        note = (
            f"{_DID.get(one.what, one.what)} by {who}, for {_SIDES.get(Side(one.side), one.side)}" if one.side else ""
        )
    elif one.kind == ADJUSTMENT and one.amount is not None and one.unit:
        note = f"{cents_text(one.amount, one.unit)}{f', {one.what}' if one.what else ''}"
    elif one.kind == MILESTONE:
        note = one.what if one.what != one.title else ""
    elif one.kind == "contract":
        note = _CONTRACTS.get(one.what, one.what)
    return view.MomentRow(
        day=day_text(local_day(one.at, timezone)),
        machine=machine_time(one.at),
        kind=kind,
        title=title[:1].upper() + title[1:] if one.kind == "model" else title or one.title,
        note=note,
    )


_CONTRACTS: Final = {"start": "starts", "end": "ends"}
_MOMENTS: Final = {
    "milestone": "Milestone",
    "contract": "Contract",
    "plan": "Plan",
    "objective": "Objective",
    "close": "Month closed",
    "adjustment": "Adjustment",
    "assumption": "Assumption",
    "model": "Value model",
}


def attainment_page(found: Attainment, place: Place) -> view.AttainmentPage:
    """Newest first: what stands now, then what was known at each month's end."""
    parts = []
    if found.to_date is not None:
        parts.append(
            view.PointPart("As it stands now", "Open months with what they have so far.", _rows(found.to_date))
        )
    for point in reversed(found.points):
        closed = ", ".join(f"{month:%B %Y}" for month in point.closed) or "no month yet"
        still = f" Open then: {', '.join(f'{month:%B %Y}' for month in point.open)}." if point.open else ""
        parts.append(
            view.PointPart(f"As known on {day_text(point.as_of)}", f"Over {closed}.{still}", _rows(point.lines))
        )
    return view.AttainmentPage(tuple(parts), place.path("/plan"))


def _rows(lines: Sequence[Line]) -> tuple[view.PointRow, ...]:
    return tuple(
        view.PointRow(
            name=f"{_SCOPES[line.scope]}{line.title}",
            unit=line.unit,
            realized="" if line.realized is None else cents_text(line.realized, line.unit),
            committed="" if line.committed_expected is None else cents_text(line.committed_expected, line.unit),
            span=""
            if line.committed_low is None or line.committed_high is None
            else range_text(line.committed_low, line.committed_high, line.unit),
            ratio="" if line.attainment is None else f"{bare_text(line.attainment * 100)}%",
            reason=line.reason or "",
        )
        for line in lines
    )


_SCOPES: Final = {"total": "", "benefit_class": "Class: ", "objective": "Objective: ", "driver": ""}
