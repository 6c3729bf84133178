"""What a partner reported, opened: the statement as it was recorded, and what telemetry counts of its driver beside it.

Nothing computes what a partner says: the record is read again. What telemetry counted, and what was borne out of it
before, come from raw events and the record by code that shares nothing with the page.
"""

from decimal import Decimal
from typing import Final

from sqlalchemy import text

from valueplatform.api.contributions import ContributionOut, contribution_out
from valueplatform.core.authorization import Side
from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import month_of
from valueplatform.portal.calling import Caller, Place
from valueplatform.portal.exact import short_text
from valueplatform.portal.partners_view import when_reported
from valueplatform.portal.party_proof import back, party_place, recomputed, verdict
from valueplatform.portal.party_ref import ReportRef, report_ref, shown
from valueplatform.portal.shares import claimed_before, measured_for
from valueplatform.portal.view import proof as view
from valueplatform.portal.view import words
from valueplatform.value import derivation as d
from valueplatform.value.contribution_record import standings_of

NAMES: Final = ("reported", "measured", "claimed")
_AMOUNT: Final = text("""
    SELECT amount FROM contribution WHERE account_id = :account AND contribution_id = :contribution
""")
# Only what nobody has answered can be borne out by telemetry, and a loss never is.
_BEFORE: Final = text("""
    SELECT c.amount FROM contribution c JOIN contribution own ON own.account_id = c.account_id
         AND own.contribution_id = :contribution AND c.provider = own.provider AND c.driver = own.driver
         AND c.unit = own.unit AND date_trunc('month', c.start_day) = date_trunc('month', own.start_day)
    WHERE c.account_id = :account AND c.contribution_id < own.contribution_id AND c.amount > 0
      AND NOT EXISTS (SELECT FROM contribution_answer a
                      WHERE a.account_id = c.account_id AND a.contribution_id = c.contribution_id)
    ORDER BY c.contribution_id
""")
_METHODS: Final = {
    "reported": "The partner's own statement, as it was recorded. It is in no total, whatever becomes of it.",
    "measured": "What counts (value rule 10) of the driver in that month, of this partner alone.",
    "claimed": "What telemetry had borne out of the same driver and month before: no value bears anything out twice.",
}


async def open_report(caller: Caller, text_: str, name: str | None) -> tuple[Place, view.Proof]:
    """Raises NotFoundError for a number that is not there, or not the reader's."""
    ref, named = report_ref(text_), name or NAMES[0]
    place = await party_place(caller, ref.account)
    provider = caller.user.provider if caller.user.side is Side.PARTNER else None
    found = [contribution_out(each, masked=True) for each in await standings_of(caller.tx, place.account.account_id)]
    one = next((each for each in found if each.contribution_id == ref.contribution_id), None)
    if one is None or provider not in {None, one.provider} or named not in NAMES:
        raise NotFoundError("There is no such number.")
    if one.driver is None and named != NAMES[0]:
        raise NotFoundError("It names no driver that telemetry could count.")
    measured = await measured_for(caller, place.account, [one])
    stated = {
        "reported": Decimal(one.amount),
        "measured": measured(one.driver or "", one.provider, one.unit, month_of(one.start).start),
        "claimed": claimed_before([each for each in found if each.provider == one.provider])[one.contribution_id],
    }[named]
    number = shown(ref.text, named, stated, one.unit)
    start = words.Span(f"{one.title}, {when_reported(one)}, {named}: ")
    source = "the record" if named == NAMES[0] else "raw events"
    return place, view.Proof(
        ref=f"{ref.text}?number={named}",
        number=short_text(stated, one.unit),
        sentence=words.Sentence(ref.text, "report", (start, words.Span(number.text, number))),
        verdict=await verdict(place, caller, stated, await _again(caller, place, ref, one, named), one.unit, source),
        back=back(place, provider),
        method=_METHODS[named],
        facts=(words.Fact("What it rests on", one.evidence), words.Fact("Where it stands", one.state.value)),
    )


async def _again(caller: Caller, place: Place, ref: ReportRef, one: ContributionOut, name: str) -> Decimal | None:
    account_id = place.account.account_id
    where = {"account": account_id, "contribution": ref.contribution_id}
    if name == "reported":
        found = await caller.tx.scalar(_AMOUNT, where)
        return None if found is None else Decimal(found)
    month = month_of(one.start)
    leaf = d.Realized(month.start, month.end, one.unit, (one.driver or "",), (one.provider,), counted=True)
    counted = await recomputed(caller.tx, account_id, leaf)
    if name == "measured" or counted is None:
        return counted
    borne_out = Decimal(0)
    for row in await caller.tx.rows(_BEFORE, where):
        if borne_out + row.amount <= counted:
            borne_out += row.amount
    return borne_out
