"""Reading the page of partners in one account, as the reader's role allows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from msgspec import structs

from valueplatform.accounts.consents import ConsentRequest, Purpose, consents_of, open_requests
from valueplatform.accounts.providers import provider_names
from valueplatform.api.consents import ConsentOut, consent_out
from valueplatform.api.contributions import ContributionOut, contribution_out
from valueplatform.api.splits import SplitOut, split_out
from valueplatform.core.authorization import Action, Side
from valueplatform.portal.calling import Caller, Place
from valueplatform.portal.exact import count_text, day_text
from valueplatform.portal.partners_view import (
    Words,
    consent_row,
    contribution_row,
    part_of,
    party_rows,
    split_row,
    standing_lines,
    sums_by,
)
from valueplatform.portal.party_ref import PartyRef, Whose
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
from valueplatform.portal.view.words import Span
from valueplatform.value.contribution_record import standings_of
from valueplatform.value.contributions import Measured, Standing
from valueplatform.value.model import BY_EVENT, JOINT, SUPPLIER, ValueModel
from valueplatform.value.models import newest_model
from valueplatform.value.reading import Question, ValueRead, read_value
from valueplatform.value.split_record import read_splits
from valueplatform.value.splits import SplitState
from valueplatform.value.values import is_money

_BASE = "/partners"


class Board:
    """What the page is made of, and who reads it."""

    def __init__(self, caller: Caller, place: Place, model: ValueModel, typed: Typed | None) -> None:
        self.caller, self.place, self.model, self.typed = caller, place, model, typed
        self.consents: Sequence[ConsentOut] = ()
        self.asked: Sequence[ConsentRequest] = ()
        self.contributions: Sequence[ContributionOut] = ()
        self.splits: Sequence[SplitOut] = ()
        self.providers: Mapping[str, str] = {}

    def may(self, action: Action) -> bool:
        return self.caller.may(action)

    def path(self, rest: str) -> str:
        return self.place.path(f"{_BASE}{rest}")


async def partners_page(caller: Caller, place: Place, typed: Typed | None) -> view.Partners:
    """Raises NoModelError before a value model is applied."""
    tx, account = caller.tx, place.account
    board = Board(caller, place, await newest_model(tx), typed)
    board.consents = [consent_out(one, masked=False) for one in await consents_of(tx, account.account_id)]
    board.asked = await open_requests(tx, account.account_id)
    board.contributions = [contribution_out(one, masked=False) for one in await standings_of(tx, account.account_id)]
    board.splits = [split_out(one, masked=False) for one in await read_splits(tx, account.account_id)]
    known = await provider_names(tx)
    board.providers = {slug: name for slug, name in known.items() if slug not in {SUPPLIER, JOINT, BY_EVENT}}
    words = await words_of(caller, account, board.model, authors_of(board.consents, board.contributions, board.splits))
    read = await read_value(tx, account, Question(group_by=("driver", "provider"), shows_paid=False), caller.now)
    measured = await measured_for(caller, account, board.contributions)
    related = _related(board, read)
    at = PartyRef(account.key, read.period.start, read.period.end, account.currency, Whose.ALL)
    parties, total = party_rows(_by_party(read), at, words)
    waiting = sum(one.state is SplitState.PROPOSED for one in board.splits)
    return view.Partners(
        headline=_headline(related, waiting, words),
        lead=f"Realized value from {day_text(read.period.start)} to today, by who brought it. What partners report "
        "themselves stands below, and is in no total.",
        parties=parties,
        total=total if len(parties) > 1 else None,
        joint=tuple(_joint(board, read, at, words)),
        splits=tuple(
            split_row(one, words, _split_form(board, one))
            for one in sorted(board.splits, key=lambda s: (s.state is not SplitState.PROPOSED, -s.split_id))
        ),
        partners=tuple(_partner(board, slug, words, measured) for slug in related),
        propose=_propose(board),
        let=_let(board, related),
        problem=_problem(board, related),
    )


def _by_party(read: ValueRead) -> dict[str, tuple[Decimal, Decimal]]:
    return sums_by(
        (row.groups["provider"], row.realized, row.counted)
        for row in read.rows
        if row.unit == read.currency and is_money(row.unit, row.benefit_class)
    )


def _related(board: Board, read: ValueRead) -> list[str]:
    """Partners that anything in the account speaks of, by name."""
    found = {row.groups["provider"] for row in read.rows} | {one.provider for one in board.consents}
    found |= {one.provider for one in board.asked}
    found |= {one.provider for one in board.contributions} | {one.provider for one in board.splits}
    return sorted((slug for slug in found if slug in board.providers), key=lambda slug: board.providers[slug])


def _headline(related: Sequence[str], waiting: int, words: Words) -> str:
    if not related:
        return "No partner shares in this account yet."
    names = [words.party(slug) for slug in related]
    told = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    waits = ""
    if waiting:
        one = waiting == 1
        waits = f" {count_text(waiting).capitalize()} {'split waits' if one else 'splits wait'} for agreement."
    return f"{told} {'shares' if len(names) == 1 else 'share'} in the value here.{waits}"


def _joint(board: Board, read: ValueRead, at: PartyRef, words: Words) -> list[view.JointDriver]:
    """Joint drivers with value, each by party."""
    found = []
    for driver in board.model.drivers:
        rows = [row for row in read.rows if row.groups["driver"] == driver.slug and row.realized]
        if driver.provider != JOINT or not rows or not is_money(rows[0].unit, rows[0].benefit_class):
            continue
        amounts = sums_by((row.groups["provider"], row.realized, row.counted) for row in rows)
        own = structs.replace(at.of(whose=Whose.ALL, driver=driver.slug), unit=rows[0].unit)
        parts, total = party_rows(amounts, own, words)
        whole = sum((row.realized for row in rows), Decimal(0))
        joint = part_of(amounts.get(JOINT, (Decimal(0), Decimal(0)))[0], whole)
        rest = f"; {joint} of it stays joint" if joint not in {"", "0.0%"} else ""
        note = Span(total.realized.text, total.realized), Span(f" together{rest}")
        found.append(view.JointDriver(driver.label, note, parts))
    return found


def _split_form(board: Board, one: SplitOut) -> view.ReasonForm | None:
    if not board.may(Action.AGREE_SPLIT):
        return None
    return split_form(one, board.path("/splits"), board.caller.user.side.value, board.typed)


def _partner(board: Board, slug: str, words: Words, measured: Measured) -> view.Partner:
    action = board.path("/consents") if board.may(Action.MANAGE_CONSENTS) else None
    rows = []
    for what in Purpose:
        row = consent_row(board.consents, slug, what, words, action)
        form = None if row.form is None else reason_form(row.form, board.typed)
        asked = next((one for one in board.asked if (one.provider, one.what) == (slug, what)), None)
        if asked is not None:
            row = replace(row, said=f"{words.party(slug)} asked on {words.day(asked.known_at)}: {asked.reason}")
            form = form and replace(form, buttons=(*form.buttons, view.Button("Decline", "decline")))
        rows.append(replace(row, form=form))
    own = [one for one in board.contributions if one.provider == slug]
    before = claimed_before(own)
    return view.Partner(
        anchor=f"partner-{slug}",
        name=words.party(slug),
        consents=tuple(rows),
        contributions=tuple(
            contribution_row(
                one,
                board.place.account.key,
                words,
                standing_lines(one, board.place.account.key, words, measured, before[one.contribution_id]),
                _answer_form(board, one),
            )
            for one in reversed(own)
        ),
    )


def _answer_form(board: Board, one: ContributionOut) -> view.ReasonForm | None:
    """What the customer may say of a contribution: a validator either way, everybody else that it is disputed."""
    if board.caller.user.side is not Side.CUSTOMER or one.state is Standing.WITHDRAWN:
        return None
    buttons = []
    if board.may(Action.VALIDATE_ASSUMPTION) and one.state is not Standing.CORROBORATED:
        buttons.append(view.Button("Corroborate", "corroborate", primary=True))
    if board.may(Action.DISPUTE_ASSUMPTION) and one.state is not Standing.DISPUTED:
        buttons.append(view.Button("Dispute", "dispute"))
    if not buttons:
        return None
    name, action = f"contribution-{one.contribution_id}", board.path(f"/contributions/{one.contribution_id}")
    return reason_form(view.ReasonForm(name, action, "Why?", tuple(buttons)), board.typed)


def _propose(board: Board) -> view.ProposeForm | None:
    typed = board.typed.values if board.typed is not None and board.typed.name == "propose" else {}
    drivers = joint_choices(board.model, typed.get("driver", ""))
    if not board.may(Action.AGREE_SPLIT) or not drivers or not board.providers:
        return None
    return view.ProposeForm(
        action=board.path("/splits"),
        drivers=drivers,
        partners=tuple(
            view.Choice(slug, name, slug == typed.get("provider")) for slug, name in board.providers.items()
        ),
        share=typed.get("share", ""),
        supplier_share=typed.get("supplier_share", ""),
        reason=typed.get("reason", ""),
        error=board.typed.error if board.typed is not None and typed else "",
    )


def _let(board: Board, related: Sequence[str]) -> view.LetForm | None:
    """Partners of the supplier that nothing here speaks of yet."""
    others = [view.Choice(slug, name) for slug, name in board.providers.items() if slug not in related]
    if not board.may(Action.MANAGE_CONSENTS) or not others:
        return None
    return view.LetForm(board.path("/consents"), tuple(others))


def _problem(board: Board, related: Sequence[str]) -> str:
    """What could not be carried out and stands beside no form of the page."""
    if board.typed is None:
        return ""
    shown = {f"{slug}-{what.value}" for slug in related for what in Purpose} | {"propose"}
    shown |= {f"contribution-{one.contribution_id}" for one in board.contributions if _answer_form(board, one)}
    shown |= {f"split-{one.split_id}" for one in board.splits if _split_form(board, one)}
    return "" if board.typed.name in shown else board.typed.error
