"""The one step at the end of a story: what its reader can do about what was told (value rule 13).

It follows from a sentence or note that the story tells, never from one that it leaves out. What keeps value from being
known comes first, then what keeps it from counting, then what brings it down; good news asks for nothing. Words only:
a step holds no number.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from valueplatform.narrative.choice import BAD_NEWS_FLOOR, score
from valueplatform.narrative.document import Audience, Status, Step
from valueplatform.narrative.faithful import Admitted
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.voice import Voice

NOTHING: Final = "nothing"

_CHANGES: Final = frozenset({"period-over-period", "month-so-far", "trend"})
_WAITING: Final = frozenset({"unvalidated-input", "estimated", "estimated-beside"})


def _has(term: str, said: str) -> Callable[[Insight], bool]:
    return lambda insight: insight.terms.get(term) == said


def _kind(*kinds: str) -> Callable[[Insight], bool]:
    return lambda insight: insight.kind in kinds


def _behind(insight: Insight) -> bool:
    """A driver or an objective; the total is behind because of one of them."""
    return insight.kind == "attainment" and insight.terms["status"] == Status.BEHIND and bool(insight.objective)


_ACTS: Final[Mapping[str, Callable[[Insight], bool]]] = {
    "connect": _has("reason", "no-value"),
    "arrive": _kind("silent-account"),
    "settle": _kind("under-review"),
    "restart": lambda i: i.kind in {"stalled-driver", "lost-driver"} or (_behind(i) and i.terms["cause"] == "stalled"),
    "catch-up": _behind,
    "keep-pace": lambda i: i.kind == "pace" and i.terms["status"] == Status.BEHIND,
    "renew-input": lambda i: i.kind == "expiring-input" and i.terms["state"] == "past",
    "propose": lambda i: i.terms.get("reason") == "no_input" and "missing_name" in i.terms,
    "validate": lambda i: i.kind in _WAITING or _has("step", "waiting")(i),
    "price": _has("reason", "no-price"),
    "stop-loss": lambda i: i.kind in {"detractor", "disruption"},
    "return": lambda i: i.kind in {"return-on-paid", "since-purchase"} and i.favorable is False,
    "renew": _kind("renewal-ahead"),
    "look-into": lambda i: i.kind in _CHANGES and i.favorable is False,
    "review": lambda i: i.kind == "suggestion-outcome" and i.terms["side"] == "below",
    "try": _kind("best-practice-gap"),
}
"""What may be done, the most pressing first, and the insights that call for it."""

_NO_PLAN: Final = "plan"
_FOR_PARTNER: Final = frozenset({"connect", "arrive", "restart", "look-into"})
"""A partner answers for its own part: inputs, plans, contracts and people are between the other two (rule 19)."""
_WHATEVER_ITS_SIZE: Final = frozenset(
    {"connect", "arrive", "settle", "validate", "price", "propose", "renew", "review", "try"}
)


def next_step(told: Sequence[Admitted], why: str, voice: Voice) -> Step:
    """What to do about what was `told`; `why` is the reason of the status. Small bad news comes after all else. Where
    nothing is to be done, it says so."""
    calling = list(_calling(told, voice.audience))
    for act, admitted in calling:
        if _is_pressing(admitted, act, voice.audience):
            return _step(act, admitted, voice)
    if why == "no-plan" and voice.audience is not Audience.PARTNER:
        return _worded(_NO_PLAN, {}, "", told[0], voice)
    for act, admitted in calling:
        return _step(act, admitted, voice)
    return _worded(NOTHING, {}, "", told[0], voice)


def _calling(told: Sequence[Admitted], audience: Audience) -> Iterator[tuple[str, Admitted]]:
    """What may be done, the most pressing first, and for each what matters most to the reader."""
    order = sorted(told, key=lambda a: (-score(a, audience), a.insight.kind, a.insight.subject))
    for act, calls_for in _ACTS.items():
        if audience is not Audience.PARTNER or act in _FOR_PARTNER:
            yield from ((act, admitted) for admitted in order if calls_for(admitted.insight))


def _is_pressing(admitted: Admitted, act: str, audience: Audience) -> bool:
    return act in _WHATEVER_ITS_SIZE or score(admitted, audience) >= BAD_NEWS_FLOOR


def _step(act: str, admitted: Admitted, voice: Voice) -> Step:
    terms = dict(admitted.insight.terms)
    renamed = {"driver_name": "about", "objective_name": "objective"}
    told = {new: terms[old] for old, new in renamed.items() if old in terms}
    return _worded(act, terms | told, admitted.id, admitted, voice)


def _worded(act: str, terms: Mapping[str, str], insight_id: str, speaker: Admitted, voice: Voice) -> Step:
    names = ("input_name", "missing_name", "validator_name", "feature_name", "end_day", "about", "objective")
    said = {name: terms[name] for name in names if name in terms}
    text = voice.phrase("next-step", said, act=act, account=speaker.account_name, supplier=speaker.supplier_name)
    return Step(act, text, insight_id)
