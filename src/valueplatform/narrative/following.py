"""What came of accepted suggestions, as their newest grades have it: read in scope, for insights."""

from valueplatform.accounts.accounts import Account
from valueplatform.core.database import Transaction
from valueplatform.core.periods import local_day
from valueplatform.narrative.facts import Followed
from valueplatform.narrative.grades import Grade, grades_of
from valueplatform.narrative.offers import offer
from valueplatform.value.model import ValueModel


async def read_followed(tx: Transaction, account: Account, model: ValueModel, timezone: str) -> tuple[Followed, ...]:
    """Of each accepted suggestion that is still offered its longest measurement, where it is in the account's
    currency."""
    # Grades come by horizon: the longest replaces the others.
    longest = {
        found.suggestion: found
        for grade in await grades_of(tx, account.account_id)
        if grade.unit == account.currency and (found := _followed(grade, model, timezone)) is not None
    }
    return tuple(longest.values())


def _followed(grade: Grade, model: ValueModel, timezone: str) -> Followed | None:
    """None where nothing was measured, or nothing promised."""
    offered = offer(model, grade.feature)
    if (
        offered is None
        or grade.start is None
        or grade.end is None
        or grade.low is None
        or grade.expected is None
        or grade.high is None
        or grade.range_low is None
        or grade.range_high is None
        or grade.realized is None
    ):
        return None
    return Followed(
        suggestion=grade.suggestion_id,
        feature=grade.feature,
        title=offered.label,
        horizon=grade.horizon,
        version=grade.version,
        accepted=local_day(grade.decided_at, timezone),
        start=grade.start,
        end=grade.end,
        low=grade.low,
        expected=grade.expected,
        high=grade.high,
        range_low=grade.range_low,
        range_high=grade.range_high,
        realized=grade.realized,
        compared=grade.compared,
    )
