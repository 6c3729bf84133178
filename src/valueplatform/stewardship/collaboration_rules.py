"""Which prompts there are: pure rules over what calls, what waits and what ends, and over the people of both sides.

A matter is found once and may prompt a person on each side. Of several prompts of one side about the same thing only
the one with the most at stake is given; what somebody talks about already is left out. People are looked up by their
role in the account alone.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from valueplatform.core.authorization import PersonRole as P
from valueplatform.core.authorization import Side
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.next_best_store import State
from valueplatform.stewardship.collaboration import (
    About,
    AboutKind,
    Collaboration,
    DueRule,
    Occasion,
    Party,
    digest,
    due_on,
    in_order,
    prompt_id,
)
from valueplatform.stewardship.renewal import has_ended, renewal_day
from valueplatform.stewardship.signal import Signal, SignalKind, Stake, TargetKind
from valueplatform.stewardship.signals import Situation

ENDS_SOON: Final = timedelta(days=60)
"""How long before a plan or a baseline ends it is worth talking about what comes next."""

Roles = Sequence[P | str]
LEAD: Final = "lead"
"""Whoever answers for the objective that the driver serves."""
STEWARD: Final = "steward"
_LEADS: Final = (P.CHAMPION, P.SPONSOR, P.ECONOMIC_BUYER, P.ADMIN)
_SIGNERS: Final = (P.SPONSOR, P.ECONOMIC_BUYER)
_RENEWERS: Final = (P.SPONSOR, P.ECONOMIC_BUYER, P.ADMIN)
"""Those who may read contracts."""


@dataclass(frozen=True, slots=True)
class Route:
    """Who speaks to whom, first choice first: the steward to somebody of the account, and somebody of the account to
    another of them or to the steward. Empty: nobody."""

    steward_to: Roles = ()
    customer_from: Roles = ()
    customer_to: Roles = (STEWARD,)


ROUTES: Final[Mapping[Occasion, Route]] = {
    Occasion.NO_DATA: Route((P.ADMIN, *_LEADS), (P.ADMIN, *_LEADS)),
    Occasion.BEHIND: Route(_LEADS, _LEADS),
    Occasion.UNDER_REVIEW: Route((P.VALIDATOR, *_LEADS), (P.VALIDATOR, P.CHAMPION)),
    Occasion.STALLED: Route((LEAD, P.ADMIN, *_LEADS), (LEAD, P.CHAMPION, P.ADMIN)),
    Occasion.RENEWAL: Route(_RENEWERS, _RENEWERS),
    Occasion.VALIDATION: Route((P.VALIDATOR,), _LEADS, (P.VALIDATOR,)),
    Occasion.NO_VALIDATOR: Route(_LEADS, (P.CHAMPION, P.ADMIN), (P.SPONSOR, P.ECONOMIC_BUYER, P.ADMIN)),
    Occasion.PLAN: Route(_SIGNERS, (P.CHAMPION, P.ADMIN), _SIGNERS),
    Occasion.STATEMENT: Route(_SIGNERS, (P.CHAMPION, P.ADMIN), _SIGNERS),
    Occasion.SPLIT: Route((P.VALIDATOR,), (P.CHAMPION, P.ADMIN), (P.VALIDATOR,)),
    Occasion.CONSENT: Route((P.ADMIN, *_LEADS), (P.CHAMPION, P.VALIDATOR), (P.ADMIN, P.SPONSOR, P.ECONOMIC_BUYER)),
    Occasion.CONTRIBUTION: Route((P.VALIDATOR,), (P.CHAMPION, P.ADMIN), (P.VALIDATOR,)),
    Occasion.PLAN_ENDS: Route(_LEADS, _LEADS),
    Occasion.BASELINE: Route((P.VALIDATOR,), _LEADS, (P.VALIDATOR,)),
    Occasion.STARTING: Route(_LEADS, _LEADS),
    Occasion.SUGGESTION: Route(_LEADS),
    Occasion.REFERENCE: Route((P.SPONSOR, P.CHAMPION, P.ECONOMIC_BUYER)),
}
_FOR_US: Final = {
    Occasion.PLAN: Route((), (*_SIGNERS, P.CHAMPION)),
    Occasion.STATEMENT: Route((), (*_SIGNERS, P.CHAMPION)),
    Occasion.SPLIT: Route((), (P.VALIDATOR,)),
}
"""Where the customer has spoken and it is the supplier's turn."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What `side` has yet to sign, to agree to or to answer, since `since`. `by` is who spoke last, by the name that
    the account knows; `newest` is the last of several things that a partner asks or reports."""

    occasion: Occasion
    id: str
    title: str
    side: Side
    since: date
    by: str | None = None
    newest: int | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """A baseline (`occasion` BASELINE, `id` its slug) or what is committed (PLAN_ENDS), with the first day after it."""

    occasion: Occasion
    id: str
    title: str
    on: date


@dataclass(frozen=True, slots=True)
class Ground:
    """What the rules look at. `found` are the signals that hold, with their words.

    `leads` names by driver who answers for its objective, by e-mail address or name. `raised` is when a prompt was
    first found in a matter. `talked` are insights (by id) and inputs (by slug) that people talk about already.
    """

    given: Situation
    found: Sequence[Signal] = ()
    people: Sequence[Party] = ()
    steward: Party | None = None
    leads: Mapping[str, str] = field(default_factory=dict)
    waiting: Sequence[Waiting] = ()
    ending: Sequence[Ending] = ()
    raised: Mapping[tuple[str, str], date] = field(default_factory=dict)
    talked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Matter:
    """Something to talk about. `topic` is the thing itself, whatever the occasion; `told` what of it makes it another
    matter. `for_sides` are those it may prompt; `avoided` (names, addresses) are not spoken to, `first` is preferred.
    """

    occasion: Occasion
    topic: str
    about: About
    rule: DueRule
    told: tuple[str, ...] = ()
    insight: Insight | None = None
    stake: Stake | None = None
    route: Route | None = None
    since: date | None = None
    end: date | None = None
    signal: Signal | None = None
    record: Waiting | Ending | None = None
    avoided: frozenset[str] = frozenset()
    first: str | None = None
    for_sides: frozenset[Side] = frozenset({Side.CUSTOMER, Side.SUPPLIER})


@dataclass(frozen=True, slots=True)
class Found:
    """A prompt that has no words yet, with the matter that it is about."""

    prompt: Collaboration
    matter: Matter


def collaborations(ground: Ground) -> list[Found]:
    """All prompts of both sides, the most at stake first; nothing for an account that has ended."""
    if has_ended(ground.given.facts):
        return []
    prompts = [found for matter in matters(ground) for found in _prompts(ground, matter)]
    best: dict[tuple[Side, str], Found] = {}
    for found in sorted(prompts, key=lambda one: in_order(one.prompt)):
        best.setdefault((found.prompt.side, found.matter.topic), found)
    return list(best.values())


def matters(ground: Ground) -> Iterator[Matter]:
    for signal in ground.found:
        if signal.kind in _OF_SIGNALS:
            yield from _OF_SIGNALS[signal.kind](ground, signal)
    yield from _silent(ground)
    yield from _renewal_ahead(ground)
    yield from (_waits(one) for one in ground.waiting)
    yield from (_ends(ground, one) for one in ground.ending if one.on <= ground.given.facts.today + ENDS_SOON)


def _prompts(ground: Ground, matter: Matter) -> Iterator[Found]:
    route = matter.route or ROUTES[matter.occasion]
    told_to_customer = matter.insight is None or "customer" in matter.insight.audiences
    if Side.SUPPLIER in matter.for_sides and route.steward_to and ground.steward:
        receiver = _first(ground, matter, route.steward_to, _ways(ground.steward) | matter.avoided)
        if receiver is not None:
            yield from _prompt(ground, matter, ground.steward, receiver)
    if Side.CUSTOMER in matter.for_sides and route.customer_from and told_to_customer:
        yield from _of_customer(ground, matter, route)


def _of_customer(ground: Ground, matter: Matter, route: Route) -> Iterator[Found]:
    """The receiver is settled first: of one person in two roles, it is the scarcer."""
    if STEWARD in route.customer_to:
        receiver = ground.steward
    else:
        receiver = _first(ground, matter, route.customer_to, matter.avoided)
    if receiver is None:
        return
    sender = _first(ground, matter, route.customer_from, _ways(receiver))
    if sender is not None:
        yield from _prompt(ground, matter, sender, receiver)


def _first(ground: Ground, matter: Matter, roles: Roles, taken: frozenset[str] = frozenset()) -> Party | None:
    """The first person of the first role that somebody has, by name; nobody who is `taken`, by name or address."""
    free = [p for p in ground.people if not _ways(p) & taken]
    named = {_known(lead) for driver, lead in ground.leads.items() if f"driver:{driver}" == matter.topic}
    for role in roles:
        known = [p for p in free if (_ways(p) & named if role == LEAD else p.role == role)]
        if known:
            first = _known(matter.first or "")
            return min(known, key=lambda p: (first not in _ways(p), _known(p.name), p.email))
    return None


def _ways(party: Party) -> frozenset[str]:
    """What a person goes by: one who has two roles under two addresses is not prompted to talk to themselves."""
    return frozenset({_known(party.email), _known(party.name)})


def _known(name: str) -> str:
    """A name or address as people tell them apart."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def _prompt(ground: Ground, matter: Matter, sender: Party, receiver: Party) -> Iterator[Found]:
    facts = ground.given.facts
    insight_id = ground.given.id(matter.insight) if matter.insight is not None else None
    slug = matter.about.id if matter.about.kind is AboutKind.ASSUMPTION else None
    if ground.talked & {insight_id, slug}:
        return
    known_as = digest(matter.occasion.value, matter.topic, sender.email, receiver.email, *matter.told)
    key = prompt_id(facts.key, sender.side, matter.occasion, matter.topic)
    since = matter.since or ground.raised.get((key, known_as), facts.today)
    yield Found(
        Collaboration(
            occasion=matter.occasion,
            subject=matter.topic,
            sender=sender,
            receiver=receiver,
            about=matter.about,
            due=due_on(matter.rule, facts.today, since, matter.end),
            rule=matter.rule,
            matter=known_as,
            stake=matter.stake,
            insight_id=insight_id or (matter.about.id if matter.about.kind is AboutKind.SUGGESTION else None),
            signal=matter.signal.id(facts.key) if matter.signal else None,
        ),
        matter,
    )


def _of_insight(ground: Ground, signal: Signal, occasion: Occasion, rule: DueRule, topic: str) -> Iterator[Matter]:
    insight = _insight(ground, signal.insight_id)
    if insight is not None:
        about = About(AboutKind.INSIGHT, ground.given.id(insight))
        yield Matter(
            occasion, topic, about, rule, told=_terms(insight), insight=insight, stake=signal.stake, signal=signal
        )


def _insight(ground: Ground, insight_id: str | None) -> Insight | None:
    return next((i for i in ground.given.insights if ground.given.id(i) == insight_id), None)


def _terms(insight: Insight) -> tuple[str, ...]:
    return tuple(f"{name}={said}" for name, said in sorted(insight.terms.items()))


def _no_data(ground: Ground, signal: Signal) -> Iterator[Matter]:
    yield from _of_insight(ground, signal, Occasion.NO_DATA, DueRule.BAD_NEWS, "data")


def _behind(ground: Ground, signal: Signal) -> Iterator[Matter]:
    topic = ACCOUNT if signal.subject == ACCOUNT else f"driver:{signal.subject}"
    yield from _of_insight(ground, signal, Occasion.BEHIND, DueRule.BAD_NEWS, topic)


def _stalled(ground: Ground, signal: Signal) -> Iterator[Matter]:
    yield from _of_insight(ground, signal, Occasion.STALLED, DueRule.BAD_NEWS, f"driver:{signal.subject}")


def _reference(ground: Ground, signal: Signal) -> Iterator[Matter]:
    yield from _of_insight(ground, signal, Occasion.REFERENCE, DueRule.ANSWER, ACCOUNT)


def _renewal(ground: Ground, signal: Signal) -> Iterator[Matter]:
    """As the steward sees it: where the customer's story tells of the renewal, that is the matter of both."""
    if any(ground.given.of_kind("renewal-ahead")):
        return
    insight = _insight(ground, signal.insight_id)
    if insight is not None:
        about = About(AboutKind.INSIGHT, ground.given.id(insight))
        yield Matter(
            Occasion.RENEWAL, "renewal", about, DueRule.BEFORE_END, _terms(insight), insight, signal.stake,
            end=renewal_day(ground.given.facts), signal=signal, for_sides=frozenset({Side.SUPPLIER}),
        )  # fmt: skip


def _under_review(ground: Ground, signal: Signal) -> Iterator[Matter]:
    """The steward speaks to whoever questioned it; and that person, if a validator, asks the steward."""
    insight = _insight(ground, signal.insight_id)
    if insight is not None:
        yield Matter(
            Occasion.UNDER_REVIEW, f"input:{signal.subject}", About(AboutKind.ASSUMPTION, signal.subject),
            DueRule.BAD_NEWS, _of_input(ground, signal.subject), insight, signal.stake, signal=signal,
            first=insight.terms.get("questioner_name"),
        )  # fmt: skip


def _validation(ground: Ground, signal: Signal) -> Iterator[Matter]:
    """To whoever may validate and has not proposed it (value rule 9); else to name somebody who may."""
    slug = signal.act.target if signal.act.about is TargetKind.ASSUMPTION else signal.subject
    given = next((i for i in ground.given.facts.inputs if i.slug == slug), None)
    proposers = frozenset(_known(p.author) for p in given.proposals[-1:]) if given is not None else frozenset()
    topic = slug if slug.startswith("driver:") else f"input:{slug}"
    insight = _insight(ground, signal.insight_id)
    common = {"insight": insight, "stake": signal.stake, "signal": signal, "told": _of_input(ground, slug)}
    about, rule = About(AboutKind.ASSUMPTION, slug), DueRule.CLOSE
    asked = Matter(Occasion.VALIDATION, topic, about, rule, avoided=proposers, **common)  # type: ignore[arg-type]
    if _first(ground, asked, (P.VALIDATOR,), proposers) is not None:
        yield asked
    else:
        yield Matter(Occasion.NO_VALIDATOR, topic, about, rule, **common)  # type: ignore[arg-type]


def _of_input(ground: Ground, slug: str) -> tuple[str, ...]:
    """What makes another matter of an input: its value, state, proposals or the question on it."""
    return tuple(
        f"{given.state.value} {given.expected} {given.disputed_on} {[p.entry_id for p in given.proposals]}"
        for given in ground.given.facts.inputs
        if given.slug == slug
    )


def _suggestion(ground: Ground, signal: Signal) -> Iterator[Matter]:
    """One that the customer accepted prompts both sides; another only the steward: the customer's story has it."""
    stored = next((s for s in ground.given.suggestions if s.suggestion.id == signal.subject), None)
    if stored is not None:
        accepted = stored.state is State.ACCEPTED
        yield Matter(
            Occasion.STARTING if accepted else Occasion.SUGGESTION, f"suggestion:{signal.subject}",
            About(AboutKind.SUGGESTION, signal.subject), DueRule.ANSWER, (stored.state.value, str(stored.decided_at)),
            stake=signal.stake, signal=signal,
        )  # fmt: skip


_OF_SIGNALS: Final[Mapping[SignalKind, Callable[[Ground, Signal], Iterator[Matter]]]] = {
    SignalKind.NO_DATA: _no_data,
    SignalKind.BEHIND: _behind,
    SignalKind.UNDER_REVIEW: _under_review,
    SignalKind.STALLED: _stalled,
    SignalKind.RENEWAL: _renewal,
    SignalKind.NOT_VALIDATED: _validation,
    SignalKind.SUGGESTION: _suggestion,
    SignalKind.AHEAD: _reference,
}
"""A question that waits is answered where it was asked, so it prompts nobody to begin a conversation."""


def _silent(ground: Ground) -> Iterator[Matter]:
    """That nothing came any more, as the customer's story tells it."""
    for insight in ground.given.of_kind("silent-account"):
        yield Matter(
            Occasion.NO_DATA, "data", About(AboutKind.INSIGHT, ground.given.id(insight)), DueRule.BAD_NEWS,
            _terms(insight), insight, ground.given.stake(insight, "before"), for_sides=frozenset({Side.CUSTOMER}),
        )  # fmt: skip


def _renewal_ahead(ground: Ground) -> Iterator[Matter]:
    """At stake: what the contract brought."""
    calls = next((signal for signal in ground.found if signal.kind is SignalKind.RENEWAL), None)
    for insight in ground.given.of_kind("renewal-ahead"):
        yield Matter(
            Occasion.RENEWAL, "renewal", About(AboutKind.INSIGHT, ground.given.id(insight)), DueRule.BEFORE_END,
            (insight.terms["end_day"],), insight, ground.given.stake(insight, "since"),
            end=renewal_day(ground.given.facts), signal=calls,
        )  # fmt: skip


def _waits(one: Waiting) -> Matter:
    told = (one.side.value, one.since.isoformat(), *([str(one.newest)] if one.newest else []))
    return Matter(
        one.occasion, f"{one.occasion.value}:{one.id}", About(AboutKind(one.occasion.value), one.id), DueRule.ANSWER,
        told, since=one.since, record=one, route=_FOR_US[one.occasion] if one.side is Side.SUPPLIER else None,
    )  # fmt: skip


def _ends(ground: Ground, one: Ending) -> Matter:
    """At stake where the plan ends: what is committed to date. A baseline that ends puts at stake what rests on it,
    where an insight says how much that is."""
    is_plan = one.occasion is Occasion.PLAN_ENDS
    kinds, name = (("attainment",), "expected") if is_plan else (("validated-input",), "carried")
    subject = ACCOUNT if is_plan else one.id
    insight = next((i for i in ground.given.of_kind(*kinds) if i.subject == subject), None)
    return Matter(
        one.occasion, "plan" if is_plan else f"input:{one.id}",
        About(AboutKind.PLAN if is_plan else AboutKind.ASSUMPTION, one.id), DueRule.EXPIRY, (one.on.isoformat(),),
        stake=ground.given.stake(insight, name) if insight else None, end=one.on, record=one,
    )  # fmt: skip
