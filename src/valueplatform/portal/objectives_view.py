"""Objectives, plans and moments in words."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from valueplatform.core.authorization import Side
from valueplatform.core.periods import local_day
from valueplatform.portal.calling import Place
from valueplatform.portal.exact import bare_text, cents_text, day_text, machine_time, range_text, short_text
from valueplatform.portal.view import objectives as view
from valueplatform.portal.view.words import Act, Chip, NumberView
from valueplatform.value.attainment import Attainment, Line
from valueplatform.value.objectives import Gap, Objective, ObjectiveState
from valueplatform.value.plan_terms import Counts, Plan, PlanKind, PlanState
from valueplatform.value.plans import Target
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
_SIDES: Final = {Side.CUSTOMER: "the customer", Side.SUPPLIER: "the supplier"}
_DID: Final = {
    "drafted": "drafted",
    "changed": "changed",
    "signed": "signed",
    "validate": "validated",
    "dispute": "disputed",
    "open": "stated",
    "reached": "reached",
    "dropped": "dropped",
}


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
    name: str,
    plan: Plan | None,
    targets: Sequence[Target],
    counts: Counts,
    digest: str,
    names: Mapping[str, str],
    place: Place,
    side: Side | None,
) -> view.PlanRow:
    """`side` is the one that this reader may sign for."""
    in_force = sum(counts(target.plan_id, target.month) for target in targets)
    about = [f"{len(targets)} {'target' if len(targets) == 1 else 'targets'}, {in_force} in force"]
    if plan is None:
        return view.PlanRow(name, name, "Commitment", Chip("on", "In force, unsigned"), tuple(about), None, None)
    signed = plan.signed_by(digest)
    for each, signature in signed.items():
        day = day_text(local_day(signature.signed_at, place.account.timezone))
        about.append(f"Signed for {_SIDES[each]} by {names.get(signature.signer, signature.signer)}, {day}")
    if plan.state is PlanState.DRAFT:
        about += [f"Waits for {_SIDES[each]} to sign" for each in _SIDES if each not in signed]
        if len(plan.signatures) > len(signed):
            about.append("It was changed after it was signed; that signature holds no more")
    month = plan.terms.from_month
    if month is not None:
        about.append(f"Takes the place of {', '.join(plan.terms.replaces)} from {month:%B %Y} on")
    belongs = plan.terms.contract_id or plan.terms.milestone_id
    if belongs:
        about.append(f"Belongs to {belongs}")
    draft = plan.state is PlanState.DRAFT
    act = None
    if draft and targets and side is not None and side not in signed:
        fields = (("plan", name), ("digest", digest))
        act = Act(f"Sign {plan.terms.title} for {_SIDES[side]}", place.path("/plan/sign"), fields)
    chip = Chip("proposed", "Draft, counts nowhere yet") if draft else Chip("validated", "Signed by both")
    return view.PlanRow(name, plan.terms.title, _KINDS[plan.terms.kind], chip, tuple(about), None, act)


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
