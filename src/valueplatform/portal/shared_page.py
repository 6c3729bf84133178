"""Reading what a partner sees of the accounts that are shared with it: its own rows, its share, the combined total, and
what it reports and agrees on. Everything else of an account is masked as the API masks it (value rule 19)."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from msgspec import structs

from valueplatform.accounts.accounts import Account, list_accounts
from valueplatform.accounts.consents import Purpose, consents_of, consents_to, open_requests
from valueplatform.api.consents import ConsentOut, consent_out
from valueplatform.api.contributions import ContributionOut, contribution_out
from valueplatform.api.splits import SplitOut, split_out
from valueplatform.core.errors import UnprocessableError
from valueplatform.narrative.document import Audience, Language
from valueplatform.narrative.story_read import read_story
from valueplatform.portal.calling import Caller, Place
from valueplatform.portal.exact import count_text, day_text
from valueplatform.portal.languages import Wanted, language_for, switch_of
from valueplatform.portal.partners_view import (
    Words,
    consent_row,
    contribution_row,
    part_of,
    party_row,
    percent,
    split_row,
    standing_lines,
    sums_by,
)
from valueplatform.portal.party_ref import PartyRef, Whose
from valueplatform.portal.sentences import sentence_view
from valueplatform.portal.shares import (
    Typed,
    authors_of,
    claimed_before,
    joint_choices,
    measured_for,
    reason_form,
    split_form,
    words_of,
)
from valueplatform.portal.view import partners as view
from valueplatform.portal.view.words import Link, NumberView, Sentence, Span
from valueplatform.value.contribution_record import standings_of
from valueplatform.value.contributions import Measured, Standing, as_partners_see
from valueplatform.value.model import BY_EVENT, ValueModel
from valueplatform.value.models import newest_model
from valueplatform.value.reading import Question, ValueRead, read_value
from valueplatform.value.sharing import Combined, Offering
from valueplatform.value.split_record import read_splits
from valueplatform.value.splits import SplitState

PATH = "/shared"
ASK = "ask-contribute"
"""The form that asks to be let report."""
MOST = 50
"""Accounts of one page."""
SUPPRESSED = "Not shown: it would tell what one other party brings"


def provider_of(caller: Caller) -> str:
    return caller.user.provider or ""


async def shared_list(caller: Caller, cursor: str | None) -> view.SharedList:
    """The accounts in scope, by key. Raises NoModelError."""
    page = await list_accounts(caller.tx, limit=MOST, cursor=cursor)
    rows = [await _row(caller, account) for account in page.items]
    waiting = sum(bool(row.waits) for row in rows)
    told = f"{count_text(len(rows)).capitalize()} {'account is' if len(rows) == 1 else 'accounts are'} shared with you."
    waits = f" In {count_text(waiting)} of them a split waits for you." if waiting else ""
    return view.SharedList(
        headline=f"{told}{waits}" if rows else "No account is shared with you yet.",
        lead="Your own rows, your part of what is joint, and the combined total where it tells of nobody else.",
        rows=tuple(rows),
        more=Link("More accounts", f"{PATH}?cursor={page.next_cursor}") if page.next_cursor else None,
    )


async def _row(caller: Caller, account: Account) -> view.SharedRow:
    read = await _read(caller, account)
    own = _own(read)
    together = read.combined
    waiting = [one for one in await _splits(caller, account) if _waits(one)]
    return view.SharedRow(
        name=account.name,
        href=f"{PATH}/{account.key}",
        about=f"Since {day_text(read.period.start)}",
        own=_at(caller, read).number("realized", own[0], counts=own[0] == own[1]),
        share="" if together is None or together.share is None else percent(together.share),
        combined=None if together is None else _whole(_at(caller, read), Whose.ALL, together),
        waits=f"{count_text(len(waiting)).capitalize()} waiting for you" if waiting else "",
    )


async def _read(caller: Caller, account: Account) -> ValueRead:
    question = Question(group_by=("driver",), provider=provider_of(caller), shows_paid=False)
    return await read_value(caller.tx, account, question, caller.now)


def _own(read: ValueRead) -> tuple[Decimal, Decimal]:
    return read.totals.realized, read.totals.counted


def _at(caller: Caller, read: ValueRead) -> PartyRef:
    """All that the partner brought."""
    period = read.period
    return PartyRef(read.account, period.start, period.end, read.currency, Whose.PARTY, provider_of(caller))


def _whole(at: PartyRef, whose: Whose, found: Combined | Offering) -> NumberView:
    return at.of(whose=whose).number("realized", found.realized, counts=found.realized == found.counted)


async def _splits(caller: Caller, account: Account) -> list[SplitOut]:
    found = await read_splits(caller.tx, account.account_id)
    return [split_out(one, masked=True) for one in found if one.provider == provider_of(caller)]


def _waits(one: SplitOut) -> bool:
    return one.state is SplitState.PROPOSED and all(said.side.value != "partner" for said in one.said)


async def shared_account(caller: Caller, place: Place, typed: Typed | None, wanted: Wanted) -> view.Shared:
    """One account as the partner sees it. Raises NoModelError."""
    tx, account, provider = caller.tx, place.account, provider_of(caller)
    model = await newest_model(tx)
    consents = [consent_out(one, masked=True) for one in await consents_of(tx, account.account_id, provider)]
    standings = as_partners_see(await standings_of(tx, account.account_id), provider)
    contributions = [contribution_out(one, masked=True) for one in standings]
    splits = await _splits(caller, account)
    words = await words_of(caller, account, model, authors_of(consents, contributions, splits))
    read = await _read(caller, account)
    measured = await measured_for(caller, account, contributions)
    language = await language_for(caller, wanted)
    waiting = sum(map(_waits, splits))
    at, (realized, counted) = _at(caller, read), _own(read)
    own = at.number("realized", realized, counts=realized == counted)
    waits = f" {count_text(waiting).capitalize()} {'split waits' if waiting == 1 else 'splits wait'} for you."
    return view.Shared(
        headline=(
            Span("You contributed "),
            Span(own.text, own),
            Span(f" at {account.name}.{waits if waiting else ''}"),
        ),
        lead=f"Realized from {day_text(read.period.start)} to today: your own rows and your part of what is joint.",
        facts=_facts(read, at, words),
        rows=_rows(read, at, words),
        story=await _story(caller, account, language),
        lang="" if language is Language.ENGLISH else language.value,
        languages=switch_of(language, place.path("")),
        consents=await _consents(caller, place, consents, words, typed),
        contributions=_contributions(place, contributions, words, measured, typed),
        splits=tuple(
            split_row(one, words, split_form(one, place.path("/splits"), "partner", typed))
            for one in sorted(splits, key=lambda s: (s.state is not SplitState.PROPOSED, -s.split_id))
        ),
        report=await _report(caller, place, model, typed),
        propose=_propose(place, model, typed),
        problem=_problem(typed, contributions, splits),
        links=(
            Link("Download your report", place.path("/report.csv")),
            Link("Download what you report and splits", place.path("/report.csv?part=partners")),
            Link("All shared accounts", PATH),
        ),
    )


def _problem(typed: Typed | None, contributions: Sequence[ContributionOut], splits: Sequence[SplitOut]) -> str:
    """What could not be carried out and stands beside no form of the page."""
    shown = {"report", "propose", ASK} | {f"split-{one.split_id}" for one in splits if one.state is SplitState.PROPOSED}
    shown |= {f"contribution-{one.contribution_id}" for one in contributions if one.state is not Standing.WITHDRAWN}
    return "" if typed is None or typed.name in shown else typed.error


def _facts(read: ValueRead, at: PartyRef, words: Words) -> tuple[view.PartFact, ...]:
    realized, counted = _own(read)
    own, counts = at.number("realized", realized, counts=realized == counted), at.number("counted", counted)
    facts = [view.PartFact("Your part", _told(own), (*_told(counts), Span(" counted")))]
    if read.combined is None:
        why = SUPPRESSED if realized else "You have no part in it yet"
        facts.append(view.PartFact("Combined total", (Span("Not shown"),), (Span(why),)))
    else:
        share = "" if read.combined.share is None else f"{percent(read.combined.share)} of it is yours"
        facts.append(
            view.PartFact(
                "Combined total", _told(_whole(at, Whose.ALL, read.combined)), (Span(share),) if share else ()
            )
        )
    if read.offering is not None:
        names = ", ".join(words.driver(slug) for slug in read.offering.drivers)
        attained = (
            "" if read.offering.attainment is None else f", {percent(read.offering.attainment)} of the commitment"
        )
        together = _told(_whole(at, Whose.OFFERING, read.offering))
        facts.append(view.PartFact("What you bring together", together, (Span(f"{names}{attained}"),)))
    return tuple(facts)


def _told(number: NumberView) -> tuple[Span, ...]:
    return (Span(number.text, number),)


def _rows(read: ValueRead, at: PartyRef, words: Words) -> tuple[view.PartyRow, ...]:
    """Its own rows by driver, in the account's currency; others in their unit without a share."""
    whole = read.totals.realized
    found: dict[tuple[str, str], list[tuple[str, Decimal, Decimal]]] = {}
    for row in read.rows:
        found.setdefault((row.groups["driver"], row.unit), []).append(("", row.realized, row.counted))
    rows = []
    for (driver, unit), amounts in sorted(found.items(), key=lambda item: words.driver(item[0][0])):
        realized, counted = sums_by(amounts)[""]
        share = part_of(realized, whole) if unit == read.currency else ""
        own = structs.replace(at.of(party=at.party, driver=driver), unit=unit)
        rows.append(party_row(words.driver(driver), own, (realized, counted), share))
    return tuple(rows)


async def _story(caller: Caller, account: Account, language: Language) -> tuple[Sentence, ...]:
    """The partner's own story in sentences; empty where there is nothing to tell of it yet."""
    try:
        read = await read_story(
            caller.tx, account, Audience.PARTNER, caller.now, provider=provider_of(caller), language=language
        )
    except UnprocessableError:
        return ()
    document = read.document
    told = [document.headline, *document.lead, *(one for chapter in document.chapters for one in chapter.insights)]
    return tuple(sentence_view(one) for one in told)


def _contributions(
    place: Place,
    found: Sequence[ContributionOut],
    words: Words,
    measured: Measured,
    typed: Typed | None,
) -> tuple[view.ContributionRow, ...]:
    before = claimed_before(found)
    return tuple(
        contribution_row(
            one,
            place.account.key,
            words,
            standing_lines(one, place.account.key, words, measured, before[one.contribution_id]),
            None if one.state is Standing.WITHDRAWN else _withdraw_form(place, one, typed),
        )
        for one in reversed(found)
    )


def _withdraw_form(place: Place, one: ContributionOut, typed: Typed | None) -> view.ReasonForm:
    form = view.ReasonForm(
        name=f"contribution-{one.contribution_id}",
        action=place.path("/contributions/withdraw"),
        label="Why?",
        buttons=(view.Button("Withdraw"),),
        fields=(("id", one.id), ("number", str(one.contribution_id))),
    )
    return reason_form(form, typed)


async def _consents(
    caller: Caller, place: Place, found: Sequence[ConsentOut], words: Words, typed: Typed | None
) -> tuple[view.ConsentRow, ...]:
    """What the customer lets it do; where it may not report, the form to ask, or when it asked."""
    account_id, provider = place.account.account_id, provider_of(caller)
    rows = {what: consent_row(found, provider, what, words, None) for what in Purpose}
    if not await consents_to(caller.tx, account_id, provider, Purpose.CONTRIBUTE):
        asked = next((one for one in await open_requests(caller.tx, account_id) if one.provider == provider), None)
        form = view.ReasonForm(
            name=ASK,
            action=place.path("/consents"),
            label="Why do you ask?",
            buttons=(view.Button(f"Ask {place.account.name}", primary=True),),
        )
        row = rows[Purpose.CONTRIBUTE]
        if asked is None:
            rows[Purpose.CONTRIBUTE] = replace(row, form=reason_form(form, typed))
        else:
            rows[Purpose.CONTRIBUTE] = replace(row, said=f"You asked on {words.day(asked.known_at)}: {asked.reason}")
    return tuple(rows.values())


async def _report(caller: Caller, place: Place, model: ValueModel, typed: Typed | None) -> view.ReportForm:
    provider = provider_of(caller)
    given = typed.values if typed is not None and typed.name == "report" else {}
    lets = await consents_to(caller.tx, place.account.account_id, provider, Purpose.CONTRIBUTE)
    own = [one for one in model.drivers if one.provider in {provider, BY_EVENT}]
    return view.ReportForm(
        action=place.path("/contributions"),
        drivers=tuple(view.Choice(one.slug, one.label, one.slug == given.get("driver")) for one in own),
        currency=place.account.currency,
        typed=tuple(given.items()),
        error=typed.error if typed is not None and given else "",
        missing=""
        if lets
        else f"{place.account.name} has not let you report value here. Ask them below to give consent.",
    )


def _propose(place: Place, model: ValueModel, typed: Typed | None) -> view.ProposeForm | None:
    given = typed.values if typed is not None and typed.name == "propose" else {}
    drivers = joint_choices(model, given.get("driver", ""))
    if not drivers:
        return None
    return view.ProposeForm(
        action=place.path("/splits"),
        drivers=drivers,
        partners=(),
        share=given.get("share", ""),
        supplier_share=given.get("supplier_share", ""),
        reason=given.get("reason", ""),
        error=typed.error if typed is not None and given else "",
    )
