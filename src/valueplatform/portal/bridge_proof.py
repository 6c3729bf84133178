"""A number of a value bridge, opened: both ends as sums of days, a part as the step that it is.

A part is worked out again from raw events by `value.proof_bridge`; beneath it stand the inputs with who validated them,
the meters of both periods, and the events.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from valueplatform.accounts.accounts import account_by_key
from valueplatform.core.authorization import Action
from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import ONE_DAY
from valueplatform.narrative.insight import Insight, Number, Standing, Strength
from valueplatform.narrative.proof_events import event_page
from valueplatform.narrative.proofs import StoredInsight, meters_of
from valueplatform.narrative.wording.numbers import MINUS
from valueplatform.portal.bridge_asked import STEPS, Asked, until
from valueplatform.portal.bridge_facts import both_text, part_facts
from valueplatform.portal.bridge_ref import ENDS, bridge_ref
from valueplatform.portal.bridge_words import KIND_WORDS, Told, told
from valueplatform.portal.calling import Caller, Place, place_of_account
from valueplatform.portal.exact import exact_text, moment_text, short_text
from valueplatform.portal.proof_formula import anchor
from valueplatform.portal.proof_reading import Opened, open_number
from valueplatform.portal.proof_view import events_view, proof_view
from valueplatform.portal.sentences import proof_path
from valueplatform.portal.view import proof as view
from valueplatform.portal.view import words
from valueplatform.value import derivation as d
from valueplatform.value.bridge_answer import money_lines
from valueplatform.value.bridge_cells import CAP, FORMULA, Kind, added
from valueplatform.value.bridge_read import BridgeQuestion, read_bridge
from valueplatform.value.proof_bridge import prove_bridge
from valueplatform.value.proof_record import read_source
from valueplatform.value.refreshing import read_record
from valueplatform.value.states import State, weakest_state

_STANDINGS: Final = {
    State.UNDER_REVIEW: Standing.UNDER_REVIEW,
    State.ESTIMATED: Standing.ESTIMATED,
    State.PROPOSED: Standing.PROPOSED,
}
_METHODS: Final = {
    Kind.VOLUME: "What {now} metered, divided, performing and valued as in {then}; less what {then} was worth.",
    Kind.MIX: "The volume of {now}, divided over providers or days as in {now}; less the same divided as in {then}.",
    Kind.RATE: "What is metered beside the volume, per unit of it, as in {now}; less the same as in {then}.",
    Kind.ASSUMPTION: "With the value of {now}, less the same with that of {then}; what was metered is as in {now}.",
    Kind.NEW: "All that it brought in {now}: it had no value in {then}.",
    Kind.LOST: "All that it brought in {then}, taken away: it has no value in {now}.",
    Kind.ADJUSTED: "What is shown in a period and is of days outside it, less what is of its days and shown elsewhere.",
}


async def open_bridge(caller: Caller, text_: str, name: str | None) -> tuple[Place, view.Proof]:
    """Raises NotFoundError for a number that is not there."""
    asked = await _asked(caller, text_, name)
    if asked.name in ENDS:
        opened = await _open_end(asked, asked.name)
        return asked.place, replace(proof_view(opened, f"{asked.text}?number={asked.name}"), back=_back(asked))
    return asked.place, await _open_part(asked)


async def bridge_events(caller: Caller, text_: str, name: str | None, cursor: str) -> view.Events:
    """More of the events beneath a number."""
    asked = await _asked(caller, text_, name)
    opened = await _open_end(asked, asked.name if asked.name in ENDS else _nearest(asked))
    record, _ = await read_record(caller.tx, asked.place.account.account_id)
    drivers = [driver for driver in record.model.drivers if driver.slug in {line.slug for line in opened.proof.drivers}]
    page = await event_page(
        caller.tx,
        asked.place.account.account_id,
        record,
        meters_of(record, opened.number, drivers),
        (opened.proof.period_from, opened.proof.period_to),
        cursor,
        shows_subjects=opened.shows_subjects,
    )
    return _at(asked, events_view(opened, page))


async def _asked(caller: Caller, text_: str, name: str | None) -> Asked:
    ref = bridge_ref(text_)
    account = await account_by_key(caller.tx, ref.account)
    place = await place_of_account(caller, account.account_id, Action.READ_VALUE)
    drivers = (ref.driver,) if ref.driver is not None else ()
    read = await read_bridge(
        caller.tx, account, BridgeQuestion(ref.before, ref.after, drivers=drivers, counted=ref.counted)
    )
    own = money_lines(read) if ref.driver is None else [line for line in read.lines if line.unit == ref.unit]
    if ref.driver is None and ref.unit != account.currency:
        raise NotFoundError("There is no such number.")
    return Asked(caller, place, ref, text_, name or "change", read, own)


# ---------------------------------------------------------------- both ends


async def _open_end(asked: Asked, name: str) -> Opened:
    """One end, or their difference, as an insight that no story tells."""
    ref = asked.ref
    drivers = tuple(sorted({line.driver for line in asked.lines}))  # those of the sum, so that no other shows beneath
    before = d.Realized(ref.before.start, ref.before.end, ref.unit, drivers, counted=ref.counted)
    after = d.Realized(ref.after.start, ref.after.end, ref.unit, drivers, counted=ref.counted)
    value = added(getattr(line, name) for line in asked.lines)
    derivation: d.Derivation = d.Difference(after, before) if name == "change" else after if name == "after" else before
    number = Number(name, value, ref.unit, derivation, _standing(asked))
    span = ref.before if name == "before" else ref.after
    insight = Insight("bridge", ref.driver or "account", span.start, span.end, (number,), Strength.STRONG, 0.0)
    stored = StoredInsight(asked.place.account.account_id, asked.text, 0, insight, holds=True)
    title = {"before": asked.then, "after": asked.now, "change": f"{asked.now} against {asked.then}"}[name]
    return await open_number(asked.caller, asked.place, stored, name, f"{asked.title}, {title}")


def _standing(asked: Asked) -> Standing:
    keys = dict.fromkeys((line.driver, line.provider, line.unit) for line in asked.lines)
    states = [asked.read.standings[key].state for key in keys if key in asked.read.standings]
    return _STANDINGS.get(weakest_state(states), Standing.VALIDATED) if states else Standing.VALIDATED


def _back(asked: Asked) -> words.Link:
    ref = asked.ref
    days = {
        "first": ref.after.start,
        "last": ref.after.end - ONE_DAY,
        "against_first": ref.before.start,
        "against_last": ref.before.end - ONE_DAY,
    }
    query = "&".join(f"{name}={day}" for name, day in days.items())
    return words.Link("Back to why", asked.place.path(f"/why?{query}"))


# ---------------------------------------------------------------- a part


def _nearest(asked: Asked) -> str:
    """The end whose events show what a part rests on."""
    return "before" if asked.name == Kind.LOST else "after"


async def _open_part(asked: Asked) -> view.Proof:
    kind, subject = _kind_of(asked)
    stated = added(line.amount(kind, subject) for line in asked.lines)
    again = await _again(asked, kind, subject)
    opened = await _open_end(asked, _nearest(asked))
    beneath = proof_view(opened, "")
    known = told(asked.lines)
    kept = [
        row
        for row in (*beneath.assumptions, *beneath.baselines)
        if kind is not Kind.ASSUMPTION or subject in {CAP, FORMULA, ""} or row.anchor == anchor("a", subject)
    ]
    exact = exact_text(stated, asked.ref.unit)
    formula = _formula(asked, kind, subject, exact)
    return replace(
        beneath,
        ref=f"{asked.text}?number={asked.name}",
        number=short_text(stated, asked.ref.unit),
        sentence=_sentence(asked, kind, subject, stated, known),
        verdict=_verdict(asked, opened, stated, again),
        back=_back(asked),
        classes=(),
        formula=formula,
        method=_METHODS[kind].format(now=asked.now, then=asked.then),
        facts=tuple([fact async for fact in part_facts(asked, kind, subject, known)]),
        assumptions=tuple(row for row in beneath.assumptions if row in kept),
        baselines=tuple(row for row in beneath.baselines if row in kept),
        meters=tuple(_meter(row, known) for row in beneath.meters),
        period=f"{asked.then} and {asked.now}" if known else beneath.period,
        events=_named(asked, _at(asked, beneath.events)) if beneath.events else None,
        ask=None,
    )


def _kind_of(asked: Asked) -> tuple[Kind, str]:
    code, _, subject = asked.name.partition(":")
    known = {(str(part.kind), part.subject) for line in asked.lines for part in line.parts}
    if asked.ref.driver is None or (code, subject) not in known:
        raise NotFoundError(f"This bridge has no number {asked.name!r}.")
    return Kind(code), subject


async def _again(asked: Asked, kind: Kind, subject: str) -> Decimal | None:
    """The same part from raw events, by the independent path."""
    ref = asked.ref
    source = await read_source(asked.caller.tx, asked.place.account.account_id)
    if source is None or ref.driver is None:
        return None
    spans = (ref.before.start, ref.before.end), (ref.after.start, ref.after.end)
    found = await prove_bridge(asked.caller.tx, source, spans, (ref.driver,), counted=ref.counted)
    parts = [bridge.parts.get((str(kind), subject)) for key, bridge in found.items() if key[2] == ref.unit]
    return added(part for part in parts if part is not None)


def _sentence(asked: Asked, kind: Kind, subject: str, stated: Decimal, known: Told | None) -> words.Sentence:
    shown = f"{'+' if stated > 0 else ''}{short_text(stated, asked.ref.unit)}"
    number = words.NumberView(
        name=asked.name,
        text=shown,
        value=format(stated, "f"),
        unit=asked.ref.unit,
        state=_standing(asked).value,
        href=proof_path(asked.text, asked.name),
        key=True,
    )
    cause = asked.words.cause(kind, subject, known, asked.then, asked.now)
    start = words.Span(f"{asked.title}, {KIND_WORDS[kind].lower()}, {asked.now} against {asked.then}: ")
    return words.Sentence(asked.text, "bridge", (start, words.Span(shown, number), words.Span(f". {cause}.")))


def _verdict(asked: Asked, opened: Opened, stated: Decimal, again: Decimal | None) -> view.Verdict:
    when = moment_text(asked.caller.now, asked.place.account.timezone)
    unit = asked.ref.unit
    said, found = exact_text(stated, unit), exact_text(again, unit) if again is not None else "no number"
    if stated == again:
        return view.Verdict(True, said, found, f"Recomputed from the events of both periods by separate code, {when}.")
    if opened.waits:
        how = "The amounts follow within a minute; open the number again then."
        return view.Verdict(False, said, found, how, "New events have come in.")
    return view.Verdict(False, said, found, f"Recomputed {when}. The rest of the page stands on its own proofs.")


def _formula(asked: Asked, kind: Kind, subject: str, exact: str) -> view.Formula | None:
    """The step as a difference: what all is worth with it, less what it was worth before it."""
    driver = asked.read.model.driver(asked.ref.driver or "")
    note = f"version {driver.version}" if driver is not None else ""
    text_ = driver.formula if driver is not None else ""
    if kind not in STEPS or subject == CAP:
        return None
    both = [line for line in asked.lines if line.days_before and line.days_after]
    order = until(both, kind, subject)
    steps = [added(line.amount(step, named) for line in both) for step, named in order]
    reached = added([*(line.worth_before for line in both), *steps])
    standing = added([reached, steps[-1].copy_negate()])
    what = asked.words.input(subject).lower() if kind is Kind.ASSUMPTION else KIND_WORDS[kind].lower()
    unit = asked.ref.unit
    start = "as it was" if len(order) == 1 else "before this step"
    ends = {added(getattr(line, end) for line in asked.lines): end for end in ("before", "after")}
    tokens = (
        view.Token(
            "term", exact_text(reached, unit), f"with the {what} of {asked.now}", _end_href(asked, ends, reached)
        ),
        view.Token("operator", MINUS),
        view.Token("term", exact_text(standing, unit), start, _end_href(asked, ends, standing)),
        view.Token("result", exact, f"{KIND_WORDS[kind].lower()}"),
    )
    spoken = f"{tokens[0].text} {tokens[0].label} minus {tokens[2].text} {start} equals {exact}"
    return view.Formula(tokens, spoken, note, text_)


def _end_href(asked: Asked, ends: Mapping[Decimal, str], amount: Decimal) -> str:
    """The first step begins at one end, the last one leads to the other: those open."""
    return proof_path(asked.text, ends[amount]) if amount in ends else ""


def _meter(row: view.MeterRow, known: Told | None) -> view.MeterRow:
    """A meter reads what it read in each of the periods."""
    for name, pair in (known.meters if known is not None else {}).items():
        if row.anchor == f"m-{name}":
            return replace(row, value=both_text(pair))
    return row


def _named(asked: Asked, events: view.Events) -> view.Events:
    """They are of one of the periods; those of the other open with its end."""
    return replace(events, count=f"{asked.then if _nearest(asked) == 'before' else asked.now}: {events.count}")


def _at(asked: Asked, events: view.Events) -> view.Events:
    """The next ones are fetched from the address of this very number."""
    if events.next_href is None:
        return events
    cursor = events.next_href.rpartition("&cursor=")[2]
    path, _, query = proof_path(asked.text, asked.name).partition("?")
    return replace(events, next_href=f"{path}/events?{query}&cursor={cursor}")
