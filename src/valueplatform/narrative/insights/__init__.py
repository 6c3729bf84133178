"""Insights: one module a family, each a pure function of an account's facts. `discover` asks them all."""

from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.adjustment import adjustments
from valueplatform.narrative.insights.attainment import attainment
from valueplatform.narrative.insights.benchmark import benchmarks
from valueplatform.narrative.insights.change import changes
from valueplatform.narrative.insights.concentration import concentration, shifts
from valueplatform.narrative.insights.contribution import contribution
from valueplatform.narrative.insights.correlated import correlations
from valueplatform.narrative.insights.disruption import disruptions
from valueplatform.narrative.insights.doubts import doubts
from valueplatform.narrative.insights.expiry import expiring, input_changes
from valueplatform.narrative.insights.followed import followed
from valueplatform.narrative.insights.gaps import gaps
from valueplatform.narrative.insights.inputs import inputs
from valueplatform.narrative.insights.milestones import milestones
from valueplatform.narrative.insights.new_level import new_levels
from valueplatform.narrative.insights.pace import paces
from valueplatform.narrative.insights.paid import returns
from valueplatform.narrative.insights.payback import payback
from valueplatform.narrative.insights.presence import presence
from valueplatform.narrative.insights.record import records
from valueplatform.narrative.insights.standing import standing
from valueplatform.narrative.insights.steady import steady
from valueplatform.narrative.insights.streak import streaks
from valueplatform.narrative.insights.time_to_value import time_to_value
from valueplatform.narrative.insights.trend import trends
from valueplatform.narrative.insights.unusual_day import unusual_values
from valueplatform.narrative.insights.unusual_record import unusual_records
from valueplatform.narrative.insights.weekly_season import weekly_seasons
from valueplatform.narrative.insights.weight import FALSE_DISCOVERY_RATE
from valueplatform.narrative.significance import discoveries

FAMILIES = (
    standing,
    attainment,
    paces,
    presence,
    milestones,
    contribution,
    concentration,
    adjustments,
    returns,
    payback,
    time_to_value,
    disruptions,
    benchmarks,
    followed,
    steady,
    gaps,
    inputs,
    input_changes,
    expiring,
    doubts,
    weekly_seasons,
)
TESTED_FAMILIES = (
    changes,
    trends,
    records,
    unusual_records,
    streaks,
    shifts,
    correlations,
    new_levels,
    unusual_values,
)


def discover(facts: AccountFacts) -> list[Insight]:
    """Every insight that holds, in a fixed order. All change tests of the account are judged together."""
    found = [insight for family in FAMILIES for insight in family(facts)]
    candidates = [candidate for family in TESTED_FAMILIES for candidate in family(facts)]
    kept = discoveries([candidate.p_value for candidate in candidates], FALSE_DISCOVERY_RATE)
    for candidate, holds in zip(candidates, kept, strict=True):
        found += candidate.insights if holds else ()
    return sorted(found, key=lambda insight: (-insight.importance, insight.kind, insight.subject))
