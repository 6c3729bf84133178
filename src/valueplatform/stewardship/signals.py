"""What calls for the steward: pure rules over facts, the insights that hold, open questions and suggestions.

Every amount at stake is one number of one insight (or suggestion), so it opens; where rules overlap, the account shows
the first signal in order and never a sum. What is not in the account's currency has no amount. An account whose
contracts have all ended calls for answers alone.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from valueplatform.narrative.document import Status
from valueplatform.narrative.facts import AccountFacts, InputFacts
from valueplatform.narrative.insight import Insight, Number, Standing
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.next_best_store import State, StoredSuggestion
from valueplatform.narrative.wording.engine import inside_sentence
from valueplatform.stewardship.attachments import Attached
from valueplatform.stewardship.renewal import RENEWAL_DUE, has_ended, renewal_due
from valueplatform.stewardship.signal import Act, Signal, SignalKind, Stake, TargetKind, Urgency, in_order
from valueplatform.stewardship.silence import EVENTS_STOPPED, NO_EVENTS_YET, silence
from valueplatform.value.states import is_agreed

REFERENCE_AFTER: Final = timedelta(days=90)
"""How long a commitment must have run before being ahead of it is worth a reference."""

_TOLD_ELSEWHERE: Final = frozenset({"stalled", "waiting"})
"""Causes of a driver that is behind which have a signal of their own."""
_FOR_PLANNING: Final = ("champion", "sponsor", "economic-buyer", "admin")
_FOR_RENEWAL: Final = ("economic-buyer", "sponsor", "champion", "admin")
_FOR_REFERENCE: Final = ("sponsor", "champion", "economic-buyer")


class Question(msgspec.Struct, frozen=True):
    """A conversation that waits for the supplier. `asked_by` and `since` are of the first message without an answer,
    `insight` the last one attached."""

    conversation_id: int
    asked_by: str
    since: datetime
    insight: Attached | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What the rules look at. `insights` are those that hold, with `concerns` among them; `status` is the story's."""

    facts: AccountFacts
    insights: Sequence[Insight]
    status: Status
    questions: Sequence[Question] = ()
    suggestions: Sequence[StoredSuggestion] = ()

    def of_kind(self, *kinds: str) -> Iterator[Insight]:
        return (insight for insight in self.insights if insight.kind in kinds)

    def id(self, insight: Insight) -> str:
        return insight.id(self.facts.key)

    def stake(self, insight: Insight, name: str) -> Stake | None:
        number = next((number for number in insight.numbers if number.name == name), None)
        return None if number is None else self.stake_of(number, self.id(insight))

    def stake_of(self, number: Number, insight_id: str) -> Stake | None:
        if number.unit != self.facts.currency:
            return None
        return Stake(abs(number.value), number.unit, number.standing, number.name, insight_id)

    def contact(self, roles: Iterable[str]) -> str | None:
        """The first person of the first role that somebody has."""
        return next((name for role in roles if (name := self.facts.person(role))), None)

    def title_of(self, driver: str) -> str:
        return self.facts.driver(driver).title


def concerns(facts: AccountFacts) -> list[Insight]:
    """Insights that only the steward needs. They are re-derived, admitted and kept like any other."""
    return [] if has_ended(facts) else [*renewal_due(facts), *silence(facts)]


def signals(given: Situation) -> tuple[Signal, ...]:
    """All signals that hold now, the one that speaks for the account first."""
    rules = (question,) if has_ended(given.facts) else RULES
    return tuple(sorted((signal for rule in rules for signal in rule(given)), key=in_order))


def no_data(given: Situation) -> Iterator[Signal]:
    """Events have stopped, or never came. At stake: what the 28 days to the last event brought, in any state; what has
    been paid so far where none ever came."""
    for insight in given.of_kind(EVENTS_STOPPED, NO_EVENTS_YET):
        stopped = insight.kind == EVENTS_STOPPED
        yield Signal(
            SignalKind.NO_DATA,
            ACCOUNT,
            Urgency.TODAY,
            Act("Restore the feed" if stopped else "Bring in the first events", TargetKind.STORY),
            stake=given.stake(insight, "before" if stopped else "paid"),
            insight_id=given.id(insight),
        )


def behind(given: Situation) -> Iterator[Signal]:
    """Realized value is below the committed range (value rules 10, 15). At stake: the distance from the expected
    commitment to date.

    Only where the account as a whole is not behind does a single driver call, and then within the week; a driver that
    stopped or waits for validation has a signal of its own.
    """
    late = [i for i in given.of_kind("attainment") if i.terms.get("status") == Status.BEHIND.value]
    whole = [insight for insight in late if insight.subject == ACCOUNT]
    drivers = [i for i in late if i.subject in i.drivers and i.terms.get("cause") not in _TOLD_ELSEWHERE]
    contact = given.contact(_FOR_PLANNING)
    for insight in whole or drivers:
        stake = given.stake(insight, "gap")
        if insight.subject == ACCOUNT or stake is not None:
            yield Signal(
                SignalKind.BEHIND,
                insight.subject,
                Urgency.TODAY if whole else Urgency.THIS_WEEK,
                Act(f"Plan with {contact}" if contact else "Plan with them", TargetKind.STORY, given.id(insight)),
                stake=stake,
                insight_id=given.id(insight),
            )


def under_review(given: Situation) -> Iterator[Signal]:
    """An assumption or baseline is questioned (value rule 9). At stake: the value of the story window, in any state, of
    the drivers that rest on it."""
    for insight in given.of_kind("under-review"):
        title = inside_sentence(insight.terms["input_name"])
        asked_by = insight.terms.get("questioner_name")
        yield Signal(
            SignalKind.UNDER_REVIEW,
            insight.subject,
            Urgency.TODAY,
            Act(
                f"Settle the {title} with {asked_by}" if asked_by else f"Settle the {title}",
                TargetKind.ASSUMPTION,
                insight.subject,
            ),
            stake=given.stake(insight, "carried"),
            insight_id=given.id(insight),
        )


def stalled(given: Situation) -> Iterator[Signal]:
    """A driver brings nothing any more. At stake: what it brought, in any state, in the 28 days before it stopped.

    Where no events come at all, that is the one signal.
    """
    if any(given.of_kind(EVENTS_STOPPED)):
        return
    for insight in (*given.of_kind("stalled-driver"), *given.of_kind("lost-driver")):
        yield Signal(
            SignalKind.STALLED,
            insight.subject,
            Urgency.TODAY,
            Act(f"Check the events of {given.title_of(insight.subject)}", TargetKind.STORY, given.id(insight)),
            stake=given.stake(insight, "before"),
            insight_id=given.id(insight),
        )


def renewal(given: Situation) -> Iterator[Signal]:
    """A renewal within 90 days while the account is behind, or too little is known to say. At stake: what the customer
    pays in the twelve months before it."""
    if given.status not in {Status.BEHIND, Status.INSUFFICIENT}:
        return
    contact = given.contact(_FOR_RENEWAL)
    for insight in given.of_kind(RENEWAL_DUE):
        yield Signal(
            SignalKind.RENEWAL,
            ACCOUNT,
            Urgency.TODAY,
            Act(f"Prepare the renewal with {contact}" if contact else "Prepare the renewal", TargetKind.STORY),
            stake=given.stake(insight, "yearly"),
            insight_id=given.id(insight),
        )


def question(given: Situation) -> Iterator[Signal]:
    """A customer waits for an answer. At stake: the first amount of the insight that they asked about, as it stands
    now, else as it stood when they asked; nothing where they asked about none."""
    for asked in given.questions:
        yield Signal(
            SignalKind.QUESTION,
            str(asked.conversation_id),
            Urgency.TODAY,
            Act(f"Answer {asked.asked_by}", TargetKind.CONVERSATION, str(asked.conversation_id)),
            stake=_asked_about(given, asked.insight) if asked.insight else None,
            insight_id=asked.insight.sentence.insight_id if asked.insight else None,
            since=asked.since,
        )


def _asked_about(given: Situation, asked: Attached) -> Stake | None:
    insight_id = asked.sentence.insight_id
    current = next((insight for insight in given.insights if given.id(insight) == insight_id), None)
    if current is not None:
        stakes = (given.stake_of(number, insight_id) for number in current.numbers)
        return next((stake for stake in stakes if stake), None)
    for then in asked.sentence.numbers:
        if then.unit == given.facts.currency and then.value is not None and then.name is not None:
            amount = abs(Decimal(then.value))
            return Stake(amount, then.unit, then.standing or Standing.VALIDATED, then.name, insight_id)
    return None


def not_validated(given: Situation) -> Iterator[Signal]:
    """Value waits for a validator (value rules 9, 10). At stake: for an estimated or proposed input, the value of the
    story window of the drivers that rest on it; for a driver that only the vendor asserts, its value that does not
    count. A proposal beside a validated value puts nothing at stake: what is validated goes on counting."""
    for insight in given.of_kind("unvalidated-input"):
        title = inside_sentence(insight.terms["input_name"])
        act = Act(_ask_validator(given, f"the {title}"), TargetKind.ASSUMPTION, insight.subject)
        stake = given.stake(insight, "carried")
        yield _waiting(insight.subject, act, stake, given.id(insight))
    for insight in given.of_kind("estimated", "estimated-beside"):
        if insight.subject != ACCOUNT and _inputs_are_agreed(given.facts, insight.subject):
            target = f"driver:{insight.subject}"
            act = Act(_ask_validator(given, given.title_of(insight.subject)), TargetKind.ASSUMPTION, target)
            yield _waiting(target, act, given.stake(insight, "estimated"), given.id(insight))
    for proposed in given.facts.inputs:
        if proposed.proposals and is_agreed(proposed.state) and not proposed.is_questioned:
            title = inside_sentence(proposed.title)
            act = Act(_ask_validator(given, f"another {title}"), TargetKind.ASSUMPTION, proposed.slug)
            yield _waiting(f"proposal:{proposed.slug}", act, None, None)


def _waiting(subject: str, act: Act, stake: Stake | None, insight_id: str | None) -> Signal:
    return Signal(SignalKind.NOT_VALIDATED, subject, Urgency.THIS_WEEK, act, stake=stake, insight_id=insight_id)


def _ask_validator(given: Situation, what: str) -> str:
    validator = given.facts.person("validator")
    return f"Ask {validator} to validate {what}" if validator else "Ask them to name a validator"


def _inputs_are_agreed(facts: AccountFacts, driver: str) -> bool:
    needed = set(facts.driver(driver).inputs)
    return all(_is_settled(given) for given in facts.inputs if given.slug in needed)


def _is_settled(given: InputFacts) -> bool:
    return is_agreed(given.state) and not given.is_questioned


def suggestion(given: Situation) -> Iterator[Signal]:
    """The best suggestion with a value: one that the customer accepted and waits for, else one to propose. At stake:
    its expected value over the next 12 months, a prediction."""
    valued = [s for s in given.suggestions if (s.suggestion.expected or 0) > 0 and s.state in _OPEN]
    best = min(valued, key=lambda s: (s.state is not State.ACCEPTED, s.suggestion.rank), default=None)
    if best is None or best.suggestion.expected is None:
        return
    accepted, found = best.state is State.ACCEPTED, best.suggestion
    own = found.unit == given.facts.currency
    yield Signal(
        SignalKind.SUGGESTION,
        found.id,
        Urgency.TODAY if accepted else Urgency.THIS_WEEK,
        Act(
            f"Start {found.title} with them" if accepted else f"Propose {found.title}", TargetKind.SUGGESTION, found.id
        ),
        stake=Stake(found.expected, found.unit, Standing.PREDICTED, "expected") if own and found.expected else None,
        since=best.decided_at if accepted else best.suggested_at,
    )


_OPEN: Final = frozenset({State.OPEN, State.ACCEPTED})


def ahead(given: Situation) -> Iterator[Signal]:
    """Realized value is above the committed range, validated throughout, for 90 days or more: a reference, or an
    expansion. At stake: the distance from the expected commitment to date."""
    for insight in given.of_kind("attainment"):
        lasting = insight.period_to - insight.period_from >= REFERENCE_AFTER
        validated = insight.number("realized").standing is Standing.VALIDATED
        if insight.subject == ACCOUNT and insight.terms.get("status") == Status.AHEAD.value and lasting and validated:
            contact = given.contact(_FOR_REFERENCE)
            yield Signal(
                SignalKind.AHEAD,
                ACCOUNT,
                Urgency.THIS_WEEK,
                Act(f"Ask {contact} for a reference" if contact else "Ask for a reference", TargetKind.STORY),
                stake=given.stake(insight, "gap"),
                insight_id=given.id(insight),
            )


Rule = Callable[[Situation], Iterator[Signal]]
RULES: Final[tuple[Rule, ...]] = (
    no_data,
    behind,
    under_review,
    stalled,
    renewal,
    question,
    not_validated,
    suggestion,
    ahead,
)
