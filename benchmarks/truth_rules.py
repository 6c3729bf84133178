"""How a planted truth and a told insight are matched: which kinds, which subject, which days.

A truth is asked for while it is news: a rule's `since` says how many days back, `YEAR` the running contract year (from
the sample's own contracts), 0 always. Truths of kinds without a rule are not asked of insights: `NOT_ASKED` says of
whom they are asked instead. They may still be the reason for a change that is told (`REASONS`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from valueplatform.narrative.insight import Insight
from valueplatform.sample import Truth

YEAR: Final = -1
ACCOUNT: Final = "account"
OPEN_END: Final = date(2100, 1, 1)

Fits = Callable[[Truth, Insight], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    kinds: tuple[str, ...]
    since: int
    fits: Fits


def subject(truth: Truth, insight: Insight) -> bool:
    return insight.subject == (truth.subject or ACCOUNT)


def anywhere(_: Truth, __: Insight) -> bool:
    return True


def near(days: int, term: str) -> Fits:
    """The day that is told lies at most so many days from the one that was planted."""

    def fits(truth: Truth, insight: Insight) -> bool:
        return abs((date.fromisoformat(insight.terms[term]) - truth.start).days) <= days

    return fits


def both(*rules: Fits) -> Fits:
    return lambda truth, insight: all(rule(truth, insight) for rule in rules)


def overlaps(days: int = 0) -> Fits:
    def fits(truth: Truth, insight: Insight) -> bool:
        more = timedelta(days=days)
        return insight.period_from - more <= (truth.end or OPEN_END) and truth.start < insight.period_to + more

    return fits


def status(code: str) -> Fits:
    return lambda _, insight: insight.terms["status"] == code


def moved(truth: Truth, insight: Insight) -> bool:
    """The same way. A slump may be a factor above one of what costs value, so its name decides."""
    up = truth.kind in {"surge", "level_shift_up", "trend_up"}
    return insight.terms.get("direction", "up") == ("up" if up else "down")


CHANGES: Final = ("change-point", "period-over-period", "month-so-far", "trend", "record-month", "unusual-record")
MOVE: Final = both(lambda truth, insight: truth.subject in insight.drivers, moved, overlaps())
JOBS: Final = both(moved, overlaps())
STANDING: Final = ("attainment", "committed-range")

RULES: Final[Mapping[str, Rule]] = {
    "go_live": Rule(("go-live",), YEAR, near(1, "milestone_day")),
    "milestone": Rule(("milestone",), 45, subject),
    "renewal_due": Rule(("renewal-ahead",), 0, near(1, "end_day")),
    "contract_ending": Rule(("renewal-ahead",), 0, near(1, "end_day")),
    "outage": Rule(("detractor", "disruption"), YEAR, both(subject, overlaps())),
    "year_ahead": Rule(STANDING, 0, both(subject, status("ahead"))),
    "year_on_plan": Rule(STANDING, 0, both(subject, status("on-plan"))),
    "year_behind": Rule(STANDING, 0, both(subject, status("behind"))),
    "record_month": Rule(("record-month",), 0, both(subject, overlaps())),
    "driver_stalled": Rule(("stalled-driver", "lost-driver"), 0, both(subject, near(3, "stopped_day"))),
    "driver_new": Rule(("new-driver",), 60, both(subject, near(7, "first_day"))),
    "churned": Rule(("silent-account",), 0, near(3, "stopped_day")),
    "data_gap": Rule(("missing-days",), YEAR, overlaps()),
    "slump": Rule(CHANGES, 120, MOVE),
    "surge": Rule(CHANGES, 120, MOVE),
    "level_shift_down": Rule(CHANGES, 120, MOVE),
    "level_shift_up": Rule(CHANGES, 120, MOVE),
    "trend_up": Rule(CHANGES, 0, JOBS),
    "trend_down": Rule(CHANGES, 0, JOBS),
    "weekly_season": Rule(("weekly-season",), 0, anywhere),
    "not_validated": Rule(("estimated", "estimated-beside", "unvalidated-input"), 0, anywhere),
    "prospect": Rule(("insufficient-data",), 0, anywhere),
    "brand_new": Rule(("insufficient-data",), 0, anywhere),
    "assumption_disputed": Rule(("under-review",), 0, subject),
    "assumption_changed": Rule(("input-change",), 62, both(subject, near(1, "since_day"))),
    "assumption_waiting": Rule(("unvalidated-input", "under-review"), 0, subject),
    "partner_share": Rule(("partner-contribution",), 0, lambda t, i: i.subject.startswith(f"{t.subject}/")),
    "joint_split": Rule(("partner-contribution",), 0, lambda t, i: i.subject.startswith(f"{t.subject}/")),
}

NOT_ASKED: Final[Mapping[str, str]] = {
    "feature_adopted": "use of features",
    "feature_missing": "suggestions (J3)",
    "best_next_feature": "suggestions (J3)",
    "feature_effect": "suggestions (J3)",
    "feature_interaction": "suggestions (J3)",
    "holiday": "no calendar of holidays in the record",
    "annual_season": "less than two years of days",
    "late_events": "data quality",
    "duplicate_events": "data quality",
    "retry_storm": "data quality",
    "late_batch": "data quality",
    "team_gap": "members of a dimension are told where a month's change sits in one, not asked for",
    "team_launch": "its milestone is told; a member of a dimension where a month's change sits in it",
    "team_lagging": "members of a dimension are not compared",
    "product_launch": "the timeline",
    "on_plan": "since go-live; the story tells the contract year (year_*)",
    "ahead_of_plan": "since go-live; the story tells the contract year (year_*)",
    "behind_plan": "since go-live; the story tells the contract year (year_*)",
    "insufficient_data": "whether a plan can be compared; the story tells what is missing of all value",
    "assumption_withdrawn": "what stands after it",
    "split_waiting": "the partners' pages",
    "unmeasured_type": "proposals of drivers",
    "consent_missing": "the partners' pages",
    "contribution_reported": "the partners' pages",
    "contribution_corroborated": "the partners' pages",
    "contribution_disputed": "the partners' pages",
    "contribution_withdrawn": "the partners' pages",
}

_NOT_GRADED: Final = frozenset({"estimated", "estimated-beside", "partner-contribution", "weekly-season"})
GRADED: Final = frozenset(kind for rule in RULES.values() for kind in rule.kinds) - _NOT_GRADED | {"unusual-day"}
"""Kinds whose insights say that something planted is there; each must be borne out by a truth. The others (sums,
shares, returns, places among others) say what the record adds up to, which J5 recomputes."""


def borne_out(insight: Insight, truths: Iterable[Truth]) -> bool | None:
    """Whether a truth of the account says so; None where nothing was written down that could decide it."""
    known = list(truths)
    if insight.kind in STANDING:
        return _standing(insight, known)
    if insight.kind in CHANGES or insight.kind == "unusual-day":
        return any(_reason(truth, insight) for truth in known)
    rules = [(truth, RULES[truth.kind]) for truth in known if truth.kind in RULES]
    return any(insight.kind in rule.kinds and rule.fits(truth, insight) for truth, rule in rules)


def _standing(insight: Insight, truths: Iterable[Truth]) -> bool | None:
    own = [truth for truth in truths if truth.kind.startswith("year_") and subject(truth, insight)]
    return any(RULES[truth.kind].fits(truth, insight) for truth in own) if own else None


REASONS: Final = frozenset({"slump", "surge", "level_shift_down", "level_shift_up", "driver_stalled", "data_gap"})
BEGAN: Final = frozenset({"feature_adopted", "team_launch", "driver_new", "product_launch", "go_live"})
"""What raises value from its day on; a feature comes into use over some two months."""
BEGUN_WITHIN: Final = timedelta(days=60)


def _reason(truth: Truth, insight: Insight) -> bool:
    """Why a change that is told was to be expected: an episode or growth the same way within the days that it compares,
    a season of the year, or something that began up to two months before them."""
    if truth.kind in REASONS:
        return overlaps(35)(truth, insight) and (truth.kind != "slump" or moved(truth, insight))
    if truth.kind in BEGAN:
        up = insight.terms.get("direction", "up") == "up"
        return up and insight.period_from - BEGUN_WITHIN <= truth.start < insight.period_to
    if truth.kind.startswith("trend"):
        return moved(truth, insight)
    return truth.kind == "annual_season" or (truth.kind == "record_month" and insight.kind in CHANGES)
