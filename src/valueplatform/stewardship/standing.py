"""How each account stands: one row an account for the portfolio, kept by the worker with the story."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from valueplatform.core.database import Transaction
from valueplatform.narrative.document import SeriesPoint, Span, Status, StoryDocument
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.faithful import Admitted
from valueplatform.narrative.insight import Insight, Standing
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.next_best_store import suggestions_of
from valueplatform.stewardship.collaboration_store import Prompted, refresh_collaborations
from valueplatform.stewardship.renewal import renewal_day
from valueplatform.stewardship.signal import Act, Signal, SignalKind, Stake, TargetKind, Urgency
from valueplatform.stewardship.signal_store import keep_signals, open_questions
from valueplatform.stewardship.signals import Situation, signals
from valueplatform.stewardship.silence import pulse
from valueplatform.stewardship.tables import standing
from valueplatform.stewardship.why_now import SignalWords

MONTHS_DRAWN: Final = 13
LONGEST_FIND_TEXT: Final = 400
_HOME: Final = text("SELECT document->'supplier'->>'currency' FROM model_revision ORDER BY revision DESC LIMIT 1")


class Shown(msgspec.Struct, frozen=True):
    """A number of an insight, as it opens."""

    value: Decimal
    unit: str
    standing: Standing
    number: str
    insight_id: str


class AccountStanding(msgspec.Struct, frozen=True):
    """One account at a glance. `unit` is its currency.

    `kind`, `stake`, `why` and `act` are of the signal that speaks for the account; where nothing calls, `why` is the
    story's headline. `realized` is counted value to date, of the drivers that have a commitment where `share` says
    how much of it that is. `series` is cumulative, by month, up to today. `renews_on` is the first day that no contract
    covers.
    """

    unit: str
    status: Status
    reason: str
    urgency: Urgency
    signals: int
    why: tuple[Span, ...]
    act: Act
    kind: SignalKind | None = None
    stake: Stake | None = None
    insight_id: str | None = None
    realized: Shown | None = None
    share: Shown | None = None
    series: tuple[SeriesPoint, ...] = ()
    renews_on: date | None = None
    under_review: bool = False
    no_data: bool = False

    @property
    def at_stake(self) -> Decimal:
        return self.stake.amount if self.stake else Decimal(0)


async def refresh_standing(
    tx: Transaction,
    account_id: int,
    facts: AccountFacts,
    admitted: Sequence[Admitted],
    document: StoryDocument,
    now: datetime,
) -> AccountStanding:
    """Raise and settle the account's signals, and keep how it stands.

    `admitted` are the insights that hold, `signals.concerns` among them, already saved; `document` is the steward's
    story as composed from them; suggestions are refreshed. The caller holds the account's lock.
    """
    known = {one.id: one for one in admitted}
    situation = Situation(
        facts=facts,
        insights=[one.insight for one in admitted],
        status=document.status,
        questions=await open_questions(tx, account_id),
        suggestions=await suggestions_of(tx, account_id),
    )
    found = worded(situation, known)
    prompts = await refresh_collaborations(tx, account_id, situation, known, found)
    stands = standing_of_account(situation, document, found, talk_of(found, prompts, facts.key))
    await keep_signals(tx, account_id, facts.key, facts.currency, found, now)
    home: str | None = await tx.scalar(_HOME)
    values = _row(account_id, facts, stands, home, now)
    statement = postgresql.insert(standing).values(values)
    await tx.execute(statement.on_conflict_do_update(index_elements=[standing.c.account_id], set_=values))
    return stands


def worded(
    situation: Situation, admitted: Mapping[str, Admitted], words: SignalWords | None = None
) -> tuple[Signal, ...]:
    """The signals that hold, each with its sentence; one without a faithful sentence is left out."""
    speaker = words or SignalWords()
    told = ((signal, speaker.why(signal, situation, admitted)) for signal in signals(situation))
    return tuple(msgspec.structs.replace(signal, why=why) for signal, why in told if why is not None)


def talk_of(found: Sequence[Signal], prompts: Sequence[Prompted], account_key: str) -> Act | None:
    """Whom to talk to about what speaks for the account; None where nobody is prompted to."""
    speaks = found[0].id(account_key) if found else None
    prompted = next((one for one in prompts if speaks is not None and one.prompt.signal == speaks), None)
    return None if prompted is None else Act(prompted.prompt.title, TargetKind.COLLABORATION, prompted.id)


def standing_of_account(
    situation: Situation, document: StoryDocument, found: Sequence[Signal], talk: Act | None = None
) -> AccountStanding:
    """Put together what the portfolio shows; the first of `found` speaks for the account, `talk` is with whom."""
    facts = situation.facts
    first = found[0] if found else None
    realized, share = _realized(situation)
    return AccountStanding(
        unit=facts.currency,
        status=document.status,
        reason=document.reason,
        urgency=first.urgency if first else Urgency.NONE,
        signals=len(found),
        kind=first.kind if first else None,
        stake=first.stake if first else None,
        why=first.why if first else document.headline.spans,
        insight_id=first.insight_id if first else document.headline.insight_id,
        act=talk or first.act if first else Act("Open the story", TargetKind.STORY),
        realized=realized,
        share=share,
        series=tuple(point for point in document.series if point.realized is not None)[-MONTHS_DRAWN:],
        renews_on=renewal_day(facts),
        under_review=any(given.is_questioned for given in facts.inputs),
        no_data=not pulse(facts).days or any(signal.kind is SignalKind.NO_DATA for signal in found),
    )


def _realized(situation: Situation) -> tuple[Shown | None, Shown | None]:
    """What counts, and its share of the commitment; the same numbers as in the story's headline."""
    for kind in ("attainment", "realized"):
        for insight in situation.of_kind(kind):
            if insight.subject == ACCOUNT:
                return _shown(situation, insight, "realized"), _shown(situation, insight, "share")
    return None, None


def _shown(situation: Situation, insight: Insight, name: str) -> Shown | None:
    number = next((number for number in insight.numbers if number.name == name), None)
    if number is None:
        return None
    return Shown(number.value, number.unit, number.standing, name, situation.id(insight))


def folded(name: str) -> str:
    """A name as it is searched: case and width of its letters do not matter in any script."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _row(
    account_id: int, facts: AccountFacts, stands: AccountStanding, home: str | None, now: datetime
) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "urgency": int(stands.urgency),
        "abroad": home is not None and facts.currency != home,
        "unit": facts.currency,
        "at_stake": stands.at_stake,
        "find_text": folded(f"{facts.name} {facts.key}")[:LONGEST_FIND_TEXT],
        "renews_on": stands.renews_on,
        "under_review": stands.under_review,
        "no_data": stands.no_data,
        "body": msgspec.to_builtins(stands),
        "composed_at": now,
    }
