"""What telemetry cannot see: each input, who stands behind it, what hangs on it, and what each side may do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter
from sqlalchemy import text

from valueplatform.core.authorization import Action as Right
from valueplatform.core.authorization import Side, may
from valueplatform.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    UnprocessableError,
)
from valueplatform.core.periods import ONE_DAY, Period, local_day
from valueplatform.narrative.document import Audience
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.store import newest_story
from valueplatform.portal.answers import see_other
from valueplatform.portal.assumption_view import (
    Form,
    Given,
    driver_row,
    order,
    propose_view,
    row_id,
    row_view,
    said_by,
    typed_value,
    with_comparable,
)
from valueplatform.portal.calling import Caller, Key, Place, PortalRequest, both, form_field, place_of
from valueplatform.portal.effect import LOOK_BACK, Effect, Proposal, affected_drivers, effect_of
from valueplatform.portal.effect_words import effect_text
from valueplatform.portal.exact import exact_text, short_text
from valueplatform.portal.frame import account_shell, supplier_name
from valueplatform.portal.names import names_of
from valueplatform.portal.portal import Shared
from valueplatform.portal.reader import Reader
from valueplatform.portal.sentences import proof_path
from valueplatform.portal.view.assumptions import Assumption, Assumptions
from valueplatform.portal.view.words import NumberView
from valueplatform.value import assumption_record as written
from valueplatform.value.accruals import Record, in_whole_months, input_names
from valueplatform.value.assumption_record import Author, Statement
from valueplatform.value.assumptions import EVER, Action, driver_slug, holding
from valueplatform.value.basis import driver_statement
from valueplatform.value.comparable_values import comparable_values, estimate_from_comparable
from valueplatform.value.formula import Formula
from valueplatform.value.meter_days import meter_days
from valueplatform.value.model import Driver, Evidence
from valueplatform.value.ranges import Range
from valueplatform.value.refreshing import read_record

HINT: Final = "What telemetry cannot see. Anybody may correct a value; a number changes once a validator accepts it."
EMPTY: Final = "The value model has no assumptions for this account."
_VOUCHED: Final = frozenset({Evidence.VENDOR_ESTIMATE, Evidence.CUSTOMER_VALIDATED})
_INPUT_KINDS: Final = ("under-review", "unvalidated-input", "validated-input")
_AMOUNT_KINDS: Final = ("realized", "estimated")
_YEAR: Final = timedelta(days=365)
_HELD: Final = text("""
    SELECT insight_id, kind, subject, body::text AS body FROM insight
    WHERE account_id = :account AND until IS NULL AND kind = ANY(:kinds)
""")
_SUBJECT: Final = text("SELECT subject FROM insight WHERE account_id = :account AND insight_id = :insight LIMIT 1")


@dataclass(frozen=True, slots=True)
class Desk:
    """What the record says of an account, and who reads it."""

    caller: Caller
    place: Place
    record: Record
    reader: Reader
    held: Mapping[tuple[str, str], tuple[str, Insight]]
    """Insights on inputs and drivers, with their ids, by kind and subject."""

    def given(self, slug: str) -> Given | None:
        rate = self.record.model.rate(slug)
        if rate is None:
            return None
        entries, default = self.record.entries.get(slug, ()), self.record.defaults().get(slug)
        told = next((self.held[kind, slug] for kind in _INPUT_KINDS if (kind, slug) in self.held), None)
        return Given(rate, holding(entries, default, self.reader.today), told)

    def who(self, given: Given) -> str:
        return said_by(self.reader, given)

    def amount(self, driver: Driver) -> NumberView | None:
        for name in _AMOUNT_KINDS:
            found = self.held.get((name, driver.slug))
            if found is not None:
                number = found[1].number(name)
                shown = short_text(number.value, number.unit)
                href = proof_path(found[0], name)
                return NumberView(name, shown, format(number.value, "f"), number.unit, number.standing.value, href)
        return None


async def read_desk(caller: Caller, key: str | None) -> Desk:
    place = await place_of(caller, key, Right.READ_ASSUMPTIONS)
    tx, account = caller.tx, place.account
    record, _ = await read_record(tx, account.account_id)
    authors = {entry.author for entries in record.entries.values() for entry in entries}
    names = await names_of(tx, account.account_id, authors)
    names |= {f"driver {driver.slug}": driver.label for driver in record.model.drivers}
    where = {"account": account.account_id, "kinds": [*_INPUT_KINDS, *_AMOUNT_KINDS]}
    rows = await tx.rows(_HELD, where)
    reader = Reader(
        place=place,
        side=caller.user.side,
        author=caller.user.author,
        today=local_day(caller.now, account.timezone),
        supplier=await supplier_name(tx),
        names=names,
        proposes=caller.may(Right.PROPOSE_ASSUMPTION),
        disputes=caller.may(Right.DISPUTE_ASSUMPTION),
        validates=caller.may(Right.VALIDATE_ASSUMPTION),
    )
    held = {(row.kind, row.subject): (row.insight_id, msgspec.json.decode(row.body, type=Insight)) for row in rows}
    return Desk(caller, place, record, reader, held)


@get(both("/assumptions"))
async def assumptions_page(
    request: PortalRequest,
    portal: Shared,
    key: Key = None,
    opened: Annotated[str | None, QueryParameter(name="open")] = None,
    about: FromQuery[str | None] = None,
) -> Response[str]:
    """`open` names the row that is open; `about` an insight on an input, whose row it then is."""
    if about is None:
        return await _page(request, portal, key, opened)
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Right.READ_ASSUMPTIONS)
        where = {"account": place.account.account_id, "insight": about}
        slug = str(await caller.tx.scalar(_SUBJECT, where) or "")
    return see_other(place.path(f"/assumptions?open={slug}#{row_id(slug)}" if slug else "/assumptions"))


async def _page(
    request: PortalRequest, portal: Shared, key: str | None, opened: str | None, form: Form | None = None
) -> Response[str]:
    async with portal.door.entered(request) as caller:
        desk = await read_desk(caller, key)
        items = await _items(desk, opened, form)
        shell = await account_shell(caller, desk.place, "/assumptions")
    wrong = form is not None and bool(form.error or form.question_error)
    shown = Assumptions(None, items, HINT, EMPTY)
    return portal.pages.page("assumptions.html", status_code=400 if wrong else 200, shell=shell, assumptions=shown)


async def _items(desk: Desk, opened: str | None, form: Form | None) -> tuple[Assumption, ...]:
    model = desk.record.model
    used = {name for driver in model.driver_versions for name in input_names(model, driver)}
    given = [found for rate in (*model.baselines, *model.assumptions) if (found := desk.given(rate.slug))]
    offers = await comparable_values(desk.caller.tx, desk.place.account, desk.record)
    rows = []
    for each in sorted((one for one in given if one.rate.slug in used), key=order):
        slug, opens = each.rate.slug, each.rate.slug == opened
        effect = await _pending_effect(desk, each) if opens else None
        row = row_view(desk.reader, each, opens=opens, effect=effect, form=form if opens else None)
        offer = offers.get(slug)
        rows.append(row if offer is None else with_comparable(desk.reader, row, slug, offer, opens=opens))
    return (*_vouched(desk, opened), *rows)


def _vouched(desk: Desk, opened: str | None) -> Sequence[Assumption]:
    """Drivers that rest on the supplier's word alone, as far as they have any value."""
    rows = []
    for driver in desk.record.model.drivers:
        amount = desk.amount(driver)
        if driver.evidence in _VOUCHED and amount is not None:
            slug = driver_slug(driver.slug)
            held = holding(desk.record.entries.get(slug, ()), None, desk.reader.today)
            rows.append(driver_row(desk.reader, driver, held, amount, opens=slug == opened))
    return rows


async def _pending_effect(desk: Desk, given: Given) -> Effect | None:
    held = given.held
    pending = held.pending[-1] if held and held.pending else None
    if pending is None or pending.value is None:
        return None
    unit = pending.unit or given.rate.unit
    return await _effect(desk, Proposal(given.rate.slug, pending.value, unit, pending.side, pending.effective_from))


async def _effect(desk: Desk, proposal: Proposal) -> Effect:
    tx, account_id = desk.caller.tx, desk.place.account.account_id
    stored = await newest_story(tx, account_id, Audience.CUSTOMER)
    end = desk.reader.today + ONE_DAY
    start = min(stored.document.period_from, end - ONE_DAY) if stored else end - _YEAR
    affected = set(affected_drivers(desk.record, proposal.slug))
    names = {
        name
        for driver in desk.record.model.driver_versions
        if driver.slug in affected
        for name in Formula.parse(driver.formula).names
    }
    meters = [meter for meter in desk.record.model.meters if meter.slug in names]
    looked_at = Period(min(start, end - LOOK_BACK), end)
    days = await meter_days(tx, account_id, meters, in_whole_months(desk.record.model, looked_at))
    return effect_of(desk.record, days, Period(start, end), proposal, desk.caller.now)


def _proposal(desk: Desk, given: Given, typed: str) -> Proposal:
    """What the form means. The supplier's corrections are meant for as long as the value in force holds; the customer's
    hold from today on, since the other side has not agreed to restate (value rule 11)."""
    value = Range.point(typed_value(typed, given.unit))
    held = given.held
    since: date = desk.reader.today
    if desk.reader.side is Side.SUPPLIER:
        since = held.entry.effective_from if held and held.entry else EVER
    unit = held.unit if held else given.rate.unit
    return Proposal(given.rate.slug, value, unit, desk.reader.side, since)


def _checked(reason: str) -> str:
    if not reason or "\0" in reason:
        raise InvalidInputError("Say where the value comes from; it stays in the record.")
    return reason


def _known(desk: Desk, slug: str) -> Given:
    given = desk.given(slug)
    if given is None:
        raise NotFoundError("The value model has no such assumption.")
    return given


@get(both("/assumptions/{slug:str}/preview"))
async def preview(
    request: PortalRequest, portal: Shared, slug: FromPath[str], value: FromQuery[str] = "", key: Key = None
) -> Response[str]:
    """The effect of a value, before it is proposed; nothing is written."""
    async with portal.door.entered(request) as caller:
        desk = await read_desk(caller, key)
        caller.require(Right.PROPOSE_ASSUMPTION)
        given = _known(desk, slug)
        try:
            proposal = _proposal(desk, given, value)
        except InvalidInputError as error:
            form = propose_view(desk.reader, given, Form(value, error=error.message))
        else:
            effect = await _effect(desk, proposal)
            shown = exact_text(proposal.value.expected, given.unit)
            form = propose_view(desk.reader, given, Form(value), effect_text(desk.reader, effect, shown))
    return portal.pages.page("_propose.html", form=form, form_id=f"propose-{row_id(slug)}")


@post(both("/assumptions/{slug:str}/propose"))
async def propose(request: PortalRequest, portal: Shared, slug: FromPath[str], key: Key = None) -> Response[str]:
    value, reason = await form_field(request, "value"), (await form_field(request, "reason")).strip()
    try:
        async with portal.door.entered(request) as caller:
            desk = await read_desk(caller, key)
            caller.require(Right.PROPOSE_ASSUMPTION)
            proposal = _proposal(desk, _known(desk, slug), value)
            statement = Statement(slug, proposal.value, proposal.unit, proposal.effective_from, _checked(reason))
            account_id = desk.place.account.account_id
            await written.state_value(caller.tx, account_id, Action.PROPOSE, statement, _author(caller), caller.now)
    except (InvalidInputError, UnprocessableError) as error:
        return await _page(request, portal, key, slug, Form(value, reason, error.message))
    return _back(desk.place, slug)


@post(both("/assumptions/{slug:str}/estimate"))
async def estimate(request: PortalRequest, portal: Shared, slug: FromPath[str], key: Key = None) -> Response[str]:
    """Take what similar companies validated as the supplier's estimate."""
    async with portal.door.entered(request) as caller:
        desk = await read_desk(caller, key)
        caller.require(Right.PROPOSE_ASSUMPTION)
        await estimate_from_comparable(caller.tx, desk.place.account, slug, _author(caller), caller.now)
    return _back(desk.place, slug)


@post(both("/assumptions/{slug:str}/{verb:str}"))
async def answer(
    request: PortalRequest, portal: Shared, slug: FromPath[str], verb: FromPath[str], key: Key = None
) -> Response[str]:
    """Validate, dispute or withdraw what was stated."""
    right = {"validate": Right.VALIDATE_ASSUMPTION, "dispute": Right.DISPUTE_ASSUMPTION}.get(verb)
    if right is None and verb != "withdraw":
        raise NotFoundError("There is no such answer.")
    reason, number = (await form_field(request, "reason")).strip(), await form_field(request, "entry")
    try:
        async with portal.door.entered(request) as caller:
            desk = await read_desk(caller, key)
            caller.require(right or Right.PROPOSE_ASSUMPTION)
            await _answer(desk, slug, verb, int(number) if number.isdecimal() else None, reason)
    except (UnprocessableError, ConflictError, ForbiddenError) as error:
        if verb == "dispute":
            return await _page(request, portal, key, slug, Form(question=reason, question_error=error.message))
        raise
    return _back(desk.place, slug)


async def _answer(desk: Desk, slug: str, verb: str, entry_id: int | None, reason: str) -> None:
    tx, now, author = desk.caller.tx, desk.caller.now, _author(desk.caller)
    account_id, today = desk.place.account.account_id, desk.reader.today
    if entry_id is None:
        if verb != "validate":
            raise NotFoundError("There is no such statement.")
        await _validate_stated(desk, slug, author)
    elif all(entry.entry_id != entry_id for entry in desk.record.entries.get(slug, ())):
        raise NotFoundError("There is no such statement.")
    elif verb == "validate":
        await written.validate(tx, account_id, entry_id, author, now, today, reason)
    elif verb == "dispute":
        await written.dispute(tx, account_id, entry_id, author, now, reason)
    else:
        await written.withdraw(tx, account_id, entry_id, author, now)


async def _validate_stated(desk: Desk, slug: str, author: Author) -> None:
    """What the model says: the default of an input, or a driver itself."""
    stated = desk.record.defaults() | {
        driver_slug(driver.slug): driver_statement(driver) for driver in desk.record.model.drivers
    }
    if slug not in stated:
        raise NotFoundError("The value model states no such value.")
    caller, account_id = desk.caller, desk.place.account.account_id
    await written.validate_stated(caller.tx, account_id, slug, stated[slug], author, caller.now, desk.reader.today)


def _author(caller: Caller) -> Author:
    return Author(caller.user.author, caller.user.side, validates=may(caller.user, Right.VALIDATE_ASSUMPTION))


def _back(place: Place, slug: str) -> Response[str]:
    return see_other(place.path(f"/assumptions?open={slug}#{row_id(slug)}"))


HANDLERS = (assumptions_page, preview, propose, estimate, answer)
