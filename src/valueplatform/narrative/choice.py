"""Which insights a story tells: importance for this reader, and no two that say the same.

Score = importance (materiality by surprise, from the insight) by relevance for the audience. Audiences differ here
and in tone, never in facts.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from valueplatform.narrative.document import Audience
from valueplatform.narrative.faithful import Admitted
from valueplatform.narrative.insights.standing import ACCOUNT

FLOOR: Final = 0.03
"""What scores less is not worth a sentence."""
BAD_NEWS_FLOOR: Final = 0.12
"""Bad news that scores less keeps its place: it is told in full size, and does not push objectives down."""
CHANGE_FLOOR: Final = 0.08
"""Nor is a change that scores less than this: where all fell a little, the total says so."""

TOPICS: Final[Mapping[str, str]] = {
    "attainment": "standing",
    "realized": "standing",
    "estimated": "standing",
    "detractor": "standing",
    "outcome": "standing",
    "insufficient-data": "standing",
    "estimated-beside": "beside",
    "stalled-driver": "change",
    "silent-account": "change",
    "lost-driver": "change",
    "streak": "change",
    "mix-shift": "parts",
    "concentration": "parts",
    "bottom-contributors": "parts",
    "payback": "return",
    "since-purchase": "return",
    "time-to-value": "moment",
    "disruption": "standing",
    "correlated-drivers": "together",
    "benchmark-standing": "compared",
    "best-practice-gap": "practice",
    "suggestion-outcome": "followed",
    "pace": "pace",
    "steady": "pace",
    "change-sits-in": "where",
    "unusual-record": "change",
    "change-point": "change",
    "unusual-day": "day",
    "new-driver": "standing",
    "record-month": "change",
    "period-over-period": "change",
    "month-so-far": "change",
    "trend": "change",
    "adjustment": "restated",
    "return-on-paid": "return",
    "go-live": "moment",
    "milestone": "moment",
    "renewal-ahead": "return",
    "top-contributors": "parts",
    "benefit-classes": "parts",
    "unvalidated-input": "input",
}
"""Insights of one topic about one subject say much the same: one of them is told."""

SAY_ABOUT: Final = frozenset({"estimated", "estimated-beside", "detractor", "disruption", "new-driver", "outcome"})
"""Where their numbers are not validated they are called "about"."""
SAY_NOT_VALIDATED: Final = SAY_ABOUT | {
    "change-point", "concentration", "mix-shift", "month-so-far", "period-over-period", "record-month", "trend",
    "unusual-day", "unusual-record",
}  # fmt: skip

PRECEDENCE: Final[Sequence[str]] = (
    "attainment", "disruption", "detractor", "new-driver", "realized", "estimated", "outcome", "insufficient-data",
    "silent-account", "lost-driver", "stalled-driver", "renewal-ahead",
)  # fmt: skip
"""Within a topic these come first, whatever they score: they explain the others."""

RELEVANCE: Final[Mapping[Audience, Mapping[str, float]]] = {
    Audience.CUSTOMER: {
        "estimated-beside": 1.5,
        "benefit-classes": 0.7,
        "top-contributors": 0.9,
        "go-live": 0.7,
        "milestone": 0.8,
        "time-to-value": 0.7,
        "correlated-drivers": 0.7,
    },
    Audience.STEWARD: {
        "unvalidated-input": 1.4,
        "estimated-beside": 1.3,
        "stalled-driver": 1.3,
        "lost-driver": 1.3,
        "renewal-ahead": 1.3,
        "concentration": 1.2,
        "suggestion-outcome": 1.2,
        "insufficient-data": 1.3,
        "benefit-classes": 0.5,
        "go-live": 0.4,
    },
    Audience.EXECUTIVE: {
        "pace": 1.2,
        "return-on-paid": 1.3,
        "renewal-ahead": 1.2,
        "benefit-classes": 1.1,
        "trend": 0.6,
        "unusual-day": 0.4,
        "streak": 0.7,
        "since-purchase": 1.2,
        "payback": 1.3,
        "correlated-drivers": 0.2,
        "bottom-contributors": 0.5,
        "month-so-far": 0.4,
        "unvalidated-input": 0.5,
    },
    Audience.PARTNER: {},
}

PARTNER_KINDS: Final = frozenset(
    {
        "realized", "estimated", "estimated-beside", "outcome", "detractor", "disruption", "period-over-period",
        "month-so-far", "trend", "record-month", "unusual-record", "new-driver", "stalled-driver", "lost-driver",
        "silent-account", "change-point", "unusual-day", "top-contributors", "change-contributors", "insufficient-data",
    }
)  # fmt: skip
"""What a partner may be told: its own rows, and nothing of contracts, disputes, people or commitments (rule 19)."""


def score(admitted: Admitted, audience: Audience) -> float:
    return admitted.insight.importance * RELEVANCE[audience].get(admitted.insight.kind, 1.0)


def eligible(insights: Iterable[Admitted], audience: Audience) -> list[Admitted]:
    chosen = (
        admitted
        for admitted in insights
        if not _is_nothing(admitted) and (audience is not Audience.PARTNER or _for_partner(admitted))
    )
    return sorted(chosen, key=lambda a: (-score(a, audience), a.insight.kind, a.insight.subject))


def _is_nothing(admitted: Admitted) -> bool:
    """A driver that came to nothing and could have come to nothing else."""
    insight = admitted.insight
    standing = insight.kind in {"realized", "estimated"} and insight.subject != ACCOUNT
    return standing and not any(number.value for number in insight.numbers)


def asks_to_validate(admitted: Admitted) -> bool:
    """Whether its words ask somebody to validate: a story asks for that once."""
    insight = admitted.insight
    if insight.kind == "estimated":
        return insight.subject != ACCOUNT and insight.terms["waits_for"] == "driver"
    if insight.kind == "time-to-value":
        return insight.terms["step"] == "waiting"
    return insight.kind == "unvalidated-input" or (
        insight.kind == "estimated-beside" and "validator_name" in insight.terms
    )


def is_not_validated(admitted: Admitted) -> bool:
    """Whether its words say that its numbers are not validated: a chapter says that once."""
    insight = admitted.insight
    return insight.kind in {"estimated", "estimated-beside"} or (
        insight.kind in SAY_NOT_VALIDATED and insight.terms.get("certainty") == "estimated"
    )


def is_cautioned(admitted: Admitted, said_of: Collection[str]) -> bool:
    """Whether the chapter need not say it again, having said it of these subjects: an estimate still says "about";
    words that do not must follow what was said of the same driver, or of the account."""
    subject = admitted.insight.subject
    return bool(said_of) and (admitted.insight.kind in SAY_ABOUT or subject in said_of or ACCOUNT in said_of)


def is_of_one_driver(admitted: Admitted, insights: Iterable[Admitted]) -> bool:
    """Whether what is estimated beside the total is all of one driver, of which the same is told."""
    if admitted.insight.kind != "estimated-beside" or admitted.insight.subject != ACCOUNT:
        return False
    whole = admitted.insight.number("estimated").value
    others = (a.insight for a in insights if a.insight.kind in {"estimated", "estimated-beside"})
    return any(other.subject != ACCOUNT and other.number("estimated").value == whole for other in others)


def _for_partner(admitted: Admitted) -> bool:
    return admitted.insight.kind in PARTNER_KINDS


def told(insights: Sequence[Admitted], audience: Audience, most: int) -> list[Admitted]:
    """Of one chapter's insights, those to tell, in order; at most `most`, one per subject and topic.

    What speaks of the whole chapter comes first, then bad news, then good; what is about one driver stays together, its
    standing first; causes stand right after what they explain, and do not count.
    """
    best: dict[tuple[str, str], Admitted] = {}
    for admitted in sorted(insights, key=lambda a: _preference(a, audience)):
        topic = TOPICS.get(admitted.insight.kind)
        if topic is not None:
            best.setdefault((_subject(admitted, topic), topic), admitted)
    explained = {a.insight.subject for a in best.values() if a.insight.terms.get("cause") == "stalled"}
    for subject in explained:
        best.pop((subject, "change"), None)  # its standing says already that it stopped
    standings = [a for a in best.values() if _topic(a) == "standing"]
    whole = [a for a in standings if a.insight.subject.startswith("objective:")] or standings[: len(standings) == 1]
    others = [a for a in best.values() if a not in whole and (a in standings or _is_worth(a, audience))]
    others.sort(key=lambda a: (a.insight.favorable is not False, -score(a, audience), a.insight.subject))
    kept = [*whole, *others][:most]
    order = {id(a): place for place, a in enumerate(kept)}
    first_of = {a.insight.subject: order[id(a)] for a in reversed(kept)}
    kept.sort(key=lambda a: (a not in whole, first_of[a.insight.subject], _topic(a) != "standing", order[id(a)]))
    return _with_causes(kept, insights)


def _is_worth(admitted: Admitted, audience: Audience) -> bool:
    return score(admitted, audience) >= (CHANGE_FLOOR if _topic(admitted) == "change" else FLOOR)


def same(admitted: Admitted) -> tuple[str, str]:
    """What two insights share that must not both be told: subject and topic."""
    topic = TOPICS.get(admitted.insight.kind, admitted.id)
    return _subject(admitted, topic), topic


def _topic(admitted: Admitted) -> str:
    return TOPICS[admitted.insight.kind]


def _subject(admitted: Admitted, topic: str) -> str:
    """Inputs are told once for all that rest on them; the account's moments and parts once."""
    return topic if topic in {"moment", "parts", "input", "return"} else admitted.insight.subject


def _preference(admitted: Admitted, audience: Audience) -> tuple[int, float, str, str]:
    kind = admitted.insight.kind
    place = PRECEDENCE.index(kind) if kind in PRECEDENCE else len(PRECEDENCE)
    return place, -score(admitted, audience), kind, admitted.insight.subject


def _with_causes(ordered: Sequence[Admitted], insights: Sequence[Admitted]) -> list[Admitted]:
    causes = {
        (a.insight.terms["window"], a.insight.period_from): a
        for a in insights
        if a.insight.kind == "change-contributors"
    }
    found: list[Admitted] = []
    for admitted in ordered:
        found.append(admitted)
        cause = causes.get((admitted.insight.kind, admitted.insight.period_from))
        if cause is not None and admitted.insight.subject == ACCOUNT:
            found.append(cause)
    return found
