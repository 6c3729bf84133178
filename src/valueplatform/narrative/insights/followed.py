"""What came of a suggestion that was accepted: what it promised, and what the account brought beside comparable ones.

Statistic: difference in differences by ratios against five comparable accounts or more, and the promise joined with
what months scatter without any step, as `narrative.grading` defines and measures them; nothing is computed here. Told
of the suggestion whose days ended last, at its longest horizon, for a quarter after they ended. *Inside* the joined
range the promise holds, whatever single months did; outside it, it does not. No test of its own: the range holds nine
of ten measurements where the promise is true, and one suggestion at a time is told. Minimum data: 90 days on record
before the first use, and five accounts without the step. It went with the step, and is never said to come from it
(value rule 6).
"""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from valueplatform.core.periods import Period
from valueplatform.narrative.facts import AccountFacts, Followed
from valueplatform.narrative.figures import Figure, days, number
from valueplatform.narrative.insight import Insight, Standing, Strength
from valueplatform.narrative.insights.weight import importance
from valueplatform.value.derivation import Graded

TOLD_FOR: Final = timedelta(days=92)
_STANDINGS: Final = {"realized": Standing.ESTIMATED, "compared": Standing.VALIDATED}
_NUMBERS: Final = ("realized", "expected", "low", "high", "range_low", "range_high", "compared")


def followed(facts: AccountFacts) -> list[Insight]:
    """At most one."""
    news = [one for one in facts.followed if one.end <= facts.today < one.end + TOLD_FOR]
    if not news:
        return []
    return [_outcome(facts, max(news, key=lambda one: (one.end, abs(one.realized), one.suggestion)))]


def _outcome(facts: AccountFacts, given: Followed) -> Insight:
    side = _side(given)
    return Insight(
        kind="suggestion-outcome",
        subject=f"suggestion:{given.suggestion}",
        period_from=given.start,
        period_to=given.end,
        numbers=(
            *(
                number(
                    name,
                    _figure(given, name),
                    "company" if name == "compared" else facts.currency,
                    _STANDINGS.get(name, Standing.PREDICTED),
                )
                for name in _NUMBERS
            ),
            number("days", days(Period(given.start, given.end)), "day"),
        ),
        strength=Strength.MODERATE,
        importance=importance(facts, Fraction(given.realized), 0.9 if side == "inside" else 1.0),
        terms={
            "feature_name": given.title,
            "accepted_day": given.accepted.isoformat(),
            "since_day": given.start.isoformat(),
            "side": side,
        },
        favorable=side != "below" if given.realized > 0 else False,
        anchor=f"{given.horizon} days from {given.start}",
    )


def _side(given: Followed) -> str:
    if given.realized < given.range_low:
        return "below"
    return "above" if given.realized > given.range_high else "inside"


def _figure(given: Followed, what: str) -> Figure:
    leaf = Graded(given.suggestion, given.feature, given.horizon, given.version, given.start, given.end, what)
    return Figure(Fraction(Decimal(getattr(given, what))), leaf)
